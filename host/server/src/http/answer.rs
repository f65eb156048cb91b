//! Short answers.

use axum::response::{IntoResponse, Response};
use botyard_kernel::quota::{Refusal, Whose};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use metrics::counter;

/// A request that is not done, with what it is answered.
pub(super) struct Refused(Box<Response>);

impl From<Response> for Refused {
    fn from(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl From<Box<Response>> for Refused {
    fn from(response: Box<Response>) -> Self {
        Self(response)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// One line for whoever reads the sender's log.
pub(super) fn line(status: StatusCode, line: impl Into<String>) -> Response {
    let mut text = line.into();
    text.push('\n');
    let plain = (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    (status, [plain], text).into_response()
}

/// There is too much unfinished work to take more.
pub(super) fn busy(refusal: &Refusal) -> Response {
    let Refusal { whose, what, retry_after_s } = refusal;
    let (status, who, reason) = match whose {
        Whose::Tenant => {
            let reason = "this account has too much unfinished work: send the same again later";
            (StatusCode::TOO_MANY_REQUESTS, "tenant", reason)
        }
        Whose::Host => {
            let reason = "the host has too much unfinished work: send the same again later";
            (StatusCode::SERVICE_UNAVAILABLE, "host", reason)
        }
    };
    counter!("botyard_overload_total", "whose" => who, "what" => *what).increment(1);
    let mut answer = line(status, reason);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*retry_after_s));
    answer
}

/// The request may not be stored: come again.
pub(super) fn come_again() -> Response {
    let reason = "the host cannot store this now: send the same again, it is taken once";
    let mut answer = line(StatusCode::SERVICE_UNAVAILABLE, reason);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}
