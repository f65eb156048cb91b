//! Actions to messages: in an answer with options to tap, in a callback as text.
//!
//! What the vendor cannot carry was degraded before: [`super::profile`] names exactly
//! the actions that become a message here. Any other has none and is left out.

use botyard_kernel::action::{Action, Bubbles, Passthrough};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Map, Value, json};

use super::stream::StreamKeys;
use super::{NAME, token_number};
use crate::fields::{Fields, object};
use crate::{Call, Part, Reply, To};

const JSON: &str = "application/json";

/// The answer of a request. One that is for no chat names none.
pub(super) fn answer(streams: &StreamKeys, to: &To<'_>, parts: &[Part<'_>]) -> Reply {
    let messages: Vec<Value> = parts.iter().filter_map(|part| message(part.action)).collect();
    let stream_id = (!to.conversation.is_empty()).then(|| stream_id(streams, to));
    let body = Fields::new().with("messages", messages).some("streamId", stream_id);
    Reply {
        status: StatusCode::OK,
        content_type: JSON,
        body: Bytes::from(Value::from(body).to_string()),
    }
}

/// The post to the callback URL of the chat. Without one there is no address: such
/// chats have the route of answers, and no call is made for them.
pub(super) fn call(streams: &StreamKeys, to: &To<'_>, parts: &[Part<'_>]) -> Call {
    let texts: Vec<String> = parts.iter().filter_map(|part| text(part.action)).collect();
    let body = json!({ "streamId": stream_id(streams, to), "text": texts.join("\n\n") });
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    Call {
        method: Method::POST,
        url: told(to, "callback").unwrap_or_default(),
        headers,
        body: Bytes::from(body.to_string()),
    }
}

/// The stream id that the client knows. An answer of a start may leave before that is
/// noted, and is signed anew: the same secret gives the same signature.
fn stream_id(streams: &StreamKeys, to: &To<'_>) -> String {
    told(to, "stream").unwrap_or_else(|| streams.sign(to.conversation))
}

/// What the start said for replies.
fn told(to: &To<'_>, what: &str) -> Option<String> {
    let mut reply_to = object(to.reply_to?)?;
    match reply_to.shift_remove(what)? {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// An action as a message; `None` for what Instabot has no word for.
pub(super) fn message(action: &Action) -> Option<Value> {
    carried(action).map(|carried| match carried {
        Carried::Text(text) => Fields::new().with("text", text).into(),
        Carried::Menu(menu) => Fields::new()
            .with("text", &*menu.text)
            .with("quick_replies", quick_replies(menu))
            .into(),
        Carried::Own(message) => Value::Object(message),
    })
}

fn quick_replies(menu: &Bubbles) -> Vec<Value> {
    let reply = |id: &str, label: &str| json!({ "content_type": "text", "title": label, "payload": token_number(id) });
    menu.options.iter().map(|option| reply(&option.id, &option.label)).collect()
}

/// An action as text alone: options are numbered, as everywhere where none can be
/// tapped, and the bot's fallback stands for what is above them.
fn text(action: &Action) -> Option<String> {
    carried(action).map(|carried| match carried {
        Carried::Text(text) => text.to_owned(),
        Carried::Menu(menu) => {
            let fallback = menu.fallback.as_deref().filter(|text| !text.trim().is_empty());
            let labels = menu.options.iter().map(|option| &*option.label);
            numbered(fallback.unwrap_or(&menu.text), labels)
        }
        Carried::Own(message) => {
            let text = message.get("text").and_then(Value::as_str).unwrap_or_default();
            let replies = message.get("quick_replies").and_then(Value::as_array);
            let titles = replies.into_iter().flatten().filter_map(|it| it.get("title")?.as_str());
            numbered(text, titles)
        }
    })
}

fn numbered<'a>(text: &str, labels: impl Iterator<Item = &'a str>) -> String {
    let lines = (1..).zip(labels).map(|(n, label)| format!("\n{n}. {label}"));
    lines.fold(text.to_owned(), |all, line| all + &line)
}

/// What becomes a message.
enum Carried<'a> {
    Text(&'a str),
    Menu(&'a Bubbles),
    /// The bot's own message, as it is.
    Own(Map<String, Value>),
}

fn carried(action: &Action) -> Option<Carried<'_>> {
    match action {
        Action::Message(it) => Some(Carried::Text(&it.text)),
        Action::Bubbles(it) => Some(Carried::Menu(it)),
        Action::Passthrough(it) => passthrough(it),
        Action::Carousel(_)
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
        | Action::Other(_) => None,
    }
}

fn passthrough(passthrough: &Passthrough) -> Option<Carried<'_>> {
    if passthrough.vendor != NAME {
        return None;
    }
    object(&passthrough.json).map(Carried::Own)
}
