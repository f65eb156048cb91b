//! Who owns a conversation.

use serde_json::{Value, json};

use super::care::Care;
use super::refusal::{messages, not_owner};
use super::rules::{judge_address, judge_control};
use super::webhook;
use crate::account::{Ledger, Reply};
use crate::clock::epoch_ms;
use crate::fields::Fields;

/// Who owns a conversation now.
pub(super) fn owner(care: &Care, author: &str) -> Reply {
    let Some(known) = care.conversations.get(author) else {
        return messages(404, format!("no conversation of {author}"));
    };
    // Here it is a number under another name than in a hand-off's answer.
    let data = json!({ "owner": known.owner, "lastUpdatedTS": known.updated });
    Reply::taken(200, &json!({ "data": data }))
}

/// A hand-off.
pub(super) fn change(care: &mut Care, body: &Value, ledger: &mut Ledger) -> Reply {
    let judged = Fields::of("the body", body).and_then(|fields| {
        judge_address(&care.options, &fields)?;
        judge_control(&care.options, &fields)
    });
    if let Err(why) = judged {
        return messages(400, why);
    }
    let author = body["author"]["id"].as_str().unwrap_or_default();
    let bot = care.bot();
    let Some(known) = care.conversations.get_mut(author).filter(|known| known.is_created) else {
        return messages(404, format!("no conversation of {author}"));
    };
    if known.owner != bot {
        return not_owner(author);
    }
    let told = &body["lastUpdateTS"];
    let told = told.as_u64().or_else(|| told.as_str().and_then(|text| text.parse().ok()));
    if care.conflicts > 0 || told.is_some_and(|told| told < known.updated) {
        care.conflicts = care.conflicts.saturating_sub(1);
        return messages(409, "the conversation was changed meanwhile; may be retried");
    }
    known.owner = body["owner"].clone();
    known.updated = epoch_ms();
    let mut data = body.clone();
    data["conversationDisplayId"] = json!(known.display_id.to_string());
    data["lastUpdateTS"] = json!(known.updated.to_string());
    ledger.show(author, "control", body.clone());
    let kind = body["owner"]["type"].as_str().unwrap_or_default();
    ledger.change(author, &format!("owner {kind}"));
    if care.options.tells_control
        && let Some(webhook) = webhook::control(care, author)
    {
        ledger.send(webhook);
    }
    Reply::taken(200, &json!({ "data": data }))
}
