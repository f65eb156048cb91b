//! A body that knows whether anybody has begun to send it.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;

/// Whether a call can have left.
///
/// A body is taken up only when there is a connection, and a request without its
/// whole body has no effect: while nobody has asked for the body, nothing has
/// happened. A call without a body can have left at any time.
#[derive(Debug)]
pub(super) struct Progress {
    has_body: bool,
    begun: Arc<AtomicBool>,
}

impl Progress {
    pub(super) fn cannot_have_left(&self) -> bool {
        self.has_body && !self.begun.load(Ordering::Acquire)
    }
}

/// A body for a request and what becomes of it.
pub(super) fn tracked(body: Bytes) -> (reqwest::Body, Progress) {
    let begun = Arc::new(AtomicBool::new(false));
    let progress = Progress { has_body: !body.is_empty(), begun: Arc::clone(&begun) };
    if body.is_empty() {
        return (reqwest::Body::default(), progress);
    }
    (reqwest::Body::wrap(Tracked { body: Full::new(body), begun }), progress)
}

struct Tracked {
    body: Full<Bytes>,
    begun: Arc<AtomicBool>,
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.begun.store(true, Ordering::Release);
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
