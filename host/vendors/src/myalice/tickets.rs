//! A ticket webhook to one event.
//!
//! A ticket is what `MyAlice`'s people work on: while an agent has it the conversation is
//! theirs, and when it is resolved the bot has it back.

use botyard_kernel::event::{EventBody, HumanSpoke, Returned};
use botyard_kernel::owner::Owner;
use serde_json::{Map, Value};

use super::dialect;
use super::form::TICKETS;
use super::ids::{Person, id};
use super::settings::Settings;
use super::{facts, receive, when};
use crate::webhook::{bad, named, raw};
use crate::{Damaged, Inbound, Incoming, Received, Rejection};

/// Reads a webhook that is verified.
pub(super) fn read(settings: &Settings, request: &Inbound<'_>) -> Result<Received, Rejection> {
    let body = receive::json(request)?;
    let action = body.get("action").and_then(Value::as_str).unwrap_or_default();
    if action.trim().is_empty() {
        return Err(bad("`action` must be a text that is not empty"));
    }
    let paths = &settings.dialect.tickets;
    let ids = find(&body, &paths.platform).zip(find(&body, &paths.customer));
    let Some((platform, customer)) = ids else {
        return Ok(damaged(paths, request));
    };
    if !settings.takes_platform(&platform) {
        return Ok(Received::Ignored("a ticket of a platform that `platform-ids` does not list"));
    }
    let person = Person { platform: &platform, customer: &customer };
    let conversation =
        if paths.same_ids { person.conversation() } else { person.ticket_conversation() };
    let (event, owner) = event(paths, action, &body);
    let incoming = Incoming {
        owner,
        aside: matches!(event, EventBody::Other(_)),
        form: TICKETS,
        vendor_ms: happened(action, &body),
        request: Some(named(request)),
        raw: raw(request.body),
        facts: facts::of_ticket(&body, &platform),
        ..Incoming::new(conversation, event)
    };
    Ok(Received::Events { events: vec![incoming], damaged: Vec::new() })
}

/// What happened, and who has the conversation where that says so.
fn event(
    paths: &dialect::Tickets,
    action: &str,
    body: &Map<String, Value>,
) -> (EventBody, Option<Owner>) {
    let is = |actions: &[String]| actions.iter().any(|known| known == action);
    if is(&paths.resolved) {
        let reason = Some(facts::cut(action.to_owned(), facts::TEXT_BYTES_MAX));
        return (EventBody::Returned(Returned { reason }), None);
    }
    let ticket = body.get("ticket").unwrap_or(&Value::Null);
    let resolved = ticket.get("is_resolved").and_then(Value::as_bool).unwrap_or(false);
    let assigned = ticket.get("assigned_agent").filter(|agent| !resolved && is_somebody(agent));
    let owner = assigned.map(|_| Owner::Human);
    match assigned {
        Some(agent) if is(&paths.assigned) => {
            let agent = name(paths, agent);
            (EventBody::HumanSpoke(HumanSpoke { text: None, agent }), owner)
        }
        Some(_) | None => {
            let payload = Value::Object(body.clone());
            (EventBody::Other(receive::other(action, &payload)), owner)
        }
    }
}

/// Only `null`, which is nobody, was ever seen there.
fn is_somebody(agent: &Value) -> bool {
    match agent {
        Value::Null | Value::Bool(_) => false,
        Value::Number(_) => true,
        Value::String(name) => !name.trim().is_empty(),
        Value::Array(agents) => !agents.is_empty(),
        Value::Object(agent) => !agent.is_empty(),
    }
}

/// An agent by name, as far as can be told.
fn name(paths: &dialect::Tickets, agent: &Value) -> Option<String> {
    let named = paths.agent_names.iter().find_map(|key| facts::scalar(agent.get(key)?));
    facts::scalar(agent).or(named)
}

/// When, where one of the times in the webhook is that of the event itself.
fn happened(action: &str, body: &Map<String, Value>) -> Option<u64> {
    let made = match action {
        "ticket_created" => body.get("ticket"),
        "customer_created" => body.get("customer"),
        _ => None,
    };
    made?.get("created_at").and_then(when::when)
}

/// The id at the end of a path of keys with dots between them.
fn find(body: &Map<String, Value>, path: &str) -> Option<String> {
    let mut steps = path.split('.');
    let first = body.get(steps.next()?)?;
    id(steps.try_fold(first, |value, step| value.get(step))?)
}

/// It is answered success: a vendor that is refused may stop calling.
fn damaged(paths: &dialect::Tickets, request: &Inbound<'_>) -> Received {
    let damaged = Damaged {
        reason: format!(
            "a MyAlice ticket webhook without whole numbers at `{}` and `{}`: compare the \
             payload with `tickets` of the channel's `dialect`",
            paths.platform, paths.customer
        ),
        raw: String::from_utf8_lossy(request.body).into_owned(),
    };
    Received::Events { events: Vec::new(), damaged: vec![damaged] }
}
