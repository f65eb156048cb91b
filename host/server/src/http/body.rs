//! Bodies of requests, as handlers read them.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;

use super::answer;

/// Reads a body whole.
///
/// # Errors
/// It is larger than `limit`, or does not arrive: what whoever sends it is answered.
pub(super) async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, Response> {
    let body = tokio::time::timeout(within, to_bytes(body, limit)).await.map_err(|_| {
        let reason = format!("the body did not arrive within {within:?}");
        answer::line(StatusCode::REQUEST_TIMEOUT, reason)
    })?;
    body.map_err(|error| {
        let too_large =
            error.source().is_some_and(|it| it.is::<http_body_util::LengthLimitError>());
        if too_large {
            let reason = format!("the body is larger than {limit} bytes");
            answer::line(StatusCode::PAYLOAD_TOO_LARGE, reason)
        } else {
            answer::line(StatusCode::BAD_REQUEST, "the body did not arrive whole")
        }
    })
}
