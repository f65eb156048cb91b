//! Actions to packets, and packets to a list that Userlike takes.
//!
//! What a medium cannot carry was degraded before: [`super::profile`] names
//! exactly the actions that become a packet here. Any other has none and is
//! left out of the list.

use botyard_kernel::action::{
    Action, Buttons, ContactUpdate, ConversationUpdate, Delay, EmailRecipient, Forward,
    ForwardTarget, Message, NoteCreate, OnFailure, Passthrough,
};
use botyard_kernel::time::{Millis, SECOND};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::dialect::{Dialect, EmptyAnswer};
use super::fields::{id, text_format};
use super::settings::Settings;
use super::{NAME, choices};
use crate::fields::{Fields, object};
use crate::{Call, Part, Reply};

const JSON: &str = "application/json";
/// Not the header of webhooks: that one is called `API-SECURITY-TOKEN` and
/// carries another secret.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("security-token");

/// The answer of a webhook.
pub(super) fn answer(dialect: &Dialect, cid: &str, parts: &[Part<'_>]) -> Reply {
    let events = events(dialect, cid, parts);
    let silent = events.is_empty() && dialect.empty_answer == EmptyAnswer::Nothing;
    let body = if silent { Bytes::new() } else { list(events) };
    Reply { status: StatusCode::OK, content_type: JSON, body }
}

/// The call to the bot's API URL.
pub(super) fn call(settings: &Settings, cid: &str, parts: &[Part<'_>]) -> Call {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(TOKEN_HEADER, settings.api_token.clone());
    Call {
        method: Method::POST,
        url: settings.api_url.clone(),
        headers,
        body: list(events(&settings.dialect, cid, parts)),
    }
}

fn list(events: Vec<Value>) -> Bytes {
    Bytes::from(Value::Array(events).to_string())
}

fn events(dialect: &Dialect, cid: &str, parts: &[Part<'_>]) -> Vec<Value> {
    let event = |part: &Part<'_>| {
        let packet = packet(dialect, part.action)?;
        Some(json!({ "info": info(cid, part.context), "packet": packet }))
    };
    parts.iter().filter_map(event).collect()
}

/// Userlike ignores an empty context, so none is sent.
fn info(cid: &str, context: Option<&str>) -> Value {
    let context = context.and_then(object).filter(|context| !context.is_empty());
    Fields::new().with("cid", cid).some("context", context).into()
}

/// An action as a packet; `None` for what Userlike has no word for.
pub(super) fn packet(dialect: &Dialect, action: &Action) -> Option<Value> {
    let keys = &dialect.keys;
    let (name, payload) = match action {
        Action::Message(it) => ("message", message(it)),
        Action::Bubbles(it) => ("bubbles", choices::bubbles(dialect, it)),
        Action::Carousel(it) => ("carousel", choices::carousel(keys, it)),
        Action::ButtonTemplate(it) => ("button_template", choices::button_template(keys, it)),
        Action::ListTemplate(it) => ("list_template", choices::list_template(keys, it)),
        Action::Buttons(it) => buttons(dialect, it),
        Action::Media(it) => ("media", Fields::new().with("link", &*it.link)),
        Action::Navigate(it) => ("navigate", Fields::new().with(&keys.navigate_link, &*it.link)),
        Action::Delay(it) => ("delay", delay(dialect, it)),
        Action::ContactUpdate(it) => ("contact_update", contact_update(it)),
        Action::ConversationUpdate(it) => ("conversation_update", conversation_update(it)),
        Action::NoteCreate(it) => ("note_create", note_create(dialect, it)),
        Action::Forward(it) => forward(dialect, it)?,
        Action::Abort => ("abort", Fields::new()),
        Action::End => ("end", Fields::new()),
        Action::AddonDispatch(it) => {
            ("addon_dispatch", Fields::new().with(&keys.addon, &*it.addon))
        }
        Action::EmailDispatch(it) => ("email_dispatch", email_dispatch(dialect, &it.recipient)),
        Action::Passthrough(it) => return passthrough(it),
        Action::RichLink(_)
        | Action::Typing(_)
        | Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::Tag(_)
        | Action::Untag(_)
        | Action::Priority(_)
        | Action::WorkQueue(_)
        | Action::Resolve(_)
        | Action::SecureForm(_)
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_)
        | Action::Other(_) => return None,
    };
    Some(json!({ "name": name, "payload": Value::from(payload) }))
}

fn message(message: &Message) -> Fields {
    Fields::new().with("body", &*message.text).some("text_format", text_format(message.format))
}

fn buttons(dialect: &Dialect, buttons: &Buttons) -> (&'static str, Fields) {
    let keys = &dialect.keys;
    if dialect.single_button_as_button
        && let (None, [only]) = (&buttons.text, buttons.links.as_slice())
    {
        let payload = Fields::new()
            .with(&keys.single_button_body, &*only.label)
            .with(&keys.single_button_link, &*only.link);
        return ("button", payload);
    }
    let links = buttons.links.iter().map(|it| {
        let link = Fields::new().with(&keys.link_body, &*it.label);
        link.with(&keys.link_address, &*it.link).into()
    });
    let payload = Fields::new()
        .some(&keys.buttons_text, buttons.text.as_deref())
        .with(&keys.link_buttons, links.collect::<Vec<Value>>());
    ("buttons", payload)
}

/// How finely delays are told: the kernel closes the queue for what the vendor
/// waits, not for what the bot asked for.
pub(super) fn delay_step_ms(dialect: &Dialect) -> Millis {
    if dialect.delay_fractions { 1 } else { SECOND }
}

/// The typing indicator shows by default, so only its absence is said.
fn delay(dialect: &Dialect, delay: &Delay) -> Fields {
    let told_ms = u64::from(delay.delay_ms).next_multiple_of(delay_step_ms(dialect));
    let seconds = if told_ms.is_multiple_of(SECOND) {
        Value::from(told_ms / SECOND)
    } else {
        Value::from(f64::from(delay.delay_ms) / 1_000.0)
    };
    Fields::new()
        .with(&dialect.keys.delay, seconds)
        .some(&dialect.keys.delay_typing, (!delay.typing).then_some(false))
}

fn contact_update(update: &ContactUpdate) -> Fields {
    Fields::new()
        .some("name", update.name.as_deref())
        .some("email", update.email.as_deref())
        .some("mobile_number", update.mobile_number.as_deref())
        .some("external_customer_id", update.external_customer_id.as_deref())
        .some("custom_fields", update.custom_fields.as_deref().and_then(object))
}

fn conversation_update(update: &ConversationUpdate) -> Fields {
    Fields::new()
        .some("subject", update.subject.as_deref())
        .some("topics", update.topics.clone())
        .some("locale", update.locale.as_deref())
        .some("custom_fields", update.custom_fields.as_deref().and_then(object))
}

fn note_create(dialect: &Dialect, note: &NoteCreate) -> Fields {
    let contact = note.contact_id.as_deref().map(|it| id(dialect, it));
    Fields::new().with(&dialect.keys.note_text, &*note.text).some("contact_identity_id", contact)
}

/// Agents and other bots cannot be named in this API. Without `feedback`
/// Userlike unassigns the conversation, which is what `unassign` asks for. For
/// skills the vendor documents no feedback: they have it where the dialect says so.
fn forward(dialect: &Dialect, forward: &Forward) -> Option<(&'static str, Fields)> {
    let feedback = match forward.on_failure {
        Some(OnFailure::Feedback) => Some("feedback"),
        Some(OnFailure::Unassign) | None => None,
    };
    let keys = &dialect.keys;
    match &forward.target {
        ForwardTarget::Any => Some(("forward_any", Fields::new().some("on_failure", feedback))),
        ForwardTarget::Group(group) => {
            let payload = Fields::new().with(&keys.group, id(dialect, group));
            Some(("forward_group", payload.some("on_failure", feedback)))
        }
        ForwardTarget::Skills(skills) => {
            let skills = skills.iter().map(|skill| id(dialect, skill)).collect::<Vec<_>>();
            let feedback = feedback.filter(|_| dialect.skills_feedback);
            let payload = Fields::new().with(&keys.skills, skills);
            Some(("forward_skills", payload.some("on_failure", feedback)))
        }
        ForwardTarget::Human(_) | ForwardTarget::Bot(_) => None,
    }
}

fn email_dispatch(dialect: &Dialect, recipient: &EmailRecipient) -> Fields {
    let keys = &dialect.keys;
    let recipient = match recipient {
        EmailRecipient::Contact => {
            Fields::new().with(&keys.recipient_type, &*keys.recipient_type_contact)
        }
        EmailRecipient::Operator(operator) => Fields::new()
            .with(&keys.recipient_type, &*keys.recipient_type_operator)
            .with(&keys.recipient_id, id(dialect, operator)),
    };
    Fields::new().with(&keys.recipient, Value::from(recipient))
}

/// The bot's own packet, as it is: whether Userlike knows it, Userlike says.
fn passthrough(passthrough: &Passthrough) -> Option<Value> {
    if passthrough.vendor != NAME {
        return None;
    }
    object(&passthrough.json).map(Value::Object)
}
