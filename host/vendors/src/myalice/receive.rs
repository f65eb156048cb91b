//! A call of an API block to one event.

use std::fmt::Write as _;

use botyard_kernel::event::{EventBody, Message, NamedPayload, TextFormat};
use botyard_kernel::log::Route;
use botyard_kernel::owner::Owner;
use botyard_kernel::run::Blame;
use botyard_kernel::session::Seed;
use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::form::Form;
use super::ids::{Person, id};
use super::settings::Settings;
use super::verify::{Door, door};
use super::{facts, tickets, when};
use crate::webhook::{bad, named, raw};
use crate::{Inbound, Incoming, Received, Rejection};

/// Of a longer text, somebody's paste, the first part is told.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Of a larger payload without a case the first part is told, as a text.
const JSON_BYTES_MAX: usize = 64 * 1024;
/// A longer number of a telephone is none.
const PHONE_BYTES_MAX: usize = 64;
/// The name of a call without words of the person.
const BLOCK: &str = "api_block";

/// Reads a webhook that was verified.
pub(super) fn receive(settings: &Settings, request: &Inbound<'_>) -> Received {
    let received = door(settings, request).and_then(|door| match door {
        Door::Tickets => tickets::read(settings, request),
        Door::Block(form, entry) => block(settings, request, form, entry),
    });
    received.unwrap_or_else(Received::Rejected)
}

fn block(
    settings: &Settings,
    request: &Inbound<'_>,
    form: Form,
    entry: &str,
) -> Result<Received, Rejection> {
    let incoming = if request.method == Method::GET {
        asked(settings, request, entry)
    } else {
        told(settings, request, entry)?
    };
    let events = vec![Incoming { form: form.name(), ..incoming }];
    Ok(Received::Events { events, damaged: Vec::new() })
}

/// A GET: it names nobody, so each is a conversation of its own, whose one chance to
/// say something is the answer.
fn asked(settings: &Settings, request: &Inbound<'_>, entry: &str) -> Incoming {
    let params = facts::query(request.query);
    let names = &settings.dialect.get_text;
    let said = names
        .iter()
        .find_map(|name| params.iter().find(|(given, text)| given == name && !text.is_empty()));
    let body = match said {
        Some((_, text)) => EventBody::Message(message(text.clone())),
        None => {
            let fields = params.iter().map(|(name, text)| (name.clone(), Value::from(&**text)));
            EventBody::Other(other(BLOCK, &Value::Object(fields.collect())))
        }
    };
    Incoming {
        route: Some(Route::ThisAnswer),
        raw: request.query.and_then(|query| raw(query.as_bytes())),
        facts: facts::of_get(&params, entry),
        ..Incoming::new(by_chance(request.chance), body)
    }
}

/// The key of a conversation that nobody else has.
fn by_chance(Seed(words): Seed) -> String {
    words.iter().take(2).fold("get:".to_owned(), |mut key, word| {
        // A text takes whatever is written to it.
        let _ = write!(key, "{word:016x}");
        key
    })
}

/// A POST: it tells of the person who came to the block.
fn told(settings: &Settings, request: &Inbound<'_>, entry: &str) -> Result<Incoming, Rejection> {
    let body = json(request)?;
    let of = |key: &str| {
        let found = body.get(key).and_then(id);
        found.ok_or_else(|| bad(format!("`{key}` must be a whole number that is not negative")))
    };
    let (platform, customer) = (of("platform_id")?, of("uid")?);
    if !settings.takes_platform(&platform) {
        return Err(Rejection {
            status: StatusCode::FORBIDDEN,
            reason: format!("platform {platform} is not among the channel's `platform-ids`"),
            blame: Blame::Tenant,
        });
    }
    let event = match said(body.get("last_message_text")) {
        Some(text) => EventBody::Message(message(text)),
        None => EventBody::Other(other(BLOCK, &Value::Object(body.clone()))),
    };
    let person = Person { platform: &platform, customer: &customer };
    let owner = match body.get("bot_enabled").and_then(Value::as_bool) {
        Some(false) => Some(Owner::Human),
        // MyAlice itself says that the bot may speak again. The kernel knows of
        // hand-offs under way, which this does not take back.
        Some(true) if settings.dialect.enabled_returns => Some(Owner::Bot),
        Some(true) | None => None,
    };
    Ok(Incoming {
        owner,
        vendor_ms: body.get("last_message_time").and_then(when::when),
        reply_to: phone(&body),
        request: Some(named(request)),
        raw: raw(request.body),
        facts: facts::of_post(&body, &facts::query(request.query), entry),
        ..Incoming::new(person.conversation(), event)
    })
}

/// The body, which is a JSON object.
pub(super) fn json(request: &Inbound<'_>) -> Result<Map<String, Value>, Rejection> {
    let body = serde_json::from_slice(request.body)
        .map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    match body {
        Value::Object(body) => Ok(body),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(bad("the body must be a JSON object"))
        }
    }
}

/// What the person wrote. An empty text is one: something was sent that the vendor
/// could not put into words.
fn said(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn message(text: String) -> Message {
    Message { text: facts::cut(text, TEXT_BYTES_MAX), format: TextFormat::Plain }
}

/// What templates for `WhatsApp` are sent to.
fn phone(customer: &Map<String, Value>) -> Option<String> {
    let phone = said(customer.get("phone"))?;
    let fits = !phone.trim().is_empty() && phone.len() <= PHONE_BYTES_MAX;
    fits.then_some(phone)
}

/// What has no case, by the vendor's own name.
pub(super) fn other(name: &str, payload: &Value) -> NamedPayload {
    let json = payload.to_string();
    let json = if json.len() <= JSON_BYTES_MAX {
        json
    } else {
        // As a text within JSON each of its bytes takes two at most.
        let room = (JSON_BYTES_MAX - r#"{"truncated":""}"#.len()) / 2;
        serde_json::json!({ "truncated": facts::cut(json, room) }).to_string()
    };
    NamedPayload { name: facts::cut(name.to_owned(), facts::TEXT_BYTES_MAX), json }
}
