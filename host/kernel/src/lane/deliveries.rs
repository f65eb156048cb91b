//! Deliveries, as the outbox has them done, and what becomes of them.

use crate::lane::{Effect, Lane};
use crate::log::Settled;
use crate::outbox::{CallId, Called, RequestId, Requested};
use crate::time::Millis;

impl Lane {
    pub(super) fn deliver(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if !self.loaded {
            return;
        }
        // What was delivered but is not stored yet is applied to the state, so
        // asking again and again ends.
        loop {
            let delivery = &self.rules.delivery;
            let (sends, settled) = self.outbox.poll(&self.state, delivery, now);
            effects.extend(sends.into_iter().map(Effect::Send));
            if settled.is_none() {
                return;
            }
            self.settle(settled);
        }
    }

    pub(super) fn on_answered(&mut self, request: RequestId, whole: bool, now: Millis) {
        let delivery = &self.rules.delivery;
        self.unanswered.remove(&request);
        let settled = self.outbox.answered(&self.state, delivery, request, whole, now);
        self.settle(settled);
    }

    pub(super) fn on_called(&mut self, call: CallId, called: Called, now: Millis) {
        let delivery = &self.rules.delivery;
        let settled = self.outbox.called(&self.state, delivery, call, called, now);
        self.settle(settled);
    }

    pub(super) fn on_acknowledged(&mut self, call: CallId, called: &Called, now: Millis) {
        let settled = self.outbox.acknowledged(&self.state, call, called, now);
        self.settle(settled);
    }

    pub(super) fn on_requested(&mut self, call: CallId, requested: Requested, now: Millis) {
        let settled = self.outbox.requested(&self.state, call, requested, now);
        self.settle(settled);
    }

    /// When the conversation next wants attention by itself, if this lane is gone.
    pub(super) fn due(&self, now: Millis) -> Option<Millis> {
        // A pause may end at any time: what waits for that is due as if there were none.
        let paused = self.paused.turns();
        let waits = self.outbox.resumes_at(&self.state, &self.rules.delivery, now);
        match waits.filter(|_| !paused) {
            Some(at) => self.state.own_due().into_iter().chain([at]).min(),
            None => self.state.due(),
        }
    }

    /// A settlement holds from now on and is written before any later turn.
    pub(super) fn settle(&mut self, settled: Option<Settled>) {
        let Some(settled) = settled else { return };
        self.state.settle(&settled);
        // A finished turn's snapshot was taken before: it must have this too.
        if let Some(turn) = &mut self.finished {
            turn.state.settle(&settled);
        }
        self.unsaved.push_back(settled);
    }
}
