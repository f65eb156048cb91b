//! What reading a webhook has in common, whoever sends it.

use botyard_kernel::event::RAW_BYTES_MAX;
use botyard_kernel::id::Digest;
use botyard_kernel::run::Blame;
use http::{Method, StatusCode};

use crate::{Inbound, Rejection};

/// The same name for the same method, URL and body.
pub(crate) fn named(request: &Inbound<'_>) -> Digest {
    let url = match request.query {
        Some(query) => format!("{}?{query}", request.rest),
        None => request.rest.to_owned(),
    };
    Digest::of_parts([request.method.as_str().as_bytes(), url.as_bytes(), request.body.as_ref()])
}

/// The payload for the event, where it is a text and not too long.
pub(crate) fn raw(body: &[u8]) -> Option<String> {
    if body.len() > RAW_BYTES_MAX {
        return None;
    }
    std::str::from_utf8(body).ok().map(str::to_owned)
}

/// The vendor sent what its document does not allow.
pub(crate) fn bad(reason: impl Into<String>) -> Rejection {
    Rejection { status: StatusCode::BAD_REQUEST, reason: reason.into(), blame: Blame::Vendor }
}

/// The secrets of vendor and channel differ.
pub(crate) fn unauthorized(reason: impl Into<String>) -> Rejection {
    Rejection { status: StatusCode::UNAUTHORIZED, reason: reason.into(), blame: Blame::Tenant }
}

/// Refuses another method than the vendor's.
pub(crate) fn only(method: &Method, vendor: &str, request: &Inbound<'_>) -> Result<(), Rejection> {
    if request.method == method {
        return Ok(());
    }
    Err(Rejection {
        status: StatusCode::METHOD_NOT_ALLOWED,
        reason: format!("{vendor} webhooks are {method} requests"),
        blame: Blame::Vendor,
    })
}
