//! What the bot says and does in a conversation.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::care::{Care, Conversation, Request};
use super::refusal::{messages, not_owner};
use super::rules::{judge_action, judge_address, judge_form, judge_respond};
use super::webhook;
use crate::account::{Incoming, Ledger, Reply};
use crate::clock::epoch_ms;
use crate::fields::Fields;

/// `/respond`.
pub(super) fn respond(
    care: &mut Care,
    call: &Incoming,
    body: &Value,
    ledger: &mut Ledger,
) -> Reply {
    let kind = call.header(CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
    if !call.says_json() || (!call.body.is_ascii() && !kind.contains("charset=utf-8")) {
        return messages(400, "the content-type is not application/json; charset=utf-8");
    }
    let judged = Fields::of("the body", body).and_then(|fields| {
        judge_address(&care.options, &fields)?;
        judge_respond(&care.options, &fields)
    });
    if let Err(why) = judged {
        return messages(400, why);
    }
    let author = body["author"]["id"].as_str().unwrap_or_default();
    let bot = care.bot();
    let number = care.next_number();
    let known = match conversation(care, body) {
        Ok(known) => known,
        Err(refused) => return refused,
    };
    if known.owner != bot {
        return not_owner(author);
    }
    let kind = body["type"].as_str().unwrap_or_default();
    let is_sync = body["processSynchronously"] == true;
    let reaches = !known.is_gone;
    if reaches {
        known.actions.extend(body["actions"].as_array().into_iter().flatten().cloned());
    }
    let state = if reaches { "SUCCESS" } else { "ERROR" };
    let late = care.publishing(number).filter(|_| !is_sync);
    if reaches {
        match late {
            Some(late) => ledger.show_later(late, author, kind, body.clone()),
            None => ledger.show(author, kind, body.clone()),
        }
    }
    let id = care.remember(number, kind, state, ledger.now() + late.unwrap_or_default());
    if care.options.echoes
        && kind == "message"
        && reaches
        && let Some(echo) = webhook::update(care, author, "AGENT_RESPONSE")
    {
        ledger.send(echo);
    }
    match (is_sync, reaches) {
        (true, true) => {
            let message = format!("{}{number:06}", epoch_ms());
            let data = json!({ "messageId": message, "payloadType": kind, "requestState": state });
            Reply::taken(200, &json!({ "data": data, "requestId": id }))
        }
        (true, false) => messages(400, "the network did not take the message"),
        (false, _) => accepted(id),
    }
}

/// `/form`.
pub(super) fn form(care: &mut Care, body: &Value, ledger: &mut Ledger) -> Reply {
    let judged = Fields::of("the body", body).and_then(|fields| {
        judge_address(&care.options, &fields)?;
        judge_form(&fields)
    });
    if let Err(why) = judged {
        return messages(400, why);
    }
    let bot = care.bot();
    match conversation(care, body) {
        Err(refused) => return refused,
        Ok(known) if known.owner != bot => {
            return not_owner(body["author"]["id"].as_str().unwrap_or_default());
        }
        Ok(_) => {}
    }
    done(care, "secure_form", body, ledger)
}

/// Notes, tags and the like. The pages do not say that the bot must own the
/// conversation for them.
pub(super) fn action(care: &mut Care, name: &str, body: &Value, ledger: &mut Ledger) -> Reply {
    let judged = Fields::of("the body", body).and_then(|fields| {
        judge_address(&care.options, &fields)?;
        judge_action(name, &fields)
    });
    if let Err(why) = judged {
        return messages(400, why);
    }
    if let Err(refused) = conversation(care, body) {
        return refused;
    }
    done(care, name, body, ledger)
}

/// What became of a request.
pub(super) fn request(care: &Care, id: &str, now: Duration) -> Reply {
    match care.requests.iter().find(|request| request.shown["id"] == id) {
        Some(request) => Reply::taken(200, &json!({ "data": request.at(now) })),
        None => messages(404, format!("no request {id}")),
    }
}

/// What became of the app's requests in these states.
pub(super) fn requests(care: &Care, call: &Incoming, now: Duration) -> Reply {
    let asked: Vec<_> = call.query.iter().filter(|(key, _)| key == "state").collect();
    let wanted = |request: &Value| {
        asked.is_empty() || asked.iter().any(|(_, state)| request["state"] == **state)
    };
    let data: Vec<_> = care.requests.iter().map(|request| request.at(now)).filter(wanted).collect();
    Reply::taken(200, &json!({ "data": data }))
}

fn conversation<'a>(care: &'a mut Care, body: &Value) -> Result<&'a mut Conversation, Reply> {
    let author = body["author"]["id"].as_str().unwrap_or_default();
    let Some(known) = care.conversations.get_mut(author) else {
        return Err(messages(404, format!("no conversation of {author}")));
    };
    match &body["coordinate"]["messageId"] {
        Value::Null => Ok(known),
        Value::String(id) if known.messages.contains(id) => Ok(known),
        other => Err(messages(400, format!("Invalid messageId {other}"))),
    }
}

fn done(care: &mut Care, name: &str, body: &Value, ledger: &mut Ledger) -> Reply {
    let author = body["author"]["id"].as_str().unwrap_or_default();
    ledger.show(author, name, body.clone());
    let number = care.next_number();
    accepted(care.remember(number, name, "SUCCESS", ledger.now()))
}

/// 202, and the request's id in a header.
fn accepted(id: String) -> Reply {
    let mut reply = Reply::empty(202);
    reply.headers.push(("x-amzn-requestid", id));
    reply
}

impl Care {
    /// How late the next asynchronous message is, if at all.
    fn publishing(&self, number: u64) -> Option<Duration> {
        let all = &self.options.publishing;
        let number = usize::try_from(number).unwrap_or_default();
        number.checked_rem(all.len()).map(|place| all[place])
    }

    fn remember(&mut self, number: u64, kind: &str, state: &str, until: Duration) -> String {
        let id = format!("req-{number}");
        let now = epoch_ms();
        let shown = json!({
            "id": id,
            "companyKey": self.options.company_key,
            "externalId": self.options.external_id,
            "networkKey": self.options.network_key,
            "appId": self.options.app_id,
            "origin": "BOT",
            "details": {},
            "state": state,
            "payloadType": kind,
            "createdEpochMillis": now,
            "completedEpochMillis": now,
            "lastUpdatedEpochMillis": now,
        });
        self.requests.push(Request { shown, until });
        id
    }
}

impl Request {
    fn at(&self, now: Duration) -> Value {
        let mut shown = self.shown.clone();
        if now < self.until {
            shown["state"] = json!("PENDING");
        }
        shown
    }
}
