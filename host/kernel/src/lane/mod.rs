//! The lane of a conversation: its events get their turns one at a time, in the
//! order of arrival, and its actions leave in order.
//!
//! A state machine without IO. The driver feeds it [`Input`]s and carries out
//! [`Effect`]s; at most one write of a lane is under way at once, so what is
//! stored always has the order in which it was decided. After a write that
//! failed, or that found entries of somebody else, the lane believes nothing
//! but the store: it reads its conversation again.

mod arrivals;
mod backlog;
mod calls;
mod deliveries;
mod loading;
mod oversized;
mod own;
mod pace;
mod queue;
mod turns;
mod writes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::call::{Ask, CallAnswer};
use crate::deployment::Pinned;
use crate::destination::Admission;
use crate::event::Event;
use crate::id::{ConversationKey, Digest, EventId, PartId};
use crate::log::{Arrival, Call, Conversation, Outcome, Row, Seq, Settled, Turn};
use crate::outbox::{CallId, Called, Outbox, Paused, RequestId, Requested, Rides, Send};
use crate::plan::Policy;
use crate::profile::{Delivery, Profile};
use crate::run::{RunFailure, RunOutput};
use crate::session::Session;
use crate::time::{Millis, SECOND};
use arrivals::Early;
pub use backlog::WAITING_MAX;
use calls::Calling;
use oversized::Oversized;
pub use oversized::TOO_LARGE_RETRY_MS;
use pace::Pace;
pub use pace::{TURN_RATE, UNPROMPTED_RATE};
use queue::Queued;
use turns::{Attempts, Running};
use writes::Write;

/// After so long the event of a running turn is accepted on its own.
pub const ACCEPT_AFTER_MS: Millis = 20;
/// A store that failed is asked again after so long.
pub const STORE_RETRY_MS: Millis = SECOND;

/// What the lane must know of its channel; replaced as a whole when it changes.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Turns.
    pub policy: Policy,
    /// Deliveries.
    pub delivery: Delivery,
}

/// What happened to a lane.
#[derive(Debug)]
pub enum Input {
    /// A webhook, a signal: with the request that waits for its answer, if any.
    Arrived {
        /// Who waits.
        request: Option<RequestId>,
        /// What happened, in order; at least one.
        arrivals: Vec<Arrival>,
        /// The request is answered as soon as its events are accepted.
        accept_only: bool,
        /// What may ride in its answer.
        rides: Rides,
    },
    /// The end of [`Effect::Load`].
    Loaded(Box<Loaded>),
    /// The end of [`Effect::Accept`]: the entries of the events, in order.
    Accepted(Vec<Seq>),
    /// The end of [`Effect::Commit`]: the turn's entry, or a conflict.
    Committed(Option<Seq>),
    /// The end of [`Effect::Settle`]: the entries of the follow-up events, and
    /// the last entry of the log now.
    Settled {
        /// Entries of the follow-up events, in order.
        events: Vec<Seq>,
        /// The last entry of the log.
        last: Seq,
    },
    /// The end of [`Effect::Record`]: the call's entry.
    Recorded(Seq),
    /// The store failed at what was under way; it may have written all the same.
    StoreFailed,
    /// The end of [`Effect::Accept`], [`Effect::Commit`] or [`Effect::Record`]: the
    /// store takes nothing so large, and has written nothing.
    TooLarge,
    /// There is no room to run now; [`Input::Ran`] comes later.
    NoRoom,
    /// A running bot wants to make a call, and waits for [`Effect::Resume`] or
    /// [`Effect::Abandon`].
    Asked {
        /// Names the run.
        run: u64,
        /// Which call.
        ask: Box<Ask>,
    },
    /// The end of [`Effect::Fetch`].
    Fetched {
        /// Names the run.
        run: u64,
        /// What came of the call.
        answer: CallAnswer,
    },
    /// The bot ran.
    Ran {
        /// Names the run.
        run: u64,
        /// What it came to.
        output: Box<RunOutput>,
        /// The component.
        version: Digest,
        /// What the medium of the conversation carries.
        profile: Box<Profile>,
    },
    /// What the medium carries of which [`Effect::Profile`] asked.
    Profile {
        /// Names the question.
        run: u64,
        /// The answer.
        profile: Box<Profile>,
    },
    /// The answer of a request was handed over whole, or was not.
    Answered {
        /// Whose answer.
        request: RequestId,
        /// All of it was written.
        whole: bool,
    },
    /// Whoever waited for an answer has left before there was one.
    ClientLeft(RequestId),
    /// Whether a call may leave: the answer to [`Send::Ask`].
    Admitted {
        /// Which.
        call: CallId,
        /// What its destination says.
        admission: Admission,
    },
    /// A vendor call ended.
    Called {
        /// Which.
        call: CallId,
        /// How.
        called: Called,
    },
    /// The call of an acknowledgement ended.
    Acknowledged {
        /// Which.
        call: CallId,
        /// How.
        called: Called,
    },
    /// The call of a `request` action ended.
    Requested {
        /// Which.
        call: CallId,
        /// How.
        requested: Requested,
    },
    /// Dead letters that an operator wants sent again, now, as if they were new.
    Redrive(Vec<Row>),
    /// A human who uses the host as their desk says something: the event tells of it,
    /// the rows are to be delivered. Nothing happens where the event's key is known.
    Speak {
        /// That a human spoke.
        arrival: Box<Arrival>,
        /// What is to be delivered.
        rows: Vec<Row>,
    },
    /// An operator pauses or resumes the bot or the channel.
    Pause(Paused),
    /// Time has passed.
    Wake,
}

/// A conversation as the store has it.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The last entry.
    pub last: Seq,
    /// The last turn with its entry.
    pub turn: Option<(Seq, Turn)>,
    /// Accepted events that wait for their turns, in order.
    pub accepted: Vec<(Seq, Arrival)>,
    /// There are more of them than were loaded, which were [`WAITING_MAX`].
    pub more: bool,
    /// What was settled after the turn's snapshot.
    pub settled: Vec<Settled>,
    /// Recorded calls of those events, in order.
    pub calls: Vec<Call>,
}

/// What the driver is to do. Each store effect is answered by exactly one input,
/// and there is never more than one of them under way.
#[derive(Debug)]
pub enum Effect {
    /// Read the conversation.
    Load,
    /// Write these events, in order.
    Accept(Vec<Arrival>),
    /// Write this turn.
    Commit(Box<Turn>),
    /// Write this settlement.
    Settle(Box<Settled>),
    /// Write this answer to a call.
    Record(Box<Call>),
    /// Run the bot. `session.profile` is the driver's to fill in.
    Run {
        /// Names the run.
        run: u64,
        /// On what.
        event: Box<Event>,
        /// Where.
        session: Box<Session>,
        /// The conversation's own values.
        kv: BTreeMap<String, String>,
        /// Calls that earlier runs on this event have recorded, in order.
        calls: Vec<Call>,
        /// What the run's version is bound to; which one it has says
        /// [`crate::deployment::Deployment::version_for`], as of `session.now_ms`.
        pinned: Option<Pinned>,
    },
    /// Say what a medium carries, by [`Input::Profile`].
    Profile {
        /// Names the question.
        run: u64,
        /// The event that is to be answered.
        event: EventId,
        /// Which medium.
        medium: String,
    },
    /// Make this call of a running bot: its event is on stable storage.
    Fetch {
        /// Names the run.
        run: u64,
        /// Goes out with the request, the same for every try.
        idempotency_key: String,
        /// Which call.
        ask: Box<Ask>,
    },
    /// The answer is on stable storage: the bot goes on with it.
    Resume {
        /// Names the run.
        run: u64,
        /// What the bot sees.
        answer: Box<CallAnswer>,
    },
    /// The bot of this run waits in vain: what it comes to does not count.
    Abandon {
        /// Names the run.
        run: u64,
    },
    /// Refuse this request: the vendor must send its events again.
    Refuse(RequestId),
    /// A delivery.
    Send(Send),
    /// A turn is on stable storage: for logs and metrics.
    Turned(Box<Turn>),
    /// Dead letters wait for delivery again, on stable storage.
    Revived(Vec<PartId>),
    /// The store does not even take the failure turn of an event: the conversation
    /// stands still until there is room. Told once for each event.
    TooLarge {
        /// Which event.
        event: EventId,
        /// When it is tried again.
        next_ms: Millis,
    },
    /// A run failed by the host's fault and is repeated: for logs and metrics. The
    /// last try is not told here, it ends in a turn.
    RunFailed {
        /// On which event.
        event: EventId,
        /// How.
        failure: RunFailure,
        /// Tries so far, this one included.
        tries: u32,
        /// When the next one begins.
        next_ms: Millis,
    },
}

/// The lane of one conversation.
#[derive(Debug)]
pub struct Lane {
    key: ConversationKey,
    rules: Arc<Rules>,
    outbox: Outbox,
    /// What is known of the log; nothing is decided while it is not.
    loaded: bool,
    state: Conversation,
    last: Seq,
    turn: Seq,
    /// The turn that an erasure left, if it was the last one when the log was read.
    erased: Option<Seq>,
    /// Events behind this entry were not read yet.
    unread_from: Option<Seq>,
    /// How many of them this lane has met.
    unread: usize,
    early: Vec<Early>,
    /// Stored events first, then those that are not.
    queue: VecDeque<Queued>,
    waiting_max: usize,
    /// Requests that still wait for their answers.
    unanswered: BTreeSet<RequestId>,
    /// A timer that is due, or the end of the session's time. It has no entry:
    /// until its turn is committed it stays in the conversation.
    timer: Option<Box<Arrival>>,
    pace: Pace,
    running: Option<Running>,
    runs: u64,
    calling: Option<Calling>,
    /// Recorded calls of events that wait for their turns.
    calls: Vec<Call>,
    attempts: Option<Attempts>,
    /// What the medium carries, as the last run was told.
    profile: Option<Profile>,
    oversized: Option<Oversized>,
    finished: Option<Box<Turn>>,
    writing: Option<Write>,
    unsaved: VecDeque<Settled>,
    /// Dead letters that are to be sent again.
    redriven: Vec<Row>,
    /// What a human says through the host.
    spoken: Vec<(Box<Arrival>, Vec<Row>)>,
    paused: Paused,
    /// The store failed: it is asked again then.
    store_retry_ms: Option<Millis>,
}

impl Lane {
    /// What the channel says from now on. What was decided before stays as it was.
    pub fn set_rules(&mut self, rules: &Arc<Rules>) {
        if !Arc::ptr_eq(&self.rules, rules) {
            self.rules = Arc::clone(rules);
        }
    }

    /// A lane that knows nothing yet: it loads its conversation first.
    pub fn new(key: ConversationKey, rules: Arc<Rules>) -> Self {
        Self {
            key,
            rules,
            outbox: Outbox::default(),
            loaded: false,
            state: Conversation::default(),
            last: 0,
            turn: 0,
            erased: None,
            unread_from: None,
            unread: 0,
            early: Vec::new(),
            queue: VecDeque::new(),
            waiting_max: WAITING_MAX,
            unanswered: BTreeSet::new(),
            timer: None,
            pace: Pace::default(),
            running: None,
            runs: 0,
            calling: None,
            calls: Vec::new(),
            attempts: None,
            profile: None,
            oversized: None,
            finished: None,
            writing: None,
            unsaved: VecDeque::new(),
            redriven: Vec::new(),
            spoken: Vec::new(),
            paused: Paused::default(),
            store_retry_ms: None,
        }
    }

    /// The conversation as it stands, deliveries that are not stored yet included.
    pub fn state(&self) -> &Conversation {
        &self.state
    }

    /// The next time at which [`Input::Wake`] has something to do.
    pub fn wake_at(&self, now: Millis) -> Option<Millis> {
        if !self.loaded {
            let overdue = self.outbox.overdue_at();
            return self.store_retry_ms.into_iter().chain(overdue).min();
        }
        let outbox = self.outbox.wake_at(&self.state, &self.rules.delivery, now);
        self.accept_at().into_iter().chain(self.run_at()).chain(outbox).min()
    }

    /// Nothing waits, runs or is on its way: what is left follows from the store.
    pub fn is_idle(&self) -> bool {
        self.loaded
            && self.early.is_empty()
            && (self.queue.is_empty() || self.rests())
            && self.redriven.is_empty()
            && self.spoken.is_empty()
            && self.timer.is_none()
            && self.running.is_none()
            && self.finished.is_none()
            && self.writing.is_none()
            && self.unsaved.is_empty()
            && self.outbox.is_idle()
    }

    /// Whether a place in a destination's line is kept for this lane: it must stay in
    /// memory until then, however long that is.
    pub fn keeps_a_place(&self) -> bool {
        self.outbox.keeps_a_place()
    }

    /// Whether a call of a vendor that was asked for is still wanted, or under way.
    pub fn is_calling(&self, call: CallId) -> bool {
        self.outbox.is_calling(call)
    }

    /// Takes an input and says what is to be done.
    pub fn on(&mut self, input: Input, now: Millis) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Arrived { request, arrivals, accept_only, rides } => {
                self.early.push(Early { request, arrivals, accept_only, rides, arrived_ms: now });
            }
            Input::Loaded(loaded) => self.on_loaded(*loaded, now),
            Input::Accepted(seqs) => self.on_accepted(&seqs),
            Input::Committed(seq) => self.on_committed(seq, now, &mut effects),
            Input::Settled { events, last } => self.on_settled(&events, last, now, &mut effects),
            Input::Recorded(seq) => self.on_recorded(seq),
            Input::StoreFailed => self.on_store_failed(now, &mut effects),
            Input::TooLarge => self.on_too_large(now, &mut effects),
            Input::NoRoom => self.on_no_room(),
            Input::Asked { run, ask } => self.on_asked(run, ask, &mut effects),
            Input::Fetched { run, answer } => self.on_fetched(run, answer),
            Input::Profile { run, profile } => self.on_profile(run, *profile, now),
            Input::Ran { run, output, version, profile } => {
                self.end_calls(run);
                self.on_ran(run, *output, version, *profile, now, &mut effects);
            }
            Input::Answered { request, whole } => self.on_answered(request, whole, now),
            Input::ClientLeft(request) => self.on_client_left(request),
            Input::Admitted { call, admission } => self.outbox.admitted(call, admission),
            Input::Redrive(rows) => self.redriven.extend(rows),
            Input::Speak { arrival, rows } => self.spoken.push((arrival, rows)),
            Input::Pause(paused) => self.on_pause(paused),
            Input::Called { call, called } => self.on_called(call, called, now),
            Input::Acknowledged { call, called } => self.on_acknowledged(call, &called, now),
            Input::Requested { call, requested } => self.on_requested(call, requested, now),
            Input::Wake => {}
        }
        self.advance(now, &mut effects);
        effects
    }

    /// Does whatever can be done now.
    fn advance(&mut self, now: Millis, effects: &mut Vec<Effect>) {
        if self.loaded {
            self.revive(now);
            self.speak(now);
            self.admit_early(now, effects);
            self.call(now, effects);
            self.write(now, effects);
            self.start_run(now, effects);
            self.write(now, effects);
            self.deliver(now, effects);
            self.write(now, effects);
        }
        // Any of these may have found that the conversation must be read again.
        if !self.loaded {
            self.load(now, effects);
        }
    }
}

/// Whether a turn's failure is worth a line for the operator: the bot's author
/// sees it in the bot's own log in any case.
pub fn failure(turn: &Turn) -> Option<&RunFailure> {
    if let Outcome::Failed { failure, .. } = &turn.outcome { Some(failure) } else { None }
}

#[cfg(test)]
mod tests;
