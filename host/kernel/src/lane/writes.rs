//! What the lane writes, one after the other.

use std::collections::VecDeque;

use crate::broken::{self, Mutation};
use crate::id::PartId;
use crate::lane::pace::is_prompted;
use crate::lane::queue::Queued;
use crate::lane::{ACCEPT_AFTER_MS, Effect, Lane, STORE_RETRY_MS};
use crate::log::{Arrival, Call, Outcome, Seq, Settled, SkipReason, Turn};
use crate::time::Millis;

/// What is under way at the store.
#[derive(Debug)]
pub(super) enum Write {
    Load,
    /// So many events.
    Accept(usize),
    Commit(Box<Turn>),
    Settle(Box<Settled>),
    Record(Box<Call>),
}

impl Lane {
    /// Starts the most urgent write, if none is under way: what was delivered
    /// first, because a turn's snapshot must not run ahead of it.
    pub(super) fn write(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.writing.is_some() || !self.loaded {
            return;
        }
        let brings_events = self.unsaved.front().is_some_and(|s| !s.events.is_empty());
        // Follow-up events get their entries behind whoever came before them.
        let accept_first = brings_events && self.unstored_from() < self.queue.len();
        if !accept_first && let Some(mut settled) = self.unsaved.pop_front() {
            // Until the next one is stored, too, the log is behind what is known here.
            let is_last = self.unsaved.is_empty();
            settled.due_ms = if is_last { self.due(now) } else { Some(now) };
            settled.human_ms = self.state.with_human();
            self.writing = Some(Write::Settle(Box::new(settled.clone())));
            effects.push(Effect::Settle(Box::new(settled)));
        } else if let Some(arrivals) = self.to_accept(accept_first, now) {
            self.writing = Some(Write::Accept(arrivals.len()));
            effects.push(Effect::Accept(arrivals));
        } else if let Some(call) = self.take_record() {
            self.writing = Some(Write::Record(call.clone()));
            effects.push(Effect::Record(call));
        } else if let Some(mut turn) = self.finished.take() {
            self.place(&mut turn);
            if broken::is(Mutation::Fuse) && turn.fused.is_some() {
                self.queue.iter().flat_map(|q| &q.requests).for_each(|r| self.outbox.done(*r));
            }
            self.writing = Some(Write::Commit(turn.clone()));
            effects.push(Effect::Commit(turn));
        }
    }

    /// When an event that still waits for its turn is accepted on its own.
    pub(super) fn accept_at(&self) -> Option<Millis> {
        let waiting = self.queue.range(self.unstored_from()..);
        let at = waiting.map(|queued| queued.arrived_ms + ACCEPT_AFTER_MS).min();
        at.filter(|_| self.writing.is_none())
    }

    /// The events that are to be accepted now: all that wait unaccepted, as soon
    /// as one of them must be, so that their order is kept.
    fn to_accept(&self, at_once: bool, now: Millis) -> Option<Vec<Arrival>> {
        let from = self.unstored_from();
        let waiting = || self.queue.range(from..);
        let late = |queued: &Queued| now >= queued.arrived_ms + ACCEPT_AFTER_MS;
        let must = at_once || waiting().any(|queued| queued.must_accept || late(queued));
        // A finished turn brings its event along, if nobody else waits and if the
        // two are not too large together.
        let first = &waiting().next()?.arrival.event.id;
        let finished = self.finished.as_ref().is_some_and(|turn| turn.event == *first);
        let fuses = finished && waiting().len() == 1 && self.oversized_until(first).is_none();
        if !must || (fuses && !at_once) {
            return None;
        }
        Some(waiting().map(|queued| queued.arrival.clone()).collect())
    }

    /// Gives a turn its place in the log: right behind everything that its
    /// snapshot includes.
    fn place(&self, turn: &mut Turn) {
        turn.previous = self.turn;
        turn.base = self.last;
        turn.due_ms = turn.state.due();
        turn.human_ms = turn.state.with_human();
        let head = self.queue.front();
        match head.filter(|head| head.arrival.event.id == turn.event) {
            Some(head) => {
                turn.watermark = head.seq.unwrap_or(self.last);
                turn.fused = (!head.is_stored()).then(|| Box::new(head.arrival.clone()));
            }
            None => {
                // A timer and a start of the host's own consume no entry.
                turn.watermark = head.and_then(|head| head.seq).map_or(self.last, |seq| seq - 1);
                let timer = self.timer.clone();
                turn.fused = timer.filter(|timer| timer.event.id == turn.event);
            }
        }
    }

    pub(super) fn on_accepted(&mut self, seqs: &[Seq]) {
        self.writing = None;
        let from = self.unstored_from();
        for (queued, seq) in self.queue.range_mut(from..).zip(seqs) {
            queued.seq = Some(*seq);
        }
        self.tell_accepted(from..self.unstored_from());
        if broken::is(Mutation::Order) {
            self.swap_first();
        }
        self.shed();
        self.grew(seqs.len(), seqs.last().copied().unwrap_or(self.last));
    }

    /// Breaks the order: the second event has the first one's turn. Only tests
    /// switch this on.
    fn swap_first(&mut self) {
        if let [first, second, ..] = self.queue.make_contiguous()
            && second.is_stored()
        {
            std::mem::swap(&mut first.arrival, &mut second.arrival);
            std::mem::swap(&mut first.requests, &mut second.requests);
            self.finished = None;
        }
    }

    pub(super) fn on_committed(
        &mut self,
        seq: Option<Seq>,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Write::Commit(turn)) = self.writing.take() else { return };
        let Some(seq) = seq else {
            // Another host was quicker: read again and run again.
            self.loaded = false;
            return;
        };
        self.turn = seq;
        self.attempts = None;
        self.oversized = None;
        self.note_pace(&turn, now);
        self.forget_calls(&turn.event);
        self.state = turn.state.clone();
        for settled in &self.unsaved {
            self.state.settle(settled);
        }
        if self.timer.take_if(|timer| timer.event.id == turn.event).is_none()
            && self.queue.front().is_some_and(|head| head.arrival.event.id == turn.event)
            && let Some(head) = self.queue.pop_front()
        {
            self.all_turned(&head);
        }
        effects.push(Effect::Turned(turn));
        self.grew(1, seq);
        self.shed();
    }

    fn note_pace(&mut self, turn: &Turn, now: Millis) {
        let counts = match turn.outcome {
            Outcome::Ran { .. } | Outcome::Failed { .. } => true,
            Outcome::Skipped(reason) => reason == SkipReason::Relayed,
        };
        if let Some(is_prompted) = self.subject().filter(|_| counts).map(is_prompted) {
            self.pace.note(is_prompted, now);
        }
    }

    pub(super) fn on_settled(
        &mut self,
        events: &[Seq],
        last: Seq,
        now: Millis,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Write::Settle(settled)) = self.writing.take() else { return };
        if let Some(claimed) = &settled.claimed {
            self.outbox.claimed(claimed);
        }
        // What a human says comes the same way and is no letter.
        let letters = settled.revived.iter().filter(|row| !row.by_human);
        let revived: Vec<PartId> = letters.map(|row| row.id.clone()).collect();
        if !revived.is_empty() {
            effects.push(Effect::Revived(revived));
        }
        for (seq, arrival) in events.iter().zip(settled.events) {
            let queued = Queued::stored(*seq, arrival, now);
            self.queue.insert(self.unstored_from(), queued);
        }
        self.shed();
        self.grew(events.len() + 1, last);
    }

    /// Takes note that the log grew by our own entries. Where there are more, they
    /// are somebody else's: events among them must not be passed over.
    pub(super) fn grew(&mut self, entries: usize, last: Seq) {
        if last != self.last + entries as Seq {
            self.loaded = false;
        }
        self.last = self.last.max(last);
    }

    /// What was under way may have been written or not, so that only the store
    /// can tell how the conversation stands.
    pub(super) fn on_store_failed(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        self.store_retry_ms = Some(now + STORE_RETRY_MS);
        self.loaded = false;
        self.timer = None;
        self.finished = None;
        self.on_calls_failed(effects);
        if let Some(Write::Settle(settled)) = self.writing.take() {
            self.unsaved.push_front(*settled);
        }
        self.refuse_early(effects);
        // Whoever is not on stable storage is told so and comes again.
        let (stored, refused): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(Queued::is_stored);
        self.queue = stored;
        self.refuse(refused.into(), effects);
    }

    pub(super) fn refuse(&mut self, events: Vec<Queued>, effects: &mut Vec<Effect>) {
        for request in events.into_iter().flat_map(|queued| queued.requests) {
            self.unanswered.remove(&request);
            if self.outbox.forget(request) {
                effects.push(Effect::Refuse(request));
            }
        }
    }
}
