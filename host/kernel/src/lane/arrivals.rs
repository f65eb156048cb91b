//! Events on their way in: in which request they came, and whether they came before.

use crate::broken::{self, Mutation};
use crate::id::EventId;
use crate::lane::queue::Queued;
use crate::lane::{Effect, Lane};
use crate::log::Arrival;
use crate::outbox::{Opened, RequestId, Rides};
use crate::time::Millis;

/// Events that came in one request and were not looked at yet.
#[derive(Debug)]
pub(super) struct Early {
    pub(super) request: Option<RequestId>,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) accept_only: bool,
    pub(super) rides: Rides,
    pub(super) arrived_ms: Millis,
}

impl Lane {
    /// Puts what has come into the queue.
    pub(super) fn admit_early(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        let refusing = self.store_retry_ms.is_some();
        for mut early in std::mem::take(&mut self.early) {
            // Nobody knows when a paused bot answers: what it says then goes by API.
            early.accept_only |= self.paused.turns();
            if refusing {
                effects.extend(early.request.map(Effect::Refuse));
            } else if !self.take_over(&early, now) {
                self.admit(early);
            }
        }
    }

    /// Refuses what has come: there is no store to put it into.
    pub(super) fn refuse_early(&mut self, effects: &mut Vec<Effect>) {
        let early = std::mem::take(&mut self.early);
        effects.extend(early.into_iter().filter_map(|early| early.request).map(Effect::Refuse));
    }

    /// Whoever waited has left: nothing can ride in that answer any more. The
    /// events themselves stay.
    pub(super) fn on_client_left(&mut self, request: RequestId) {
        self.outbox.forget(request);
        for early in &mut self.early {
            early.request.take_if(|early| *early == request);
        }
        self.unanswered.remove(&request);
    }

    fn admit(&mut self, early: Early) {
        let busy = !self.queue.is_empty() || self.timer.is_some() || self.unread_from.is_some();
        let must_accept = busy || early.accept_only || early.arrivals.len() > 1;
        if let Some(request) = early.request {
            let events = early.arrivals.iter().map(|arrival| arrival.event.id.clone()).collect();
            self.open(request, &early, events);
        }
        if busy {
            // Whoever waits behind somebody is stored, and so is whoever they wait for.
            let unset = |queued: &&mut Queued| !queued.is_stored() && !queued.must_accept;
            for queued in self.queue.iter_mut().rev().take_while(unset) {
                queued.must_accept = true;
            }
        }
        for arrival in early.arrivals {
            let mut queued = Queued::new(arrival, early.arrived_ms);
            queued.must_accept = must_accept;
            queued.requests.extend(early.request);
            self.queue.push_back(queued);
        }
    }

    /// A redelivery takes over the request of the event that it repeats. Only
    /// webhooks of a single event are told so; of the others each event that is
    /// known is skipped in its turn.
    fn take_over(&mut self, early: &Early, now: Millis) -> bool {
        let [arrival] = &early.arrivals[..] else { return false };
        let Some(request) = early.request else {
            // Whoever brought it has left: there is nothing to answer.
            let waits = self.queue.iter().any(|queued| self.repeats(arrival, queued, now));
            return waits || self.handled(arrival, early.arrived_ms).is_some();
        };
        if let Some(at) = self.queue.iter().position(|queued| self.repeats(arrival, queued, now)) {
            let event = self.queue[at].arrival.event.id.clone();
            self.open(request, early, vec![event]);
            let queued = &mut self.queue[at];
            queued.requests.retain(|older| self.unanswered.contains(older));
            for older in &queued.requests {
                self.outbox.supersede(*older, now);
                queued.must_accept = true;
            }
            queued.requests.push(request);
            if queued.is_stored() {
                self.outbox.accepted(request);
            }
            return true;
        }
        let Some(events) = self.handled(arrival, early.arrived_ms) else { return false };
        self.open(request, early, events);
        self.outbox.done(request);
        true
    }

    /// Whether an event is one that already waits for its turn. Without a key it
    /// is so only when the same request came not long before and its answer has failed.
    fn repeats(&self, arrival: &Arrival, queued: &Queued, now: Millis) -> bool {
        let other = &queued.arrival;
        if arrival.key.is_some() && arrival.key == other.key {
            return !broken::is(Mutation::Dedupe);
        }
        arrival.request.is_some_and(|request| other.came_by(request, now))
            && !broken::is(Mutation::Redelivery)
            && !self.outbox.is_open(&other.event.id)
            && !self.state.counts_as_answered(&other.event)
    }

    /// The event that this one repeats, where it had its turn already: no event
    /// where only its key is known.
    pub(super) fn handled(&self, arrival: &Arrival, now: Millis) -> Option<Vec<EventId>> {
        let failed = |event: &EventId| !self.outbox.is_open(event);
        let repeated =
            arrival.request.and_then(|request| self.state.redelivered(request, now, failed));
        if let Some(open) = repeated {
            return Some(vec![open.event.clone()]);
        }
        let known = arrival.key.as_deref().is_some_and(|key| self.state.knows(key));
        known.then(Vec::new)
    }

    fn open(&mut self, request: RequestId, early: &Early, events: Vec<EventId>) {
        let wait = if early.accept_only { 0 } else { self.rules.delivery.answer_by_ms };
        self.unanswered.insert(request);
        let redeliverable = early.arrivals.iter().any(|arrival| arrival.request.is_some());
        self.outbox.open(
            request,
            Opened {
                events,
                answer_by_ms: early.arrived_ms + wait,
                carries: !early.accept_only,
                rides: early.rides,
                redeliverable,
            },
        );
    }
}
