//! Short answers, and answers whose fate conversations hear of.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use botyard_failpoints::{Point, pass};
use botyard_kernel::limits::Exceeded;
use botyard_kernel::quota::{Refusal, Whose};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use metrics::counter;

use super::ConnectionInfo;
use crate::work::Waiting;

/// What cannot be stored comes again.
pub(super) const NOT_STORED: &str =
    "the host cannot store this now: send the same again, it is taken once";

/// One line for whoever reads the sender's log.
pub(super) fn line(status: StatusCode, line: impl Into<String>) -> Response {
    let mut text = line.into();
    text.push('\n');
    plain(status, Body::from(text))
}

/// Plain text.
pub(super) fn plain(status: StatusCode, text: Body) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(CONTENT_TYPE, kind)], text).into_response()
}

/// The body of an answer. Whoever waited for it hears whether it was handed over whole.
pub(super) fn watched(connection: &ConnectionInfo, bytes: Bytes, waiting: Vec<Waiting>) -> Body {
    Body::new(connection.watched(bytes, move |whole| {
        if whole {
            pass(Point::AnswerWhole);
        }
        let result = if whole { "whole" } else { "failed" };
        counter!("botyard_answers_total", "result" => result).increment(1);
        for waiting in waiting {
            waiting.handed_over(whole);
        }
    }))
}

/// There is too much unfinished work to take more.
pub(super) fn busy(refusal: &Refusal) -> Response {
    count_busy(refusal);
    let Refusal { whose, what, retry_after_s } = refusal;
    let (status, reason) = match whose {
        Whose::Tenant => {
            let limit = refusal.limit();
            let reason = format!(
                "this account has too much unfinished work (limit `{limit}`): send the same again \
                 later"
            );
            (StatusCode::TOO_MANY_REQUESTS, reason)
        }
        Whose::Host => {
            let reason = match *what {
                "disk" => "the disk of the host is full: send the same again later",
                _ => "the host has too much unfinished work: send the same again later",
            };
            (StatusCode::SERVICE_UNAVAILABLE, reason.to_owned())
        }
    };
    let mut answer = line(status, reason);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*retry_after_s));
    answer
}

/// The request may not be stored: come again.
pub(super) fn come_again() -> Response {
    later(NOT_STORED, 1)
}

/// The request comes too early: come again after so many seconds.
pub(super) fn later(reason: &str, after_s: u64) -> Response {
    let mut answer = line(StatusCode::SERVICE_UNAVAILABLE, reason);
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after_s));
    answer
}

/// A tenant has used up what it may.
pub(super) fn exceeded(exceeded: &Exceeded) -> Response {
    count_exceeded(exceeded);
    let mut answer = line(StatusCode::TOO_MANY_REQUESTS, exceeded.to_string());
    if let Some(seconds) = exceeded.retry_after_s {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// Counts a request that [`busy`] refuses.
pub(super) fn count_busy(refusal: &Refusal) {
    let whose = match refusal.whose {
        Whose::Tenant => "tenant",
        Whose::Host => "host",
    };
    count_overload(whose, refusal.what);
}

/// Counts a request that [`exceeded`] refuses.
pub(super) fn count_exceeded(exceeded: &Exceeded) {
    count_overload("tenant", exceeded.limit.row().name);
}

fn count_overload(whose: &'static str, what: &'static str) {
    counter!("botyard_overload_total", "whose" => whose, "what" => what).increment(1);
}
