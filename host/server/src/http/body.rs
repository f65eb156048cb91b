//! Bodies of requests, as handlers read them.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use thiserror::Error;

use super::answer;
use crate::api::{Code, Problem};

/// A body that was not read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Whoever sends it is too slow: others need the connection.
    #[error("the body did not arrive within {0:?}")]
    Late(Duration),
    /// It is larger than so many bytes.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// The connection broke.
    #[error("the body did not arrive whole")]
    Broken,
}

/// Reads a body whole.
///
/// # Errors
/// It is larger than `limit`, or does not arrive.
pub(crate) async fn read(body: Body, limit: usize, within: Duration) -> Result<Bytes, Unread> {
    let read = tokio::time::timeout(within, to_bytes(body, limit)).await;
    read.map_err(|_| Unread::Late(within))?.map_err(|error| {
        let source = error.source();
        let too_large = source.is_some_and(|it| it.is::<http_body_util::LengthLimitError>());
        if too_large { Unread::TooLarge(limit) } else { Unread::Broken }
    })
}

/// What vendors and external bots are answered.
impl From<Unread> for Response {
    fn from(unread: Unread) -> Self {
        let status = match unread {
            Unread::Late(_) => StatusCode::REQUEST_TIMEOUT,
            Unread::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Unread::Broken => StatusCode::BAD_REQUEST,
        };
        answer::line(status, unread.to_string())
    }
}

/// What whoever asks the API is answered.
impl From<Unread> for Problem {
    fn from(unread: Unread) -> Self {
        let code = match unread {
            Unread::Late(_) => Code::TooSlow,
            Unread::TooLarge(_) => Code::TooLarge,
            Unread::Broken => Code::BadRequest,
        };
        Self::new(code, unread.to_string())
    }
}
