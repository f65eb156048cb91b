//! How much of what waits is in memory: the head of a long queue, and whatever
//! somebody waits here for.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::id::EventId;
use crate::lane::Lane;
use crate::lane::queue::Queued;

/// At most so many stored events of a conversation are kept in memory, and read
/// at once: the rest is read when its turn comes. Events whose requests are not
/// answered yet stay besides.
pub const WAITING_MAX: usize = 500;

impl Lane {
    /// Keeps fewer or more stored events in memory than [`WAITING_MAX`]. A host
    /// must read as many at once.
    #[must_use]
    pub fn keeping(mut self, waiting_max: usize) -> Self {
        self.waiting_max = waiting_max;
        self
    }

    /// How many events wait for their turns, those included that only the store
    /// has, as far as this lane has met them.
    pub fn waiting(&self) -> usize {
        self.waiting_here() + self.unread
    }

    /// How many of them are in memory.
    pub fn waiting_here(&self) -> usize {
        self.early.iter().map(|early| early.arrivals.len()).sum::<usize>() + self.queue.len()
    }

    /// Where those events begin that are not stored: behind all that are.
    pub(super) fn unstored_from(&self) -> usize {
        self.queue.partition_point(Queued::is_stored)
    }

    /// Drops what stands too far back. The store has it; where nothing is left here, it
    /// is read again.
    pub(super) fn shed(&mut self) {
        self.drop_excess();
        if self.queue.is_empty() && self.unread_from.is_some() {
            self.loaded = false;
        }
    }

    fn drop_excess(&mut self) {
        let stored = self.unstored_from();
        if stored <= self.waiting_max {
            return;
        }
        let excess = self.queue.get(self.waiting_max).and_then(|queued| queued.seq);
        let Some(from) = self.unread_from.into_iter().chain(excess).min() else { return };
        let (unanswered, mut dropped) = (&self.unanswered, None);
        let before = self.queue.len();
        self.queue.retain_mut(|queued| {
            queued.requests.retain(|request| unanswered.contains(request));
            let far = queued.seq.filter(|seq| *seq >= from && queued.requests.is_empty());
            dropped = dropped.or(far);
            far.is_none()
        });
        self.unread += before - self.queue.len();
        self.unread_from = self.unread_from.into_iter().chain(dropped).min();
    }

    /// Requests all of whose events are stored may be answered. The events of one
    /// request stand together, so only those next to what was stored can be missing.
    pub(super) fn tell_accepted(&mut self, stored: Range<usize>) {
        let next = self.queue.get(stored.end).filter(|queued| !queued.is_stored());
        let missing = next.map_or(&[][..], |queued| &queued.requests);
        for request in self.queue.range(stored).flat_map(|queued| &queued.requests) {
            if !missing.contains(request) {
                self.outbox.accepted(*request);
            }
        }
    }

    /// Requests all of whose events had their turns may be answered with what
    /// came of them.
    pub(super) fn all_turned(&mut self, turned: &Queued) {
        for request in &turned.requests {
            let waits = |other: &Queued| other.requests.contains(request);
            if self.unanswered.contains(request) && !self.queue.iter().any(waits) {
                self.outbox.done(*request);
            }
        }
    }

    /// The events that this lane knows of, by their ids.
    pub(super) fn known(&self) -> BTreeSet<EventId> {
        self.queue.iter().map(|queued| queued.arrival.event.id.clone()).collect()
    }
}
