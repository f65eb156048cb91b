//! The conversation as the store has it.

use std::collections::VecDeque;

use crate::lane::queue::Queued;
use crate::lane::writes::Write;
use crate::lane::{Effect, Lane, Loaded};
use crate::log::{Arrival, Conversation, Seq, Turn};
use crate::outbox::Send;
use crate::time::Millis;

impl Lane {
    /// Reads the conversation, unless the store has just failed.
    pub(super) fn load(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let overdue = self.outbox.overdue(now).into_iter();
        effects.extend(overdue.map(|request| Effect::Send(Send::late(request))));
        if self.store_retry_ms.is_some_and(|at| now < at) {
            self.refuse_early(effects);
        } else if self.writing.is_none() {
            self.store_retry_ms = None;
            self.writing = Some(Write::Load);
            effects.push(Effect::Load);
        }
    }

    pub(super) fn on_loaded(&mut self, loaded: Loaded, now: Millis) {
        self.writing = None;
        self.loaded = true;
        self.last = loaded.last;
        self.turn = loaded.turn.as_ref().map_or(0, |(seq, _)| *seq);
        let turn = loaded.turn.as_ref().map(|(_, turn)| turn);
        self.erased = turn.is_some_and(Turn::is_erasure).then_some(self.turn);
        self.state = Conversation::after(turn, loaded.settled);
        for settled in &self.unsaved {
            self.state.settle(settled);
        }
        self.outbox.recover(&self.state, now);
        let last_read = loaded.accepted.last().map_or(0, |(seq, _)| *seq);
        self.unread_from = loaded.more.then_some(last_read + 1);
        self.calls = loaded.calls;
        let read = loaded.accepted.len().saturating_sub(self.unstored_from());
        self.unread = if loaded.more { self.unread.saturating_sub(read) } else { 0 };
        // It is taken again if it is still there.
        self.timer = None;
        self.finished = None;
        self.enqueue(loaded.accepted, now);
    }

    /// Whether stored events stand before this one that were not read yet.
    pub(super) fn is_unread(&self, queued: &Queued) -> bool {
        self.unread_from.is_some_and(|from| queued.seq.is_none_or(|seq| seq >= from))
    }

    /// Puts stored events in front of those that are not stored yet; whoever
    /// waits here for the answer of one keeps waiting.
    fn enqueue(&mut self, accepted: Vec<(Seq, Arrival)>, now: Millis) {
        let ids = self.known();
        let mut known: VecDeque<Queued> = std::mem::take(&mut self.queue);
        for (seq, arrival) in accepted {
            let same = |queued: &Queued| queued.arrival.event.id == arrival.event.id;
            // Nearly always the first of them: both have the order of the log.
            let at = ids.contains(&arrival.event.id).then(|| known.iter().position(same));
            let mut queued = match at.flatten().and_then(|at| known.remove(at)) {
                Some(queued) => queued,
                None => Queued::stored(seq, arrival, now),
            };
            queued.seq = Some(seq);
            self.queue.push_back(queued);
        }
        let mut gone = Vec::new();
        for queued in known {
            if self.is_unread(&queued) && queued.is_stored() {
                self.queue.push_back(queued);
                continue;
            }
            // What this lane believed stored and the store does not have was consumed
            // by somebody else's turn, and so may be what it has not stored.
            if queued.is_stored() || self.handled(&queued.arrival, now).is_some() {
                gone.push(queued);
            } else {
                self.queue.push_back(Queued { must_accept: true, ..queued });
            }
        }
        for queued in gone {
            self.all_turned(&queued);
        }
        self.tell_accepted(0..self.unstored_from());
        self.shed();
    }
}
