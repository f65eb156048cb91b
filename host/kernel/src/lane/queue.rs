//! Events that wait for their turns.

use crate::log::{Arrival, Seq};
use crate::outbox::RequestId;
use crate::time::Millis;

/// An event that waits for its turn, the one whose turn it is included.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) arrival: Arrival,
    /// Its entry, once it is accepted.
    pub(super) seq: Option<Seq>,
    /// Who waits for its answer; more than one where it was delivered again.
    pub(super) requests: Vec<RequestId>,
    pub(super) arrived_ms: Millis,
    /// It is accepted on its own, whatever its turn does.
    pub(super) must_accept: bool,
}

impl Queued {
    /// An event that is not stored.
    pub(super) fn new(arrival: Arrival, now: Millis) -> Self {
        Self { arrival, seq: None, requests: Vec::new(), arrived_ms: now, must_accept: false }
    }

    /// An event with an entry.
    pub(super) fn stored(seq: Seq, arrival: Arrival, now: Millis) -> Self {
        Self { seq: Some(seq), ..Self::new(arrival, now) }
    }

    pub(super) fn is_stored(&self) -> bool {
        self.seq.is_some()
    }
}
