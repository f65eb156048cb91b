//! Actions to calls of the REST API.

use botyard_kernel::action::{Action, Passthrough};
use botyard_kernel::run::Blame;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::NAME;
use super::dialect::{self, Dialect};
use super::ids::{Person, number};
use super::settings::Settings;
use crate::fields::object;
use crate::{Call, Part, To};

const KEY_HEADER: HeaderName = HeaderName::from_static("x-myalice-api-key");
const TEXT_PATH: &str = "/customers/send-text-message";

/// The call that delivers a part.
pub(super) fn call(settings: &Settings, to: &To<'_>, parts: &[Part<'_>]) -> Call {
    let action = parts.first().map(|part| part.action);
    let known = Person::of(to.conversation)
        .zip(action)
        .and_then(|(person, action)| path_and_body(&settings.dialect, person, to.reply_to, action));
    let Some((path, body)) = known else { return to_nowhere() };
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(KEY_HEADER, settings.api_key.clone());
    Call {
        method: Method::POST,
        url: format!("{}{path}", settings.dialect.rest_base),
        headers,
        body: Bytes::from(body.to_string()),
    }
}

/// Why an action becomes no call, and who must act; nothing where it becomes one.
pub(super) fn refusal(dialect: &Dialect, action: &Action) -> Option<(Blame, String)> {
    match action {
        Action::Message(_) => None,
        Action::Passthrough(it) => {
            if read(dialect, it).is_some() {
                return None;
            }
            let known = dialect.passthroughs.keys().cloned().collect::<Vec<_>>().join(", ");
            let reason = format!(
                "a passthrough for MyAlice is `{{\"name\": \"…\", \"payload\": {{…}}}}` with one \
                 of these names: {known}"
            );
            Some((Blame::Bot, reason))
        }
        Action::Bubbles(_)
        | Action::Carousel(_)
        | Action::ButtonTemplate(_)
        | Action::ListTemplate(_)
        | Action::Buttons(_)
        | Action::RichLink(_)
        | Action::Media(_)
        | Action::Navigate(_)
        | Action::Typing(_)
        | Action::Delay(_)
        | Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::ContactUpdate(_)
        | Action::ConversationUpdate(_)
        | Action::NoteCreate(_)
        | Action::Tag(_)
        | Action::Untag(_)
        | Action::Priority(_)
        | Action::WorkQueue(_)
        | Action::Resolve(_)
        | Action::SecureForm(_)
        | Action::Forward(_)
        | Action::Abort
        | Action::End
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_)
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_)
        | Action::Other(_) => {
            let reason = format!("MyAlice's REST API has no call for `{}`", action.name());
            Some((Blame::Host, reason))
        }
    }
}

fn path_and_body<'a>(
    dialect: &'a Dialect,
    person: Person<'_>,
    phone: Option<&str>,
    action: &Action,
) -> Option<(&'a str, Value)> {
    if refusal(dialect, action).is_some() {
        return None;
    }
    if let Action::Message(it) = action {
        let body = json!({ "customer_id": person.customer, "text": it.text });
        return Some((TEXT_PATH, body));
    }
    let Action::Passthrough(it) = action else { return None };
    let (call, mut payload) = read(dialect, it)?;
    // Whoever writes a bot speaks to the person of the conversation and to nobody else.
    let own = [
        (&call.customer, Some(Value::from(person.customer))),
        (&call.platform, Some(number(person.platform))),
        (&call.phone, phone.map(Value::from)),
    ];
    for (key, value) in own {
        if let (Some(key), Some(value)) = (key, value) {
            payload.insert(key.clone(), value);
        }
    }
    Some((&call.path, Value::Object(payload)))
}

/// The call that a passthrough is for, and its payload.
fn read<'a>(
    dialect: &'a Dialect,
    passthrough: &Passthrough,
) -> Option<(&'a dialect::Call, Map<String, Value>)> {
    if passthrough.vendor != NAME {
        return None;
    }
    let mut packet = object(&passthrough.json)?;
    let call = dialect.passthroughs.get(packet.get("name")?.as_str()?)?;
    match packet.remove("payload") {
        Some(Value::Object(payload)) => Some((call, payload)),
        None => Some((call, Map::new())),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        ) => None,
    }
}

/// What cannot be said becomes a call that never leaves: the host refuses an address
/// that is none, and `outcome` says why.
fn to_nowhere() -> Call {
    Call { method: Method::POST, url: String::new(), headers: HeaderMap::new(), body: Bytes::new() }
}
