//! Tokens that requests show, and keys that make them count once.

use botyard_kernel::id::Digest;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;

use crate::api::Problem;
use crate::config::Secret;

/// At most so many bytes of an idempotency key.
pub(crate) const KEY_BYTES_MAX: usize = 200;

/// Whether a request shows this token. Without one the door stays shut.
pub(super) fn shows(headers: &HeaderMap, token: Option<&Secret>) -> bool {
    let Some(token) = token else { return false };
    let given = headers.get(AUTHORIZATION).map(http::HeaderValue::as_bytes);
    let given = given.and_then(|given| given.strip_prefix(b"Bearer ")).unwrap_or_default();
    // Digests have one length, so that the comparison tells nothing of the token's.
    let digest = |bytes: &[u8]| *Digest::of(bytes).as_bytes();
    digest(given).ct_eq(&digest(token.expose().as_bytes())).into()
}

/// The key that makes a request count once, however often it is sent.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<&str, Problem> {
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    key.filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX).ok_or_else(|| {
        Problem::bad(
            "send an `Idempotency-Key` of 1 to 200 characters: what comes with the same key is \
             the same, however often it is sent",
        )
    })
}
