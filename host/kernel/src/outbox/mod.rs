//! Delivery of a conversation's committed actions: one queue, in order.
//!
//! The rows themselves are part of the [`Conversation`]; this machine holds only
//! what may be forgotten at a crash: which rows are on their way, in which open
//! answer they were offered, when the next attempt is due. It never does
//! anything itself: [`Outbox::poll`] says what is to be done, the driver does it
//! and reports through [`Outbox::answered`], [`Outbox::called`] and
//! [`Outbox::requested`], whose [`Settled`] values are to be stored.

mod acknowledgements;
mod answers;
mod cut;
mod ended;
mod flight;
mod give_up;
mod line;
mod requests;
mod settle;

use std::collections::BTreeMap;

use crate::action::Action;
use crate::destination::Purpose;
use crate::event::Answer;
use crate::id::{Digest, EventId, PartId};
use crate::log::{Acknowledgement, Conversation, Route, Row, Settled};
use crate::profile::Delivery;
use crate::rate;
use crate::time::{DAY, MINUTE, Millis, SECOND};
use acknowledgements::Acknowledging;
pub use acknowledgements::{ACKNOWLEDGE_ATTEMPTS_MAX, ASK_AFTER_MS};
use answers::Open;
use cut::Way;
use flight::Flight;
pub use give_up::room;
use line::Line;
pub(crate) use requests::response_id;
pub(crate) use settle::{fitting, is_own_failure};

/// An open HTTP request that waits for its answer; numbered by the driver.
pub type RequestId = u64;
/// Names a call that was asked for, so that its end can be told.
pub type CallId = u64;

/// An offered answer of which nothing is heard for so long counts as failed.
pub const OFFER_BACKSTOP_MS: Millis = 30 * SECOND;
/// What only the person's next request can carry waits for so long.
pub const WAITS_FOR_PERSON_MS: Millis = DAY;
/// At most so many rows leave in one list.
pub const LIST_MAX: usize = 64;
/// And at most so many bytes of actions (canonical JSON), unless one alone has more: more
/// than a turn may return, and little enough that all of a list can end in one settlement,
/// as letters nobody delivered.
pub const LIST_BYTES_MAX: usize = 128 * 1024;
/// At most so many bytes of actions wait for delivery in a conversation (canonical
/// JSON); the oldest beyond that are given up.
pub const WAITING_BYTES_MAX: usize = 160 * 1024;
/// At most so many `request` actions of a conversation are under way at once.
pub const REQUESTS_MAX: usize = 4;
/// A `request` that no server answered is tried so often in all.
pub const REQUEST_ATTEMPTS_MAX: u32 = 4;
/// A host keeps at most so long waiting for `request`s: then `response` says failed.
pub const REQUEST_AGE_MAX_MS: Millis = 10 * MINUTE;
/// At most so many rows end in one settlement, or come back in one: a settlement has
/// to fit into the store, however many rows wait.
pub const SETTLED_ROWS_MAX: usize = 256;
/// And so many bytes of their actions (canonical JSON), unless one alone has more.
pub const SETTLED_BYTES_MAX: usize = 64 * 1024;
/// The answer to a `request` as it is written down (bytes); a longer body is cut.
pub const RESPONSE_BYTES_MAX: usize = 240 * 1024;

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
        /// It leaves before what the request brings is known or may ride: that comes
        /// later, by a call.
        late: bool,
    },
    /// Ask the vendor's [`Destination`](crate::destination::Destination) whether a
    /// call may leave now. Report by [`Outbox::admitted`].
    Ask {
        /// Names the call.
        call: CallId,
        /// The time that an earlier answer kept a place for.
        ticket: Option<Millis>,
        /// What the call is for.
        purpose: Purpose,
    },
    /// Make the vendor's API call for these rows. Report by [`Outbox::called`].
    Call {
        /// Names the call.
        call: CallId,
        /// What it carries.
        rows: Vec<Row>,
        /// The vendor may have taken them before: nobody knows.
        again: bool,
    },
    /// Tell the vendor that an event was taken, or what follows from a delivery. Report by [`Outbox::acknowledged`].
    Acknowledge {
        /// Names the call.
        call: CallId,
        /// Which event.
        acknowledgement: Acknowledgement,
    },
    /// Make the HTTP call of a `request` action. Report by [`Outbox::requested`].
    Request {
        /// Names the call.
        call: CallId,
        /// The row with the action.
        row: Box<Row>,
    },
}

impl Send {
    /// The vendor's empty answer, to a request that could not wait any longer.
    pub fn late(request: RequestId) -> Self {
        Self::Answer { request, rows: Vec::new(), late: true }
    }
}

/// What may ride in the answer of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rides {
    /// A list of what comes first.
    #[default]
    List,
    /// One of the actions of these canonical names, the first there is, with all that
    /// only the vendor's desk sees: what stands before it goes by call, behind it.
    One(&'static [&'static str]),
}

/// A request that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// What it brought.
    pub events: Vec<EventId>,
    /// It is answered then at the latest, once its events are accepted.
    pub answer_by_ms: Millis,
    /// Actions may ride in its answer.
    pub carries: bool,
    /// Which.
    pub rides: Rides,
    /// The vendor may send the same bytes again, so the fate of its answer matters.
    pub redeliverable: bool,
}

/// How a vendor call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Called {
    /// The vendor took everything.
    Delivered {
        /// What it is to be told because of that, each in its own form: it comes back
        /// as a [`Send::Acknowledge`].
        follow_ups: Vec<String>,
        /// What it is to be asked in the same way, where it has taken the rows and may
        /// still fail to deliver them: [`Called::Fatal`] then says that it did, and
        /// [`Called::Retry`] that it has not said.
        asks: Option<String>,
    },
    /// Nothing was taken, and trying again may help.
    Retry {
        /// Not before so long from now.
        after_ms: Option<Millis>,
        /// The vendor may have acted all the same.
        ambiguous: bool,
        /// Why.
        reason: String,
        /// After so many tries in all it is not tried again.
        tries_max: Option<u32>,
    },
    /// Nothing was taken and never will be.
    Fatal(String),
    /// Nothing was taken, as somebody else has the conversation.
    Taken(String),
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
    /// It did not leave: the service is left alone until then, because it has not
    /// answered others.
    Held {
        /// When to try.
        until_ms: Millis,
    },
    /// The call is not allowed or not possible.
    Refused(String),
}

/// The delivery machine of one conversation.
#[derive(Debug, Default)]
pub struct Outbox {
    open: BTreeMap<RequestId, Open>,
    flight: Option<Flight>,
    /// No call leaves; see [`Outbox::pause`].
    paused: Paused,
    line: Line,
    /// Rows that were under way when a host died and were not looked at yet.
    orphans: Vec<PartId>,
    /// A call that the vendor has counted, if it came at all.
    doubtful_call_ms: Option<Millis>,
    acknowledging: Option<Acknowledging>,
    acknowledgements: Line,
    requests: BTreeMap<CallId, PartId>,
    request_tries: BTreeMap<PartId, Tries>,
    tries: BTreeMap<PartId, Tries>,
    /// The rows of a refused list leave one by one, so that one bad row does
    /// not take its neighbours with it.
    singly: Vec<PartId>,
    calls: CallId,
}

/// What an operator has stopped. What is under way ends; what waits goes on
/// waiting, and grows old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paused {
    /// The bot: no turns run, and no `request` of it leaves.
    pub bot: bool,
    /// The channel: moreover, no call to the vendor leaves.
    pub channel: bool,
}

impl Paused {
    /// Whether turns wait.
    pub fn turns(self) -> bool {
        self.bot || self.channel
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    made: u32,
    ambiguous: bool,
    /// The wait before the last try.
    wait_ms: Millis,
    next_ms: Millis,
}

impl Outbox {
    /// Whether nothing is on its way: the machine can be forgotten.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
            && self.flight.is_none()
            && self.requests.is_empty()
            && self.acknowledging.is_none()
    }

    /// Whether the destination keeps a place in its line for a call from here. A
    /// machine that is forgotten meanwhile takes another place, behind all that
    /// others have taken since, again and again: only a host that stops may do so.
    pub fn keeps_a_place(&self) -> bool {
        self.line.ticket.is_some() || self.acknowledgements.ticket.is_some()
    }

    /// An operator pauses or resumes.
    pub fn pause(&mut self, paused: Paused) {
        self.paused = paused;
    }

    /// What is to be done now. Rows that are given up come back as a settlement:
    /// apply it and ask again.
    pub fn poll(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> (Vec<Send>, Option<Settled>) {
        self.expire_offers(now);
        self.forget_ended(state);
        let queue = vendor_rows(state);
        if queue.is_empty() || self.paused.channel {
            // Nobody comes to take the place that is kept.
            self.line.ticket = None;
        }
        self.call_off(state, delivery, now);
        let given_up = self
            .withhold(state, now)
            .or_else(|| self.hold_orphans(state, delivery, now))
            .or_else(|| Self::outdated(state, delivery, now))
            .or_else(|| self.give_up(state, &queue, delivery, now))
            .or_else(|| settle::handed_over(state, &queue, now));
        if let Some(mut given_up) = given_up {
            // With the rows goes the claim that would remind the next host of the call.
            given_up.called_ms.extend(self.doubtful_call_ms.take());
            return (Vec::new(), Some(given_up));
        }
        let mut sends = self.answers(state, delivery, now);
        sends.extend(self.requests(state, now));
        sends.extend(self.acknowledge(state, delivery, now));
        sends.extend(self.take_off(state));
        if let Some(claim) = self.claim(state, now) {
            return (sends, Some(claim));
        }
        if self.plays_without_calls(state, &queue, delivery, now) {
            let mut played = settle::play(&queue, delivery, now);
            if state.route == Route::ThisAnswer {
                // Whoever waits would get nothing at all.
                played.closed_until_ms = None;
            }
            return (sends, Some(played));
        }
        if self.call_at(state, &queue, delivery, now).is_none_or(|at| at > now) {
            return (sends, None);
        }
        let list = self.cut(&queue, delivery, Way::Call);
        if list.is_empty() {
            // Nothing carries the head: the host itself waits, or falls silent.
            return (sends, Some(settle::play(&queue, delivery, now)));
        }
        if let Some(by_call) = settle::by_call(&list, now) {
            return (sends, Some(by_call));
        }
        let rows = list.into_iter().map(|row| row.id.clone()).collect();
        sends.push(self.ask(rows));
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
        let call = self.call_at(state, &queue, delivery, now);
        let requests = self.waiting_requests(state).map(|row| self.request_at(&row.id));
        let free = queue.iter().filter(|row| !self.is_on_its_way(&row.id));
        let free = free.filter(|row| !self.ends_a_sentence(row, &queue));
        let old = free.map(|row| self.too_old_at(row, state.route, delivery));
        let old = old.chain(self.old_at(state, delivery));
        let rows = call.into_iter().chain(requests).chain(old);
        let acknowledgement = self.acknowledge_at(state, delivery);
        self.answer_at(state, now).into_iter().chain(acknowledgement).chain(rows).min()
    }

    /// When deliveries go on if this machine is forgotten: nothing where only
    /// the conversation itself can tell.
    pub fn resumes_at(
        &self,
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Millis> {
        if !self.is_idle() {
            return None;
        }
        self.wake_at(state, delivery, now)
    }

    /// Something earlier is on its way or being played.
    fn is_busy(&self, state: &Conversation, now: Millis) -> bool {
        self.flight.is_some() || self.offers_something() || now < state.closed_until_ms
    }

    /// Whether a delay stands before what only answers carry: nothing but time takes
    /// it away.
    fn plays_without_calls(
        &self,
        state: &Conversation,
        queue: &[&Row],
        delivery: &Delivery,
        now: Millis,
    ) -> bool {
        let unreached = state.route != Route::Calls && !self.paused.channel;
        let head = queue.first().filter(|head| unreached && cut::is_played(head, delivery));
        head.is_some() && !self.is_busy(state, now)
    }

    fn is_on_its_way(&self, id: &PartId) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.rows.contains(id))
            || self.requests.values().any(|request| request == id)
            || self.is_offered(id)
    }

    fn is_ambiguous(&self, rows: &[&Row]) -> bool {
        rows.iter().any(|row| self.tries.get(&row.id).is_some_and(|tries| tries.ambiguous))
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
        let waits = self.waits_for_answer(head, delivery, Way::Call);
        let unreached = state.route != Route::Calls;
        if self.flight.is_some() || offered || waits || unreached || self.paused.channel {
            return None;
        }
        let plays_here = || self.cut(queue, delivery, Way::Call).is_empty();
        let free = match delivery.rate {
            Some(rate) if !plays_here() => {
                let doubtful = self.doubtful_call_ms.iter();
                let called: Vec<_> = state.called_ms.iter().chain(doubtful).copied().collect();
                rate::free_at(&called, rate, now)
            }
            Some(_) | None => now,
        };
        let held = self.line.held_until_ms;
        let gates = [state.closed_until_ms, state.calls_from_ms, held, free];
        gates.into_iter().max()
    }
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

/// Chance that is the same for the same attempt at the same row: jitter needs
/// to differ between rows, not between runs.
fn chance(row: &PartId, attempt: u32) -> u64 {
    Digest::of_parts([row.as_str().as_bytes(), &attempt.to_be_bytes()]).chance()
}
