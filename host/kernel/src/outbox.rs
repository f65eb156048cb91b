//! Delivery of a conversation's committed actions: one queue, in order.
//!
//! The rows themselves are part of the [`Conversation`]; this machine holds only
//! what may be forgotten at a crash: which rows are on their way, in which open
//! answer they were offered, when the next attempt is due. It never does
//! anything itself: [`Outbox::poll`] says what is to be done, the driver does it
//! and reports through [`Outbox::answered`], [`Outbox::called`] and
//! [`Outbox::requested`], whose [`Settled`] values are to be stored.

use std::collections::BTreeMap;

use crate::action::Action;
use crate::event::{
    Answer, DeliveryFailed, Ended, Event, EventBody, ForwardFailed, Response, ResponseOutcome,
};
use crate::id::{Digest, EventId, PartId};
use crate::log::{Arrival, Conversation, Row, RowEnd, Settled};
use crate::owner::Owner;
use crate::profile::Delivery;
use crate::session::Seed;
use crate::time::{MINUTE, Millis, SECOND};
use crate::{rate, retry};

/// An open HTTP request that waits for its answer; numbered by the driver.
pub type RequestId = u64;
/// Names a call that was asked for, so that its end can be told.
pub type CallId = u64;

/// An offered answer of which nothing is heard for so long counts as failed.
pub const OFFER_BACKSTOP_MS: Millis = 30 * SECOND;
/// At most so many rows leave in one list.
pub const LIST_MAX: usize = 64;
/// At most so many `request` actions of a conversation are under way at once.
pub const REQUESTS_MAX: usize = 4;
/// A `request` that no server answered is tried so often in all.
pub const REQUEST_ATTEMPTS_MAX: u32 = 4;
/// A host keeps at most so long waiting for `request`s: then `response` says failed.
pub const REQUEST_AGE_MAX_MS: Millis = 10 * MINUTE;

/// What the driver is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Send {
    /// Fill the answer of an open request with these rows; none gives the
    /// vendor's empty answer. Report by [`Outbox::answered`].
    Answer {
        /// Whose answer.
        request: RequestId,
        /// What rides in it.
        rows: Vec<Row>,
    },
    /// Make the vendor's API call for these rows. Report by [`Outbox::called`].
    Call {
        /// Names the call.
        call: CallId,
        /// What it carries.
        rows: Vec<Row>,
    },
    /// Make the HTTP call of a `request` action. Report by [`Outbox::requested`].
    Request {
        /// Names the call.
        call: CallId,
        /// The row with the action.
        row: Box<Row>,
    },
}

/// How a vendor call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// The vendor took everything.
    Delivered,
    /// Nothing was taken, and trying again may help.
    Retry {
        /// Not before so long from now.
        after_ms: Option<Millis>,
        /// The vendor may have acted all the same.
        ambiguous: bool,
        /// Why.
        reason: String,
    },
    /// Nothing was taken and never will be.
    Fatal(String),
    /// The conversation is gone at the vendor.
    Gone(String),
}

/// How the call of a `request` action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requested {
    /// A server answered.
    Answered(Answer),
    /// Nobody did; trying again may help.
    Unanswered(String),
    /// The call is not allowed or not possible.
    Refused(String),
}

/// The delivery machine of one conversation.
#[derive(Debug, Default)]
pub struct Outbox {
    open: BTreeMap<RequestId, Open>,
    in_flight: Option<InFlight>,
    requests: BTreeMap<CallId, PartId>,
    request_tries: BTreeMap<PartId, Tries>,
    tries: BTreeMap<PartId, Tries>,
    retry_at_ms: Millis,
    /// The rows of a refused list leave one by one, so that one bad row does
    /// not take its neighbours with it.
    singly: Vec<PartId>,
    after_answer_until_ms: Millis,
    calls: CallId,
}

#[derive(Debug)]
struct Open {
    events: Vec<EventId>,
    answer_by_ms: Millis,
    /// Actions may ride in its answer.
    carries: bool,
    /// All its events are accepted: an empty answer is honest from now on.
    accepted: bool,
    /// All its events have had their turns.
    done: bool,
    offered: Option<Offered>,
}

#[derive(Debug)]
struct Offered {
    rows: Vec<PartId>,
    at_ms: Millis,
}

#[derive(Debug)]
struct InFlight {
    call: CallId,
    rows: Vec<PartId>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    made: u32,
    ambiguous: bool,
    next_ms: Millis,
}

impl Outbox {
    /// A request that brought these events waits for an answer. `carries` says
    /// whether actions may ride in it.
    pub fn open(
        &mut self,
        request: RequestId,
        events: Vec<EventId>,
        answer_by_ms: Millis,
        carries: bool,
    ) {
        let (accepted, done, offered) = (false, false, None);
        let open = Open { events, answer_by_ms, carries, accepted, done, offered };
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

    /// A request is answered by somebody else: with a refusal, or its client left.
    /// Rows that were offered to it wait again.
    pub fn forget(&mut self, request: RequestId) {
        self.open.remove(&request);
    }

    /// The open request that brought this event.
    pub fn request_of(&self, event: &EventId) -> Option<RequestId> {
        self.open.iter().find(|(_, open)| open.events.contains(event)).map(|(id, _)| *id)
    }

    /// Whether nothing is on its way: the machine can be forgotten.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty() && self.in_flight.is_none() && self.requests.is_empty()
    }

    /// What is to be done now. Rows that are given up come back as a settlement.
    pub fn poll(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> (Vec<Send>, Option<Settled>) {
        self.expire_offers(now);
        let mut sends = self.answers(state, delivery, now);
        sends.extend(self.requests(state, now));
        let queue = vendor_rows(state);
        if let Some(settled) = self.give_up(&queue, delivery, now) {
            return (sends, Some(settled));
        }
        if self.call_at(state, &queue, delivery, now).is_none_or(|at| at > now) {
            return (sends, None);
        }
        let list = self.cut(&queue, delivery, false);
        if list.is_empty() {
            // The head is a delay that nothing can carry: the host waits.
            return (sends, Some(play_delay(&queue, now)));
        }
        self.calls += 1;
        let call = self.calls;
        let rows: Vec<Row> = list.into_iter().cloned().collect();
        self.in_flight = Some(InFlight { call, rows: ids(&rows) });
        sends.push(Send::Call { call, rows });
        (sends, None)
    }

    /// When [`Outbox::poll`] next has something to do, if nothing else happens.
    pub fn wake_at(
        &self,
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Millis> {
        let queue = vendor_rows(state);
        let accepted = self.open.values().filter(|open| open.accepted);
        let answers = accepted.map(|open| match &open.offered {
            Some(offered) => offered.at_ms + OFFER_BACKSTOP_MS,
            None => open.answer_by_ms,
        });
        let call = self.call_at(state, &queue, delivery, now);
        let requests = self.waiting_requests(state).map(|row| self.request_at(&row.id));
        answers.chain(call).chain(requests).min()
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
        let offered = open.offered?;
        if !whole {
            return None;
        }
        let rows = select(state, &offered.rows);
        if !rows.is_empty() {
            self.after_answer_until_ms = now + delivery.after_answer_ms;
        }
        let mut settled = delivered(&rows, delivery, now);
        settled.answered = open.events;
        Some(settled)
    }

    /// A vendor call ended.
    pub fn called(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        call: CallId,
        called: Called,
        now: Millis,
    ) -> Option<Settled> {
        let flight = self.in_flight.take_if(|flight| flight.call == call)?;
        let rows = select(state, &flight.rows);
        let mut settled = match called {
            Called::Delivered => {
                self.retry_at_ms = 0;
                for row in &rows {
                    self.tries.remove(&row.id);
                    self.singly.retain(|id| *id != row.id);
                }
                delivered(&rows, delivery, now)
            }
            Called::Retry { ambiguous: true, reason, .. } if delivery.hold_ambiguous => {
                let why = format!("held, because it may have been delivered: {reason}");
                dead(&rows, &why, true, now)
            }
            Called::Retry { after_ms, ambiguous, .. } => {
                self.try_again(&flight, after_ms, ambiguous, now);
                Settled { at_ms: now, ..Settled::default() }
            }
            Called::Fatal(_) if rows.len() > 1 => {
                self.singly.extend(flight.rows.iter().cloned());
                Settled { at_ms: now, ..Settled::default() }
            }
            Called::Fatal(reason) => dead(&rows, &reason, self.ambiguous(&rows), now),
            Called::Gone(reason) => gone(state, &reason, now),
        };
        // The vendor counted it some time before its answer came.
        settled.called_ms.push(now);
        Some(settled)
    }

    /// The call of a `request` action ended.
    pub fn requested(
        &mut self,
        state: &Conversation,
        call: CallId,
        requested: Requested,
        now: Millis,
    ) -> Option<Settled> {
        let id = self.requests.remove(&call)?;
        let row = state.rows.iter().find(|row| row.id == id)?;
        let Action::Request(action) = &row.action else { return None };
        let outcome = match requested {
            Requested::Answered(answer) => ResponseOutcome::Answered(answer),
            Requested::Refused(why) => ResponseOutcome::Failed(why),
            Requested::Unanswered(why) => {
                let tries = self.request_tries.entry(id.clone()).or_default();
                tries.made += 1;
                tries.next_ms = retry::next(tries.made, now, None, chance(&id, tries.made));
                let late = now >= row.made_ms.saturating_add(REQUEST_AGE_MAX_MS);
                if tries.made < REQUEST_ATTEMPTS_MAX && !late {
                    return None;
                }
                ResponseOutcome::Failed(format!("{why} (tried {} times)", tries.made))
            }
        };
        self.request_tries.remove(&id);
        let body = EventBody::Response(Response { name: action.name.clone(), outcome });
        let response = follow_up(&id, "response", body, row.quiet, now);
        Some(Settled {
            at_ms: now,
            rows: vec![(id, RowEnd::Delivered)],
            events: vec![response],
            ..Settled::default()
        })
    }

    fn expire_offers(&mut self, now: Millis) {
        self.open.retain(|_, open| {
            open.offered.as_ref().is_none_or(|offered| now < offered.at_ms + OFFER_BACKSTOP_MS)
        });
    }

    /// Answers that can be filled now: the oldest request first, because it
    /// stands nearest to the head of the queue.
    fn answers(&mut self, state: &Conversation, delivery: &Delivery, now: Millis) -> Vec<Send> {
        let queue = vendor_rows(state);
        let mut sends = Vec::new();
        let waiting: Vec<RequestId> = self
            .open
            .iter()
            .filter(|(_, open)| open.offered.is_none() && open.accepted)
            .map(|(id, _)| *id)
            .collect();
        for request in waiting {
            let Some(open) = self.open.get(&request) else { continue };
            let late = now >= open.answer_by_ms;
            let busy = self.busy(state, now);
            if !late && (busy || !open.done) {
                continue;
            }
            let carries = delivery.inline && open.carries;
            let rides = carries && !busy && !self.head_is_ambiguous(&queue);
            let rows: Vec<Row> = if rides {
                self.cut(&queue, delivery, true).into_iter().cloned().collect()
            } else {
                Vec::new()
            };
            if let Some(open) = self.open.get_mut(&request) {
                open.offered = Some(Offered { rows: ids(&rows), at_ms: now });
            }
            sends.push(Send::Answer { request, rows });
        }
        sends
    }

    /// Something earlier is on its way or being played.
    fn busy(&self, state: &Conversation, now: Millis) -> bool {
        let offered = self
            .open
            .values()
            .filter_map(|open| open.offered.as_ref())
            .any(|offered| !offered.rows.is_empty());
        self.in_flight.is_some() || offered || now < state.closed_until_ms
    }

    fn head_is_ambiguous(&self, queue: &[&Row]) -> bool {
        queue.first().is_some_and(|row| self.tries.get(&row.id).is_some_and(|t| t.ambiguous))
    }

    /// When the next API call may be made; nothing while something is on its way
    /// or while the head waits for an open answer.
    fn call_at(
        &self,
        state: &Conversation,
        queue: &[&Row],
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Millis> {
        let head = queue.first()?;
        let offered = self.open.values().any(|open| open.offered.is_some());
        if self.in_flight.is_some() || offered || self.waits_for_answer(head, delivery) {
            return None;
        }
        let free = delivery.rate.map_or(0, |rate| {
            if self.plays_here(queue, delivery) {
                0
            } else {
                rate::free_at(&state.called_ms, rate, now)
            }
        });
        let gates =
            [state.closed_until_ms, self.after_answer_until_ms, self.retry_at_ms, free, now];
        gates.into_iter().max()
    }

    /// The head is a delay that no list carries.
    fn plays_here(&self, queue: &[&Row], delivery: &Delivery) -> bool {
        self.cut(queue, delivery, false).is_empty()
    }

    fn waits_for_answer(&self, row: &Row, delivery: &Delivery) -> bool {
        let carries = |open: &Open| open.carries && open.events.contains(&row.event);
        delivery.inline && self.open.values().any(carries)
    }

    /// What leaves next in one piece. A picture travels alone and by API, since
    /// only there its failure is reported; a delay goes with what follows it.
    fn cut<'a>(&self, queue: &[&'a Row], delivery: &Delivery, inline: bool) -> Vec<&'a Row> {
        let mut list: Vec<&Row> = Vec::new();
        for row in queue {
            let alone = matches!(row.action, Action::Media(_)) || self.singly.contains(&row.id);
            let delay = matches!(row.action, Action::Delay(_));
            let waits = !inline && self.waits_for_answer(row, delivery);
            if waits || (alone && (inline || !list.is_empty())) {
                break;
            }
            if delay && !delivery.native_delay {
                break;
            }
            list.push(row);
            let full = list.len() >= if delivery.lists { LIST_MAX } else { 1 };
            if alone || full {
                break;
            }
        }
        let tail = list.iter().rev().take_while(|row| matches!(row.action, Action::Delay(_)));
        let tail = tail.count();
        list.truncate(list.len() - tail);
        list
    }

    fn give_up(&self, queue: &[&Row], delivery: &Delivery, now: Millis) -> Option<Settled> {
        let on_their_way = self.in_flight.as_ref().map_or(&[][..], |flight| &flight.rows);
        let offered = self.open.values().filter_map(|open| open.offered.as_ref());
        let offered: Vec<&PartId> = offered.flat_map(|offered| &offered.rows).collect();
        let old: Vec<&Row> = queue
            .iter()
            .filter(|row| now > row.made_ms.saturating_add(delivery.age_max_ms))
            .filter(|row| !on_their_way.contains(&row.id) && !offered.contains(&&row.id))
            .copied()
            .collect();
        if old.is_empty() {
            return None;
        }
        let minutes = delivery.age_max_ms / MINUTE;
        let why = format!("not delivered within {minutes} minutes");
        Some(dead(&old, &why, self.ambiguous(&old), now))
    }

    fn ambiguous(&self, rows: &[&Row]) -> bool {
        rows.iter().any(|row| self.tries.get(&row.id).is_some_and(|tries| tries.ambiguous))
    }

    fn try_again(
        &mut self,
        flight: &InFlight,
        after_ms: Option<Millis>,
        ambiguous: bool,
        now: Millis,
    ) {
        let mut made = 0;
        for id in &flight.rows {
            let tries = self.tries.entry(id.clone()).or_default();
            tries.made += 1;
            tries.ambiguous |= ambiguous;
            made = made.max(tries.made);
        }
        if let Some(head) = flight.rows.first() {
            self.retry_at_ms = retry::next(made, now, after_ms, chance(head, made));
        }
    }

    fn requests(&mut self, state: &Conversation, now: Millis) -> Vec<Send> {
        let room = REQUESTS_MAX.saturating_sub(self.requests.len());
        let ready: Vec<Row> = self
            .waiting_requests(state)
            .filter(|row| self.request_at(&row.id) <= now)
            .take(room)
            .cloned()
            .collect();
        let mut sends = Vec::new();
        for row in ready {
            self.calls += 1;
            self.requests.insert(self.calls, row.id.clone());
            sends.push(Send::Request { call: self.calls, row: Box::new(row) });
        }
        sends
    }

    fn waiting_requests<'a>(&'a self, state: &'a Conversation) -> impl Iterator<Item = &'a Row> {
        let room = self.requests.len() < REQUESTS_MAX;
        state
            .rows
            .iter()
            .filter(move |_| room)
            .filter(|row| matches!(row.action, Action::Request(_)))
            .filter(|row| !self.requests.values().any(|id| *id == row.id))
    }

    fn request_at(&self, id: &PartId) -> Millis {
        self.request_tries.get(id).map_or(0, |tries| tries.next_ms)
    }
}

/// Rows that nobody may say any more: somebody else has taken the conversation.
pub fn quarantine(rows: &[Row], now: Millis) -> Option<Settled> {
    let withheld: Vec<_> = rows
        .iter()
        .filter(|row| crate::plan::reach(&row.action) == crate::plan::Reach::Person)
        .map(|row| (row.id.clone(), RowEnd::Quarantined))
        .collect();
    (!withheld.is_empty()).then(|| Settled { at_ms: now, rows: withheld, ..Settled::default() })
}

fn vendor_rows(state: &Conversation) -> Vec<&Row> {
    state.rows.iter().filter(|row| !matches!(row.action, Action::Request(_))).collect()
}

fn ids(rows: &[Row]) -> Vec<PartId> {
    rows.iter().map(|row| row.id.clone()).collect()
}

fn select<'a>(state: &'a Conversation, ids: &[PartId]) -> Vec<&'a Row> {
    state.rows.iter().filter(|row| ids.contains(&row.id)).collect()
}

fn delivered(rows: &[&Row], delivery: &Delivery, now: Millis) -> Settled {
    let delays: u64 = rows.iter().map(|row| delay_ms(row)).sum();
    let hand_off = rows.iter().any(|row| matches!(row.action, Action::Forward(_) | Action::Abort));
    Settled {
        at_ms: now,
        rows: rows.iter().map(|row| (row.id.clone(), RowEnd::Delivered)).collect(),
        mirrored: rows
            .iter()
            .rev()
            .find_map(|row| row.context.as_ref())
            .map(|context| Digest::of(context.as_bytes())),
        closed_until_ms: (delivery.native_delay && delays > 0).then(|| now + delays),
        owner: hand_off.then_some(Owner::Human),
        ..Settled::default()
    }
}

/// The delays at the head that no list carries: the host itself waits.
fn play_delay(queue: &[&Row], now: Millis) -> Settled {
    let head: Vec<&&Row> =
        queue.iter().take_while(|row| matches!(row.action, Action::Delay(_))).collect();
    let followed = queue.len() > head.len();
    let sum: u64 = head.iter().map(|row| delay_ms(row)).sum();
    Settled {
        at_ms: now,
        rows: head.iter().map(|row| (row.id.clone(), RowEnd::Delivered)).collect(),
        closed_until_ms: followed.then(|| now + sum),
        ..Settled::default()
    }
}

fn delay_ms(row: &Row) -> Millis {
    if let Action::Delay(delay) = &row.action { u64::from(delay.delay_ms) } else { 0 }
}

fn dead(rows: &[&Row], reason: &str, ambiguous: bool, now: Millis) -> Settled {
    let mut settled = Settled { at_ms: now, ..Settled::default() };
    for row in rows {
        settled.rows.push((row.id.clone(), RowEnd::Dead(reason.to_owned())));
        let event = if matches!(row.action, Action::Forward(_) | Action::Abort) {
            settled.owner = Some(Owner::Bot);
            EventBody::ForwardFailed(ForwardFailed { reason: Some(reason.to_owned()) })
        } else if row.quiet || matches!(row.action, Action::Delay(_) | Action::Typing(_)) {
            continue;
        } else {
            EventBody::DeliveryFailed(DeliveryFailed {
                part: row.id.to_string(),
                action: row.action.name().to_owned(),
                reason: reason.to_owned(),
                ambiguous,
            })
        };
        settled.events.push(follow_up(&row.id, "failed", event, true, now));
    }
    settled
}

fn gone(state: &Conversation, reason: &str, now: Millis) -> Settled {
    let rows = vendor_rows(state);
    let ends = rows.iter().map(|row| (row.id.clone(), RowEnd::Dead(reason.to_owned())));
    let ended = EventBody::Ended(Ended { reason: Some(reason.to_owned()) });
    let event = rows.first().map(|row| follow_up(&row.id, "ended", ended, true, now));
    Settled {
        at_ms: now,
        rows: ends.collect(),
        events: event.into_iter().collect(),
        ..Settled::default()
    }
}

/// An event that follows from a delivery. Its id, key and seed follow from the
/// row, so that it is the same event however often it is made.
fn follow_up(row: &PartId, what: &str, body: EventBody, quiet: bool, now: Millis) -> Arrival {
    let id = format!("{row}.{what}");
    let digest = Digest::of(id.as_bytes());
    Arrival {
        event: Event {
            id: EventId(format!("e{id}")),
            received_ms: now,
            vendor_ms: None,
            raw: None,
            body,
        },
        facts: None,
        vendor_context: None,
        key: Some(id.clone()),
        request: None,
        quiet,
        seed: Seed::from_digest(&digest),
    }
}

/// Chance that is the same for the same attempt at the same row: jitter needs
/// to differ between rows, not between runs.
fn chance(row: &PartId, attempt: u32) -> u64 {
    let digest = Digest::of_parts([row.as_str().as_bytes(), &attempt.to_be_bytes()]);
    digest.as_bytes()[..8].iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}
