//! Short answers.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

/// One line for whoever reads the sender's log.
pub(super) fn line(status: StatusCode, line: impl Into<String>) -> Response {
    let mut text = line.into();
    text.push('\n');
    let plain = (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    (status, [plain], text).into_response()
}

/// The request may not be stored: come again.
pub(super) fn come_again() -> Response {
    let reason = "the host cannot store this now: send the same again, it is taken once";
    let mut answer = line(StatusCode::SERVICE_UNAVAILABLE, reason);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}
