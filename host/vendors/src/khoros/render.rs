//! Actions to calls: one action is one call.
//!
//! What a network cannot carry was degraded before: [`super::profile`] names exactly
//! the actions that become a call here. For any other the call asks who owns the
//! conversation, which changes nothing.

use botyard_kernel::action::{
    Action, ContactUpdate, Forward, ForwardTarget, SecureForm, Typing, WorkQueue,
};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::dialect::Attributes;
use super::place::in_url;
use super::reply::ReplyTo;
use super::respond;
use super::{Khoros, NAME};
use crate::fields::{Fields, object};
use crate::{Call, Part, To};

/// "Include charset=utf-8", or emojis suffer.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The call of an action.
pub(super) fn call(khoros: &Khoros, to: &To<'_>, parts: &[Part<'_>]) -> Call {
    let reply = ReplyTo::of(&khoros.settings.app_id, to);
    let made = parts.first().and_then(|part| action(khoros, &reply, part.action));
    let (method, path, body) = made.unwrap_or_else(|| (Method::GET, whose(&reply), None));
    khoros.request(method, &path, body)
}

/// A call of the Bot API.
pub(super) fn request(
    gateway_url: &str,
    token: Option<&HeaderValue>,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Call {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert(http::header::AUTHORIZATION, token.clone());
    }
    // The vendor's own example of a call without a body has the header too.
    if method != Method::GET {
        headers.insert(CONTENT_TYPE, JSON);
    }
    Call {
        method,
        url: format!("{gateway_url}{path}"),
        headers,
        body: body.map(|body| body.to_string().into()).unwrap_or_default(),
    }
}

type Made = (Method, String, Option<Value>);

fn action(khoros: &Khoros, reply: &ReplyTo, action: &Action) -> Option<Made> {
    let dialect = &khoros.settings.dialect;
    let say = |fields: Fields| {
        let body = respond::body(khoros, reply, fields);
        (Method::POST, "/respond".to_owned(), Some(body))
    };
    let put = |path: &str, kind: &str, fields: Fields| about(reply, path, kind, fields);
    Some(match action {
        Action::Message(it) => say(respond::text(&it.text)),
        Action::Bubbles(it) => say(respond::bubbles(khoros, reply, it)),
        Action::ButtonTemplate(it) => say(respond::button_template(khoros, reply, it)),
        Action::ListTemplate(it) => say(respond::list(&dialect.list, it)),
        // The profile has cards only where there are list pickers.
        Action::Carousel(it) => say(respond::carousel(&dialect.list, it)),
        Action::RichLink(it) => say(respond::rich_link(it)),
        Action::Media(it) => say(respond::media(dialect, it)),
        Action::Passthrough(it) if it.vendor == NAME => say(respond::passthrough(it)),
        Action::Typing(it) => (Method::POST, "/respond".to_owned(), Some(typing_body(reply, *it))),
        Action::Forward(it) => put("/control", "control", control(it)),
        Action::Abort => put("/control", "control", agent()),
        Action::NoteCreate(it) => put("/note", "note", Fields::new().with("note", &*it.text)),
        Action::Tag(tags) => put("/tag", "tag", tagged(tags)),
        Action::Untag(tags) => put("/tag/remove", "remove_tag", tagged(tags)),
        Action::Priority(it) => {
            put("/priority", "priority", Fields::new().with("newPriority", *it))
        }
        Action::WorkQueue(it) => put("/workqueue", "workqueue", work_queue(reply, it)),
        Action::Resolve(it) => {
            put("/resolve", "resolve", Fields::new().some("comment", it.comment.as_deref()))
        }
        Action::End => put("/resolve", "resolve", Fields::new()),
        Action::SecureForm(it) => {
            let (_, path, body) = put("/form", "secure_form", form(&dialect.form_comment, it));
            (Method::POST, path, body)
        }
        Action::ContactUpdate(it) => {
            let form = &dialect.attributes;
            let fields = at(&form.place, attributes(form, it));
            put("/authors/attributes", &form.kind, fields)
        }
        Action::Buttons(_)
        | Action::Navigate(_)
        | Action::Delay(_)
        | Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::ConversationUpdate(_)
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_)
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_)
        | Action::Passthrough(_)
        | Action::Other(_) => return None,
    })
}

fn typing_body(reply: &ReplyTo, typing: Typing) -> Value {
    let kind = match typing {
        Typing::Start => "typing_start",
        Typing::Stop => "typing_stop",
    };
    Fields::new()
        .with("coordinate", reply.coordinate_of_typing())
        .with("author", json!(reply.author))
        .with("type", kind)
        .into()
}

/// A call about the conversation.
fn about(reply: &ReplyTo, path: &str, kind: &str, fields: Fields) -> Made {
    let mut body = Map::new();
    if !kind.is_empty() {
        body.insert("type".to_owned(), kind.into());
    }
    body.insert("coordinate".to_owned(), reply.coordinate.clone().into());
    body.insert("author".to_owned(), json!(reply.author));
    if let Value::Object(fields) = fields.into() {
        body.extend(fields);
    }
    (Method::PUT, path.to_owned(), Some(body.into()))
}

/// Agents cannot be named in this API: whom the bot meant is what they read.
fn control(forward: &Forward) -> Fields {
    match &forward.target {
        ForwardTarget::Any => agent(),
        ForwardTarget::Group(name) | ForwardTarget::Human(name) => agent().with("comment", &**name),
        ForwardTarget::Skills(names) => agent().with("comment", names.join(", ")),
        ForwardTarget::Bot(app_id) => {
            Fields::new().with("owner", json!({ "type": "BOT", "appId": app_id }))
        }
    }
}

fn agent() -> Fields {
    Fields::new().with("owner", json!({ "type": "AGENT" }))
}

fn tagged(tags: &[String]) -> Fields {
    let ids = tags.iter().map(|tag| number(tag)).collect::<Vec<_>>();
    Fields::new().with("entityType", "POST").with("tagIds", ids)
}

fn work_queue(reply: &ReplyTo, work: &WorkQueue) -> Fields {
    Fields::new()
        .with("newWorkQueue", number(&work.queue))
        .some("comment", work.comment.as_deref())
        .some("conversationDisplayId", reply.display_id)
}

fn form(usual: &str, form: &SecureForm) -> Fields {
    let comment = form.text.as_deref().filter(|text| !text.trim().is_empty());
    Fields::new().with("comment", comment.unwrap_or(usual)).with("secureFormId", &*form.form)
}

/// Khoros has numbers for ids here. What is none goes as it is, and Khoros says so.
fn number(id: &str) -> Value {
    id.trim().parse::<u64>().map_or_else(|_| Value::from(id), Value::from)
}

/// A value at this place of a body.
fn at(place: &str, value: Value) -> Fields {
    let mut steps = place.split('/').filter(|step| !step.is_empty());
    let Some(first) = steps.next() else { return Fields::new() };
    let nested = steps
        .rev()
        .fold(value, |inner, step| Value::Object(Map::from_iter([(step.to_owned(), inner)])));
    Fields::new().with(first, nested)
}

fn attributes(names: &Attributes, update: &ContactUpdate) -> Value {
    let written = |text: &str| if names.lists { json!([text]) } else { json!(text) };
    let known = [
        (&names.name, &update.name),
        (&names.email, &update.email),
        (&names.mobile_number, &update.mobile_number),
        (&names.external_customer_id, &update.external_customer_id),
    ];
    let mut attributes = Map::new();
    for (name, value) in known {
        if let Some(value) = value {
            attributes.insert(name.clone(), written(value));
        }
    }
    let custom = update.custom_fields.as_deref().and_then(object).unwrap_or_default();
    for (name, value) in custom {
        let text = match value {
            Value::String(text) => text,
            Value::Null => continue,
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                value.to_string()
            }
        };
        attributes.insert(name, written(&text));
    }
    attributes.into()
}

fn whose(reply: &ReplyTo) -> String {
    let text = |key: &str| reply.coordinate.get(key).and_then(Value::as_str).unwrap_or_default();
    format!(
        "/control/network/{}/externalId/{}/author/{}",
        in_url(text("networkKey")),
        in_url(text("externalId")),
        in_url(&reply.author.id)
    )
}
