//! What goes out and what comes back.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::HostPattern;
use super::secrets::SecretHeaders;

/// A call that shall go out.
#[derive(Clone)]
pub struct Outgoing {
    /// The method.
    pub method: Method,
    /// An absolute address, https as a rule.
    pub url: String,
    /// The headers. Those that belong to the connection or the framing, `host`
    /// among them, are the door's own and are dropped.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Until the answer is complete, redirects included; the operator may allow less.
    pub timeout: Duration,
    /// How much of the answer's body is read; the operator may allow less.
    pub answer_bytes_max: usize,
    /// Hosts that may be reached, and no others.
    pub allow: Vec<HostPattern>,
    /// Headers that the bot never sees, for hosts among those: each goes to its
    /// own host only, in the place of a header of the same name.
    pub secrets: SecretHeaders,
    /// Follow redirects, under the same rules; only of `GET` and `HEAD`. Without
    /// this a redirect is an answer.
    pub follow_redirects: bool,
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").field("method", &self.method).finish_non_exhaustive()
    }
}

/// What a server answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as it came: nothing is decompressed.
    pub body: Bytes,
    /// The body was longer and is cut.
    pub truncated: bool,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("truncated", &self.truncated)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer. The texts name hosts, never whole addresses, headers
/// or bodies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Our own rules forbid it, and it never left; of a redirect, the hop that is
    /// forbidden never did. Trying again does not help.
    #[error("{0}")]
    Denied(String),
    /// It never left: no such host, no connection, no trust in the other side.
    #[error("{0}")]
    NotSent(String),
    /// It left and no whole answer came: the other side may have acted.
    #[error("{0}")]
    Lost(String),
}
