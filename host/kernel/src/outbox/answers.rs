//! Open requests: whose answers carry which actions.

use crate::id::{EventId, PartId};
use crate::log::{Conversation, Route, Row, Settled};
use crate::outbox::cut::{Way, is_played};
use crate::outbox::{
    OFFER_BACKSTOP_MS, Opened, Outbox, RequestId, Rides, Send, ids, settle, vendor_rows,
};
use crate::profile::Delivery;
use crate::time::Millis;

/// A request that waits for its answer.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) opened: Opened,
    /// All its events are accepted: an empty answer is honest from now on.
    pub(super) accepted: bool,
    /// All its events have had their turns.
    pub(super) done: bool,
    pub(super) offered: Option<Offered>,
}

/// An answer that was filled and of whose end nothing is known.
#[derive(Debug)]
pub(super) struct Offered {
    pub(super) rows: Vec<PartId>,
    at_ms: Millis,
}

impl Open {
    /// Whether rows that follow from this event wait for the answer.
    fn brought(&self, event: &EventId) -> bool {
        // Rows of a start of the host's own wait like those of its event.
        let stem = event.as_str().strip_suffix("-start");
        self.opened.events.iter().any(|own| own == event || Some(own.as_str()) == stem)
    }

    fn carries(&self, event: &EventId) -> bool {
        self.opened.carries && self.brought(event)
    }
}

impl Outbox {
    /// A request waits for an answer.
    pub fn open(&mut self, request: RequestId, opened: Opened) {
        let open = Open { opened, accepted: false, done: false, offered: None };
        self.open.insert(request, open);
    }

    /// All events of a request are on stable storage.
    pub fn accepted(&mut self, request: RequestId) {
        if let Some(open) = self.open.get_mut(&request) {
            open.accepted = true;
        }
    }

    /// All events of a request have had their turns.
    pub fn done(&mut self, request: RequestId) {
        if let Some(open) = self.open.get_mut(&request) {
            open.accepted = true;
            open.done = true;
        }
    }

    /// Another request has taken over: this one gets the empty answer as soon as
    /// that is honest.
    pub fn supersede(&mut self, request: RequestId, now: Millis) {
        if let Some(open) = self.open.get_mut(&request) {
            open.opened.carries = false;
            open.opened.redeliverable = false;
            open.opened.answer_by_ms = now;
        }
    }

    /// A request is answered by somebody else: with a refusal, or its client left.
    /// Rows that were offered to it wait again. Tells whether it was open.
    pub fn forget(&mut self, request: RequestId) -> bool {
        self.open.remove(&request).is_some()
    }

    /// Whether a request that brought this event waits for its answer, also for one that
    /// carries nothing: while it does, the same words again are another event.
    pub fn is_open(&self, event: &EventId) -> bool {
        self.open.values().any(|open| open.opened.redeliverable && open.brought(event))
    }

    /// Requests that must not wait any longer, for when nothing can ride.
    pub fn overdue(&mut self, now: Millis) -> Vec<RequestId> {
        let mut overdue = Vec::new();
        for (request, open) in &mut self.open {
            if open.accepted && open.offered.is_none() && now >= open.opened.answer_by_ms {
                open.offered = Some(Offered { rows: Vec::new(), at_ms: now });
                overdue.push(*request);
            }
        }
        overdue
    }

    /// When a request next is [`Outbox::overdue`].
    pub fn overdue_at(&self) -> Option<Millis> {
        let waiting = self.open.values().filter(|open| open.accepted && open.offered.is_none());
        waiting.map(|open| open.opened.answer_by_ms).min()
    }

    /// The answer of a request went out whole, or did not.
    pub fn answered(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        request: RequestId,
        whole: bool,
        now: Millis,
    ) -> Option<Settled> {
        let open = self.open.remove(&request)?;
        let offered = open.offered.filter(|_| whole)?;
        let rows = super::select(state, &offered.rows);
        let mut settled = settle::delivered(&rows, delivery, now);
        if !rows.is_empty() && delivery.after_answer_ms > 0 {
            let until_ms = now.saturating_add(delivery.after_answer_ms);
            settled.calls_from_ms = Some(until_ms.max(state.calls_from_ms));
        }
        let mut events = open.opened.events;
        events.retain(|event| {
            let waits = state.open_answers.iter().any(|open| open.event == *event);
            waits || (open.opened.redeliverable && !open.done)
        });
        settled.answered = events;
        let nothing = settled.rows.is_empty() && settled.answered.is_empty();
        (!nothing).then_some(settled)
    }

    /// Answers that can be filled now, the oldest request first.
    pub(super) fn answers(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Vec<Send> {
        let queue = vendor_rows(state);
        let mut sends = Vec::new();
        let waiting: Vec<RequestId> = self
            .open
            .iter()
            .filter(|(_, open)| open.offered.is_none() && open.accepted)
            .map(|(request, _)| *request)
            .collect();
        for request in waiting {
            if let Some((rows, late)) = self.answer(request, &queue, state, delivery, now) {
                if let Some(open) = self.open.get_mut(&request) {
                    open.offered = Some(Offered { rows: ids(&rows), at_ms: now });
                }
                sends.push(Send::Answer { request, rows, late });
            }
        }
        sends
    }

    /// What a request is answered now, and whether more of it comes later; nothing while
    /// waiting may bring more.
    fn answer(
        &self,
        request: RequestId,
        queue: &[&Row],
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Option<(Vec<Row>, bool)> {
        let open = self.open.get(&request)?;
        let late = now >= open.opened.answer_by_ms;
        if !late && !open.done {
            return None;
        }
        let alone = |rows| (rows, !open.done);
        if !delivery.inline || !open.opened.carries {
            return Some(alone(Vec::new()));
        }
        let way = Way::Answer(request);
        let list = match open.opened.rides {
            Rides::List => self.cut(queue, delivery, way),
            Rides::One(names) => self.pick(queue, names),
        };
        let head = match open.opened.rides {
            Rides::List => queue.iter().find(|row| !self.is_on_its_way(&row.id)),
            Rides::One(_) => list.first(),
        };
        let Some(head) = head else { return Some(alone(Vec::new())) };
        // What a delay holds back may still ride, where no call could carry it later.
        let played = state.route != Route::Calls && is_played(head, delivery);
        if played || self.is_busy(state, now) || self.waits_for_answer(head, delivery, way) {
            return late.then(|| (Vec::new(), true));
        }
        if self.is_ambiguous(&[*head]) {
            // It is sent again by API, where its id tells the vendor.
            return Some((Vec::new(), true));
        }
        Some(alone(list.into_iter().cloned().collect()))
    }

    /// When one of the answers can be filled or is given up.
    pub(super) fn answer_at(&self, state: &Conversation, now: Millis) -> Option<Millis> {
        let accepted = self.open.values().filter(|open| open.accepted);
        let at = accepted.map(|open| match &open.offered {
            Some(offered) => offered.at_ms + OFFER_BACKSTOP_MS,
            None if open.done && state.closed_until_ms > now => {
                open.opened.answer_by_ms.min(state.closed_until_ms)
            }
            None => open.opened.answer_by_ms,
        });
        at.min()
    }

    /// Answers of whose end nothing was heard for too long count as failed.
    pub(super) fn expire_offers(&mut self, now: Millis) {
        self.open.retain(|_, open| {
            open.offered.as_ref().is_none_or(|offered| now < offered.at_ms + OFFER_BACKSTOP_MS)
        });
    }

    /// Whether a row waits for an open answer other than the way that is asked for.
    pub(super) fn waits_for_answer(&self, row: &Row, delivery: &Delivery, way: Way) -> bool {
        let other = |request: &RequestId| way != Way::Answer(*request);
        delivery.inline
            && self.open.iter().any(|(request, open)| other(request) && open.carries(&row.event))
    }

    pub(super) fn is_offered(&self, id: &PartId) -> bool {
        let mut offered = self.open.values().filter_map(|open| open.offered.as_ref());
        offered.any(|offered| offered.rows.contains(id))
    }

    pub(super) fn offers_something(&self) -> bool {
        let mut offered = self.open.values().filter_map(|open| open.offered.as_ref());
        offered.any(|offered| !offered.rows.is_empty())
    }
}
