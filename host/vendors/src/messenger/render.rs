//! Actions to calls: one action a call.
//!
//! What a medium cannot carry was degraded before: [`super::profile`] names exactly
//! the actions that have a form here.

use botyard_kernel::action::{Action, Bubbles, Forward, ForwardTarget, Media, Passthrough, Typing};
use botyard_kernel::time::Millis;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use super::settings::Settings;
use super::templates;
use crate::fields::{Fields, object};
use crate::{Call, Part, To};

/// Where messages go.
const MESSAGES: &str = "messages";
/// The calls for the control of a thread, which a bot may make itself.
const CONTROL: [&str; 4] = [
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "release_thread_control",
];
const PASS: &str = CONTROL[0];
const TAKE: &str = CONTROL[1];
/// Keys by which a bot's own packet is a whole body of the Send API and not only its
/// `message`.
const BODY_KEYS: [&str; 4] = ["message", "sender_action", "messaging_type", "tag"];

/// The call for a part. `now` is when it leaves, where that is known.
pub(super) fn call(
    settings: &Settings,
    vendor: &str,
    to: &To<'_>,
    parts: &[Part<'_>],
    now: Option<Millis>,
) -> Call {
    let kind = Kind::of(&settings.dialect, to.reply_to, now);
    let made = parts.first().and_then(|it| packet(&settings.dialect, vendor, &kind, it.action));
    // Nothing that reaches this has no form. If it had, the vendor's refusal would end
    // it as a dead letter: nothing is left out in silence.
    let (edge, packet) = made.unwrap_or_default();
    let edge = if edge.is_empty() { MESSAGES } else { edge };
    let mut body = Map::new();
    body.insert("recipient".to_owned(), json!({ "id": person(to.conversation) }));
    body.extend(packet);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(AUTHORIZATION, settings.authorization.clone());
    Call {
        method: Method::POST,
        url: format!("{}/me/{edge}", settings.graph_url),
        headers,
        body: Bytes::from(Value::Object(body).to_string()),
    }
}

/// The person's id in the key of a conversation.
fn person(conversation: &str) -> &str {
    conversation.split_once(':').map_or(conversation, |(_, person)| person)
}

/// What the vendor calls a message: whether it stands within the window after the
/// person's last word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind<'a> {
    messaging_type: &'a str,
    tag: Option<&'a str>,
}

impl<'a> Kind<'a> {
    /// Where the last word is not known, or there is no tag for what comes late, it is
    /// the vendor that says no.
    pub(super) fn of(dialect: &'a Dialect, reply_to: Option<&str>, now: Option<Millis>) -> Self {
        let last: Option<Value> = reply_to.and_then(|it| serde_json::from_str(it).ok());
        let last_ms = last.as_ref().and_then(|it| it.get("last_ms")).and_then(Value::as_u64);
        let late = match (last_ms, now) {
            (Some(last_ms), Some(now)) => now >= last_ms.saturating_add(dialect.window_ms),
            _ => false,
        };
        if late && !dialect.tag.is_empty() {
            return Self { messaging_type: "MESSAGE_TAG", tag: Some(&dialect.tag) };
        }
        Self { messaging_type: &dialect.messaging_type, tag: None }
    }

    fn message(&self, message: impl Into<Value>) -> Map<String, Value> {
        let fields = Fields::new().with("messaging_type", self.messaging_type);
        entries(fields.some("tag", self.tag).with("message", message))
    }
}

/// An action as what follows the recipient, with the edge that it goes to; `None` for
/// what the vendor has no form for.
pub(super) fn packet(
    dialect: &Dialect,
    vendor: &str,
    kind: &Kind<'_>,
    action: &Action,
) -> Option<(&'static str, Map<String, Value>)> {
    let message = match action {
        Action::Message(it) => json!({ "text": it.text }),
        Action::Bubbles(it) => bubbles(it),
        Action::Carousel(it) => templates::carousel(dialect, it),
        Action::ButtonTemplate(it) => templates::button_template(it),
        Action::Buttons(it) => templates::buttons(it),
        Action::RichLink(it) => templates::rich_link(it),
        Action::Media(it) => media(it),
        Action::Typing(it) => {
            let sign = match it {
                Typing::Start => "typing_on",
                Typing::Stop => "typing_off",
            };
            return Some((MESSAGES, entries(Fields::new().with("sender_action", sign))));
        }
        Action::Forward(it) => return forward(dialect, it),
        Action::Passthrough(it) => return passthrough(vendor, kind, it),
        Action::ListTemplate(_)
        | Action::Navigate(_)
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
        | Action::Abort
        | Action::End
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_)
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_)
        | Action::Other(_) => return None,
    };
    Some((MESSAGES, kind.message(message)))
}

fn bubbles(bubbles: &Bubbles) -> Value {
    let replies = bubbles.options.iter().map(
        |option| json!({ "content_type": "text", "title": option.label, "payload": option.id }),
    );
    json!({ "text": bubbles.text, "quick_replies": replies.collect::<Vec<_>>() })
}

/// The vendor wants to know which kind of file stands at the address.
fn media(media: &Media) -> Value {
    let kind = media.mime_type.as_deref().and_then(kind_of_type);
    let kind = kind.or_else(|| kind_of_name(&media.link)).unwrap_or("file");
    json!({ "attachment": { "type": kind, "payload": { "url": media.link } } })
}

fn kind_of_type(mime_type: &str) -> Option<&'static str> {
    let (kind, _) = mime_type.split_once('/')?;
    ["image", "video", "audio"].into_iter().find(|known| kind.eq_ignore_ascii_case(known))
}

fn kind_of_name(link: &str) -> Option<&'static str> {
    let path = link.split(['?', '#']).next()?;
    let (_, file) = path.rsplit_once('/')?;
    let (_, extension) = file.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "png" | "gif" | "webp" => Some("image"),
        "mp4" | "mov" | "webm" => Some("video"),
        "mp3" | "m4a" | "ogg" | "wav" | "aac" => Some("audio"),
        _ => None,
    }
}

/// A thread is passed to an app: the page's inbox, where humans are, or the one that
/// the bot names. Groups, skills and agents are nothing to the vendor.
fn forward(dialect: &Dialect, forward: &Forward) -> Option<(&'static str, Map<String, Value>)> {
    let app = match &forward.target {
        ForwardTarget::Any => &dialect.inbox_app_id,
        ForwardTarget::Bot(app) => app,
        ForwardTarget::Group(_) | ForwardTarget::Skills(_) | ForwardTarget::Human(_) => {
            return None;
        }
    };
    let app = app.parse::<u64>().map_or_else(|_| Value::from(&**app), Value::from);
    let metadata = Some(&*dialect.hand_off_metadata).filter(|text| !text.is_empty());
    let fields = Fields::new().with("target_app_id", app).some("metadata", metadata);
    Some((PASS, entries(fields)))
}

/// The packet by which the app takes a thread that another one controls.
pub(super) fn take_thread(vendor: &str) -> Passthrough {
    Passthrough { vendor: vendor.to_owned(), json: json!({ TAKE: {} }).to_string() }
}

/// The bot's own packet: a call for the control of the thread by its name, a whole
/// body, or only a `message`. Whom it goes to is not the bot's to say.
fn passthrough(
    vendor: &str,
    kind: &Kind<'_>,
    passthrough: &Passthrough,
) -> Option<(&'static str, Map<String, Value>)> {
    let mut packet = object(&passthrough.json).filter(|_| passthrough.vendor == vendor)?;
    for edge in CONTROL {
        if let Some(Value::Object(mut inner)) = packet.remove(edge) {
            inner.remove("recipient");
            return Some((edge, inner));
        }
    }
    packet.remove("recipient");
    if !BODY_KEYS.iter().any(|key| packet.contains_key(*key)) {
        return Some((MESSAGES, kind.message(packet)));
    }
    if packet.contains_key("message") && !packet.contains_key("messaging_type") {
        packet.insert("messaging_type".to_owned(), Value::from(kind.messaging_type));
        if let Some(tag) = kind.tag {
            packet.insert("tag".to_owned(), Value::from(tag));
        }
    }
    Some((MESSAGES, packet))
}

fn entries(fields: Fields) -> Map<String, Value> {
    match Value::from(fields) {
        Value::Object(entries) => entries,
        // Fields are an object.
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}
