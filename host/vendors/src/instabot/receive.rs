//! A request's body to one event, or to the answer that needs none.

use botyard_kernel::event::{Approach, Click, EventBody, Message, Setting, Start, TextFormat};
use botyard_kernel::log::Route;
use serde_json::{Map, Value};

use super::settings::Settings;
use super::verify::Endpoint;
use super::{facts, numbers, refusal, stream, verify};
use crate::fields::Fields;
use crate::webhook::{named, raw};
use crate::written::is_whole;
use crate::{Inbound, Incoming, Received, Rejection};

/// The longest address of e-mail that there is has 254 bytes; the vendor states none.
const EMAIL_BYTES_MAX: usize = 320;
const CALLBACK_BYTES_MAX: usize = 2048;
/// What a reply needs to know must fit into the conversation's state.
const REPLY_TO_BYTES_MAX: usize = 4096;
/// Of a longer text, somebody's paste, the first part is told.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Of a longer text beside a payload, which is nobody's label, too.
const LABEL_BYTES_MAX: usize = 8 * 1024;
/// The param that tells why nothing is posted to the client's callback.
const CALLBACK_UNUSED: &str = "callback-unused";
/// The fields that are secrets: whoever knows the callback's address can speak as we do.
pub(super) const SECRETS: [&str; 3] = ["apiKey", "streamId", "callbackUrl"];

/// Reads a request that was verified.
pub(super) fn receive(settings: &Settings, request: &Inbound<'_>) -> Received {
    read(settings, request).unwrap_or_else(Received::Rejected)
}

fn read(settings: &Settings, request: &Inbound<'_>) -> Result<Received, Rejection> {
    let endpoint = verify::endpoint(settings, request)?;
    let body = verify::body(settings, request)?;
    let incoming = match endpoint {
        Endpoint::User => {
            return Ok(Received::Asked { email: email(settings, &body)?.to_owned() });
        }
        Endpoint::Send if verify::is_start(settings, &body)? => start(settings, request, &body)?,
        Endpoint::Send => respond(settings, request, &body)?,
    };
    Ok(Received::Events { events: vec![incoming], damaged: Vec::new() })
}

/// A new chat, a conversation of its own.
///
/// Nothing tells a repeated start from a second chat of the same person: it has no id,
/// and the same words are what a second chat begins with. So it always is a second
/// chat, and its request is not named: no other request ever comes to this conversation
/// that could be the same one. Whoever lost the answer of the first learns its stream id
/// from a post to the callback URL, if there is one, and else never.
fn start(
    settings: &Settings,
    request: &Inbound<'_>,
    body: &Map<String, Value>,
) -> Result<Incoming, Rejection> {
    let email = email(settings, body)?;
    let callback = callback(settings, body)?;
    let none = Map::new();
    let metadata = match present(body, "metadata") {
        Some(Value::Object(metadata)) => metadata,
        None => &none,
        Some(_) => {
            let reason = "`metadata` must be an object";
            return Err(refusal::malformed(&settings.dialect.errors, reason));
        }
    };
    let mut facts = facts::facts(&settings.dialect, email, metadata);
    if let Callback::Unusable(why) = &callback {
        facts.params.push(Setting::new(CALLBACK_UNUSED, why));
    }
    let callback = callback.address();
    let event = Start { approach: Some(Approach::Normal), first: None, resumed: false };
    let name = stream::new_name(request.chance);
    Ok(Incoming {
        reply_to: Some(reply_to(settings, &name, callback, email)?),
        route: Some(if callback.is_some() { Route::Calls } else { Route::Answers }),
        raw: raw_without_secrets(body),
        facts,
        ..Incoming::new(name, EventBody::Start(event))
    })
}

/// What the person says in a chat: the stream id is all that vouches for them. The
/// facts of the start still hold.
fn respond(
    settings: &Settings,
    request: &Inbound<'_>,
    body: &Map<String, Value>,
) -> Result<Incoming, Rejection> {
    let name = stream::name(verify::stream_id(settings, body)?)
        .ok_or_else(|| refusal::unknown_stream(&settings.dialect.errors))?;
    let refuse = |reason| refusal::malformed(&settings.dialect.errors, reason);
    let message = body.get("message").and_then(Value::as_object);
    let message = message.ok_or_else(|| refuse("`message` must be an object"))?;
    let text = message.get("text").and_then(Value::as_str);
    let text = text.ok_or_else(|| refuse("`message.text` must be a text"))?.to_owned();
    let said = match present(message, "payload") {
        Some(payload) => {
            let number = numbers::whole(payload)
                .ok_or_else(|| refuse("`message.payload` must be a whole number"))?;
            let label = facts::cut(text, LABEL_BYTES_MAX);
            EventBody::Click(Click {
                option_ids: vec![numbers::option_id(number)],
                label: (!label.is_empty()).then_some(label),
                ..Click::default()
            })
        }
        None => EventBody::Message(Message {
            text: facts::cut(text, TEXT_BYTES_MAX),
            format: TextFormat::Plain,
        }),
    };
    Ok(Incoming {
        request: Some(named(request)),
        raw: raw_without_secrets(body),
        ..Incoming::new(name, said)
    })
}

fn email<'a>(settings: &Settings, body: &'a Map<String, Value>) -> Result<&'a str, Rejection> {
    let email = body.get("email").and_then(Value::as_str).unwrap_or_default();
    if email.trim().is_empty() || email.len() > EMAIL_BYTES_MAX {
        return Err(refusal::malformed(
            &settings.dialect.errors,
            format!("`email` must be a text of 1 to {EMAIL_BYTES_MAX} bytes"),
        ));
    }
    Ok(email)
}

/// Where what comes late is posted.
enum Callback<'a> {
    To(&'a str),
    /// The client named none.
    Absent,
    /// The client named something that we post nothing to; why.
    Unusable(String),
}

impl<'a> Callback<'a> {
    fn address(&self) -> Option<&'a str> {
        match self {
            Self::To(url) => Some(url),
            Self::Absent | Self::Unusable(_) => None,
        }
    }
}

/// Where what comes late is posted. An empty one is as good as none. So is one that we
/// cannot use: no page says that a client's start fails for it, and a chat without a
/// callback is a chat all the same.
fn callback<'a>(
    settings: &Settings,
    body: &'a Map<String, Value>,
) -> Result<Callback<'a>, Rejection> {
    if !settings.allow_callbacks {
        return Ok(Callback::Absent);
    }
    let schemes: &[&str] =
        if settings.dialect.plain_callbacks { &["https://", "http://"] } else { &["https://"] };
    let begins = |url: &str| {
        schemes.iter().any(|scheme| {
            url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
    };
    match present(body, "callbackUrl") {
        None => Ok(Callback::Absent),
        Some(Value::String(url)) if url.is_empty() => Ok(Callback::Absent),
        Some(Value::String(url))
            if url.len() <= CALLBACK_BYTES_MAX && begins(url) && is_whole(url) =>
        {
            Ok(Callback::To(url))
        }
        Some(_) => {
            let why = format!(
                "`callbackUrl` must be a whole address of at most {CALLBACK_BYTES_MAX} bytes that \
                 begins with https://"
            );
            if settings.dialect.refuse_callbacks {
                return Err(refusal::malformed(&settings.dialect.errors, why));
            }
            Ok(Callback::Unusable(why))
        }
    }
}

/// What replies need: the stream id as the client knows it, also when the secrets have
/// changed since.
fn reply_to(
    settings: &Settings,
    name: &str,
    callback: Option<&str>,
    email: &str,
) -> Result<String, Rejection> {
    let reply_to = Fields::new()
        .with("stream", settings.streams.sign(name))
        .some("callback", callback)
        .with("email", email);
    let reply_to = Value::from(reply_to).to_string();
    if reply_to.len() > REPLY_TO_BYTES_MAX {
        let reason = "`callbackUrl` and `email` are too long together";
        return Err(refusal::malformed(&settings.dialect.errors, reason));
    }
    Ok(reply_to)
}

/// The payload for the event, without what lets others speak: bots are not to know it.
fn raw_without_secrets(body: &Map<String, Value>) -> Option<String> {
    let told = body.iter().filter(|(name, _)| !SECRETS.contains(&name.as_str()));
    let told: Map<_, _> = told.map(|(name, value)| (name.clone(), value.clone())).collect();
    raw(Value::Object(told).to_string().as_bytes())
}

/// A field; `null` is as good as none.
fn present<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}
