//! Whether a webhook really comes from the vendor, and on behalf of this app.

use std::borrow::Cow;

use botyard_kernel::id::Digest;
use botyard_kernel::run::Blame;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use sha2::Sha256;
use url::form_urlencoded;

use super::settings::Settings;
use crate::webhook::{bad, unauthorized};
use crate::{Inbound, Rejection, Reply};

/// The header that carries the signature of the body.
const SIGNATURE: &str = "x-hub-signature-256";
/// What the query names the token by which the webhook is subscribed.
pub(super) const TOKEN: &str = "hub.verify_token";
/// A longer challenge is not the vendor's.
const CHALLENGE_BYTES_MAX: usize = 1024;

/// Refuses what does not show the channel's token or carry a signature of its app.
pub(super) fn verify(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    match *request.method {
        Method::GET => token(settings, request),
        Method::POST => signature(settings, request),
        _ => Err(Rejection {
            status: StatusCode::METHOD_NOT_ALLOWED,
            reason: "Messenger webhooks are GET and POST requests".to_owned(),
            blame: Blame::Vendor,
        }),
    }
}

/// The answer to the request by which the vendor subscribes the webhook, once it has
/// shown the token.
pub(super) fn challenge(request: &Inbound<'_>) -> Result<Reply, Rejection> {
    if named(request, "hub.mode").as_deref() != Some("subscribe") {
        return Err(forbidden("`hub.mode` is not `subscribe`, the only one there is"));
    }
    let challenge = named(request, "hub.challenge").unwrap_or_default();
    if challenge.is_empty() || challenge.len() > CHALLENGE_BYTES_MAX {
        return Err(bad(format!(
            "`hub.challenge` must be a text of 1 to {CHALLENGE_BYTES_MAX} bytes"
        )));
    }
    let body = Bytes::from(challenge.into_owned());
    Ok(Reply { status: StatusCode::OK, content_type: "text/plain", body })
}

fn token(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    let token = named(request, TOKEN).unwrap_or_default();
    if settings.verify_tokens.know(token.as_bytes()) {
        return Ok(());
    }
    Err(forbidden(
        "`hub.verify_token` is not the channel's `verify-token`: type the same in where the \
         webhook is subscribed",
    ))
}

/// The first of this name in the query.
fn named<'a>(request: &Inbound<'a>, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(request.query.unwrap_or_default().as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Refuses a body whose signature none of the app's secrets gives. The bytes are
/// signed as they came: the vendor escapes what is not ASCII in a way of its own.
fn signature(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    let Some(value) = request.headers.get(SIGNATURE) else {
        return Err(unauthorized(format!(
            "the header `{SIGNATURE}` is missing: only the vendor, with an app that has a secret, \
             may call this webhook"
        )));
    };
    let hex = value.to_str().ok().and_then(|value| value.strip_prefix("sha256="));
    let Some(signature) = hex.and_then(Digest::from_hex) else {
        return Err(unauthorized(format!(
            "the header `{SIGNATURE}` is not `sha256=` and 64 hexadecimal digits"
        )));
    };
    // Each secret is tried, so that the time tells nothing about which one it is.
    let secrets = settings.app_secrets.iter();
    if secrets.fold(false, |any, secret| any | signs(secret, request.body, &signature)) {
        return Ok(());
    }
    Err(unauthorized(format!(
        "the header `{SIGNATURE}` does not fit the body: compare `app-secret` with the app's \
         secret in the Meta dashboard"
    )))
}

/// Compares in constant time.
fn signs(secret: &str, body: &Bytes, signature: &Digest) -> bool {
    // Keys of any length are keys.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(body);
    mac.verify_slice(signature.as_bytes()).is_ok()
}

fn forbidden(reason: &str) -> Rejection {
    Rejection { status: StatusCode::FORBIDDEN, reason: reason.to_owned(), blame: Blame::Tenant }
}
