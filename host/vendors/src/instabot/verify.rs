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
pub(super) fn key(settings: &Settings, body: &Map<String, Value>) -> Result<(), Rejection> {
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
pub(super) fn bot(settings: &Settings, body: &Map<String, Value>) -> Result<(), Rejection> {
    let errors = &settings.dialect.errors;
    let given = body.get("botId").unwrap_or(&Value::Null);
    match given.as_u64().or_else(|| u64::try_from(whole(given)?).ok()) {
        Some(bot_id) if bot_id == settings.bot_id => Ok(()),
        Some(_) => Err(refusal::unknown_bot(errors)),
        None => Err(refusal::malformed(errors, "`botId` must be a whole number")),
    }
}

/// The name of the conversation. Refuses stream ids that we did not make.
pub(super) fn stream<'a>(settings: &Settings, stream_id: &'a Value) -> Result<&'a str, Rejection> {
    let errors = &settings.dialect.errors;
    let Some(stream_id) = stream_id.as_str() else {
        return Err(refusal::malformed(errors, "`streamId` must be a text of digits"));
    };
    settings.streams.name(stream_id).ok_or_else(|| refusal::unknown_stream(errors))
}
