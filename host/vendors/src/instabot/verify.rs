//! Whether a request may be made at all.
//!
//! The vendor signs nothing and sends no header: the secrets stand in the body, the API
//! key where a chat begins or a user is asked for, the stream id after that. So the
//! body is read before they can be compared.

use http::Method;
use serde_json::{Map, Value};

use super::numbers::whole;
use super::refusal;
use super::settings::Settings;
use crate::{Inbound, Rejection};

/// Refuses whoever shows no secret of this channel.
pub(super) fn verify(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    let endpoint = endpoint(settings, request)?;
    let body = body(settings, request)?;
    match endpoint {
        Endpoint::User => key(settings, &body),
        Endpoint::Send if is_start(settings, &body)? => {
            key(settings, &body)?;
            bot(settings, &body)
        }
        Endpoint::Send => stream(settings, &body),
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `/secure/send`: a chat begins or goes on.
    Send,
    /// `/secure/user`: what is known of a person.
    User,
}

/// Refuses other addresses and methods than the vendor's.
pub(super) fn endpoint(settings: &Settings, request: &Inbound<'_>) -> Result<Endpoint, Rejection> {
    let errors = &settings.dialect.errors;
    let endpoint = match request.rest {
        "secure/send" => Endpoint::Send,
        "secure/user" => Endpoint::User,
        _ => return Err(refusal::unknown_path(errors)),
    };
    if request.method == Method::POST { Ok(endpoint) } else { Err(refusal::wrong_method(errors)) }
}

/// Refuses whoever does not know the API key.
fn key(settings: &Settings, body: &Map<String, Value>) -> Result<(), Rejection> {
    let refuse = |reason| Err(refusal::wrong_key(&settings.dialect.errors, reason));
    match body.get("apiKey") {
        Some(Value::String(key)) if settings.api_keys.know(key.as_bytes()) => Ok(()),
        Some(Value::String(_)) => {
            refuse("`apiKey` is wrong: compare it with the channel's setting `api-key`")
        }
        Some(Value::Null) | None => refuse("`apiKey` is missing"),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            refuse("`apiKey` must be a text")
        }
    }
}

/// Refuses chats with another bot.
fn bot(settings: &Settings, body: &Map<String, Value>) -> Result<(), Rejection> {
    let errors = &settings.dialect.errors;
    let given = body.get("botId").unwrap_or(&Value::Null);
    match given.as_u64().or_else(|| u64::try_from(whole(given)?).ok()) {
        Some(bot_id) if bot_id == settings.bot_id => Ok(()),
        Some(_) => Err(refusal::unknown_bot(errors)),
        None => Err(refusal::malformed(errors, "`botId` must be a whole number")),
    }
}

/// Refuses stream ids that we did not make.
fn stream(settings: &Settings, body: &Map<String, Value>) -> Result<(), Rejection> {
    let known = settings.streams.name(stream_id(settings, body)?);
    known.map(|_| ()).ok_or_else(|| refusal::unknown_stream(&settings.dialect.errors))
}

/// What a chat that goes on shows.
pub(super) fn stream_id<'a>(
    settings: &Settings,
    body: &'a Map<String, Value>,
) -> Result<&'a str, Rejection> {
    let refuse =
        || refusal::malformed(&settings.dialect.errors, "`streamId` must be a text of digits");
    body.get("streamId").and_then(Value::as_str).ok_or_else(refuse)
}

/// The body: an object.
pub(super) fn body(
    settings: &Settings,
    request: &Inbound<'_>,
) -> Result<Map<String, Value>, Rejection> {
    let errors = &settings.dialect.errors;
    match serde_json::from_slice(request.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(refusal::malformed(errors, "the body must be a JSON object")),
        Err(error) => Err(refusal::malformed(errors, format!("the body is not JSON: {error}"))),
    }
}

/// Whether a chat begins with this.
pub(super) fn is_start(settings: &Settings, body: &Map<String, Value>) -> Result<bool, Rejection> {
    let refuse = |reason| Err(refusal::malformed(&settings.dialect.errors, reason));
    match body.get("start").filter(|start| !start.is_null()) {
        Some(Value::Bool(true)) => Ok(true),
        Some(Value::Bool(false)) | None if body.contains_key("streamId") => Ok(false),
        Some(Value::Bool(false)) | None => {
            refuse("a chat begins with `start`: true and goes on with its `streamId`")
        }
        Some(_) => refuse("`start` must be true or false"),
    }
}
