//! Events as the framework sends them to the bot.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::Method;
use serde_json::{Value, json};

use super::care::Care;
use super::registrations::Credentials;
use super::tokens::basic;
use crate::account::Outgoing;
use crate::clock::epoch_ms;
use crate::sign::{hex, hmac_sha256};

/// The name of the bot's only webhook; a registration says where it is.
pub const HOOK: &str = "main";

/// A message event about the last message of an author.
pub(super) fn message(care: &Care, author: &str, said: &Value) -> Option<Outgoing> {
    let mut event = event(care, author, "message")?;
    for (key, value) in said.as_object().into_iter().flatten() {
        event[key] = value.clone();
    }
    event["owner"] = care.conversations.get(author)?.owner.clone();
    event["publishedTS"] = json!(epoch_ms());
    event["receivedTS"] = json!(epoch_ms());
    signed(care, author, &event)
}

/// An update event: `CREATED`, `CLOSED` or `AGENT_RESPONSE`.
pub(super) fn update(care: &Care, author: &str, operation: &str) -> Option<Outgoing> {
    let mut event = event(care, author, "update")?;
    let known = care.conversations.get(author)?;
    event["operation"] = json!(operation);
    event["owner"] = known.owner.clone();
    event["conversation"] = json!({ "displayId": known.display_id });
    event["publishedTS"] = json!(epoch_ms());
    signed(care, author, &event)
}

/// A control event: who owns the conversation now.
pub(super) fn control(care: &Care, author: &str) -> Option<Outgoing> {
    let mut event = event(care, author, "control")?;
    let known = care.conversations.get(author)?;
    event["owner"] = known.owner.clone();
    event["conversationDisplayId"] = json!(known.display_id.to_string());
    event["lastUpdateTS"] = json!(known.updated);
    signed(care, author, &event)
}

fn event(care: &Care, author: &str, kind: &str) -> Option<Value> {
    let known = care.conversations.get(author)?;
    let options = &care.options;
    Some(json!({
        "type": kind,
        "coordinate": {
            "companyKey": options.company_key,
            "networkKey": options.network_key,
            "externalId": options.external_id,
            "messageId": known.messages.back(),
            "botId": options.app_id,
            "scope": known.scope,
        },
        "author": { "id": author, "fullName": known.name },
    }))
}

/// A webhook with the credentials of the registration; without one there is none.
pub(super) fn signed(care: &Care, author: &str, event: &Value) -> Option<Outgoing> {
    let registration = care.registration.as_ref()?;
    let body = event.to_string().into_bytes();
    let header = match &registration.credentials {
        Credentials::Basic(name, secret) => ("Authorization".to_owned(), basic(name, secret)),
        Credentials::Hmac(secret) => {
            let form = &care.options.hmac;
            let signature = hmac_sha256(secret, &body);
            let signature =
                if form.base64 { BASE64_STANDARD.encode(signature) } else { hex(&signature) };
            (form.header.clone(), format!("{}{signature}", form.prefix))
        }
    };
    Some(Outgoing {
        conversation: author.to_owned(),
        hook: HOOK.to_owned(),
        method: Method::POST,
        suffix: String::new(),
        headers: vec![header],
        body,
    })
}
