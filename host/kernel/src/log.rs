//! The log of a conversation: what is written, and how its state follows from it.
//!
//! One conversation is one ordered log of entries. Its state is its last turn,
//! which carries a whole snapshot, plus what was settled after that snapshot
//! was taken. The store keeps entries and never looks inside the state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::broken::{self, Mutation};
use crate::call::Journal;
use crate::context;
use crate::event::Event;
use crate::id::{BotId, Digest, EventId, PartId, SessionId, TurnId};
use crate::outbox::WAITS_FOR_PERSON_MS;
use crate::owner::Owner;
use crate::run::{KvWrite, LogLine, RunFailure};
use crate::session::{Facts, Seed};
use crate::time::{DAY, MINUTE, Millis};

/// The place of an entry in its conversation's log: 1 is the first.
pub type Seq = u64;

/// Event keys are remembered at least this long.
pub const KEY_AGE_MS: Millis = DAY;
/// At most so many event keys are remembered in a snapshot.
pub const KEYS_MAX: usize = 4_096;
/// How long the same request counts as a redelivery of one whose answer failed.
pub const REDELIVERY_MS: Millis = 10 * MINUTE;
/// How many events are remembered whose answers went out before their turns.
pub const ANSWERED_MAX: usize = 256;
/// Calls are remembered so long for a vendor's rate: windows are not longer.
pub const CALLS_KEPT_MS: Millis = 10 * MINUTE;
/// At most so many calls are remembered: rates are not higher within a window.
pub const CALLS_KEPT_MAX: usize = 256;
/// At most so many acknowledgements of a conversation wait; the oldest beyond that
/// are given up.
pub const ACKNOWLEDGEMENTS_MAX: usize = 64;
/// How many contexts that were sent to the vendor are told from foreign ones.
pub const MIRRORED_MAX: usize = 256;

/// An event on its way into a conversation, with what the vendor said around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// What happened.
    pub event: Event,
    /// Who and where; absent for what the host itself made.
    pub facts: Option<Facts>,
    /// The context that the vendor holds, as it sent it; absent or a JSON object.
    pub vendor_context: Option<String>,
    /// The vendor's id of the event, or what stands for one; see [`Conversation::knows`].
    pub key: Option<String>,
    /// Names the HTTP request that brought it, where the vendor has no event ids:
    /// a hash of method, URL and body.
    pub request: Option<Digest>,
    /// The event is the consequence of a failure that the bot must not be told again
    /// about: no `delivery-failed` follows from its turn.
    pub quiet: bool,
    /// What the vendor's acknowledgement of it needs, in the vendor's own form;
    /// absent where it wants none.
    pub acknowledge: Option<String>,
    /// What a reply needs besides the key of the conversation, in the vendor's own
    /// form; absent where it needs no more, or where the event says nothing of it.
    pub reply_to: Option<String>,
    /// How replies reach the person from now on; absent where nothing is said of it.
    pub route: Option<Route>,
    /// Who owns the conversation, where the vendor says so.
    pub owner: Option<Owner>,
    /// The chance of its turn, chosen at arrival.
    pub seed: Seed,
}

impl Arrival {
    /// An event of which nothing is known besides: what the host itself makes.
    pub fn new(event: Event, seed: Seed) -> Self {
        Self {
            event,
            facts: None,
            vendor_context: None,
            key: None,
            request: None,
            quiet: false,
            acknowledge: None,
            reply_to: None,
            route: None,
            owner: None,
            seed,
        }
    }
}

/// How replies reach the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// By calls, and in answers where the vendor takes them there.
    #[default]
    Calls,
    /// Only in the answers of the person's own requests: what comes later waits for
    /// the next one.
    Answers,
    /// Only in the answer of the request that began the conversation.
    ThisAnswer,
}

/// An entry of a conversation's log.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// An event waits for its turn.
    Accepted(Box<Arrival>),
    /// An in-turn call was answered; see the import `http`.
    Called(Call),
    /// An event was handled.
    Turn(Box<Turn>),
    /// Deliveries ended.
    Settled(Settled),
}

/// A recorded answer to an in-turn call, so that a rerun takes the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The accepted event whose turn made it.
    pub event: EventId,
    /// The bot was not yet given that event, but the start that the host puts before it.
    pub of_start: bool,
    /// Which call of that turn, from 0.
    pub index: u32,
    /// The hash of the request: a rerun that asks something else is the host's fault.
    pub request: Digest,
    /// The answer or failure, as [`crate::call::write_answer`] has it.
    pub answer: String,
    /// What the turn was given until then.
    pub journal: Journal,
}

/// One event handled, with everything that follows from it. Committed whole or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Unique; a store that finds it already written answers "committed".
    pub id: TurnId,
    /// The entry of the turn before this one, 0 where there is none. A turn
    /// conflicts with any other that has the same predecessor.
    pub previous: Seq,
    /// The last entry that the snapshot includes. Settlements after it are
    /// applied on top of [`Turn::state`].
    pub base: Seq,
    /// Accepted entries up to here are consumed.
    pub watermark: Seq,
    /// The event, where it was not accepted before (a fused turn). Such a turn
    /// also conflicts with any accepted entry after `base`.
    pub fused: Option<Box<Arrival>>,
    /// The event that was handled.
    pub event: EventId,
    /// What came of it.
    pub outcome: Outcome,
    /// The bot's log of this turn.
    pub log: Vec<LogLine>,
    /// Writes to the bot's own values, applied by the store with this turn.
    pub bot: BotId,
    /// See [`Turn::bot`].
    pub bot_writes: Vec<KvWrite>,
    /// The conversation after this turn.
    pub state: Conversation,
    /// When the conversation next wants attention by itself; see [`Conversation::due`].
    pub due_ms: Option<Millis>,
    /// See [`Conversation::with_human`].
    pub human_ms: Option<Millis>,
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The bot ran.
    Ran {
        /// The component that ran.
        version: Digest,
        /// What it returned, before degrading.
        actions: Vec<Action>,
        /// CPU time of the guest in microseconds.
        cpu_us: u64,
    },
    /// The bot failed; the host did what the channel says.
    Failed {
        /// The component that failed.
        version: Digest,
        /// How.
        failure: RunFailure,
    },
    /// Nobody ran: somebody else owns the conversation, or the event was known.
    Skipped(SkipReason),
}

/// Why an event was consumed without a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Its key is known, or its timer is no longer there.
    Duplicate,
    /// The bot does not own the conversation.
    NotOwner,
    /// There is no session that the event could belong to.
    NoSession,
    /// The host's own hand-off failed: the bot owns the conversation again.
    HostHandOff,
    /// A later event of the person takes its place; see [`crate::plan::Overlap`].
    Superseded,
    /// It is the end of the session's time: the host does what the channel says.
    SessionTimeout,
}

/// What has become of deliveries since the last entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// When.
    pub at_ms: Millis,
    /// Rows that are done with.
    pub rows: Vec<(PartId, RowEnd)>,
    /// Events whose requests were answered whole.
    pub answered: Vec<EventId>,
    /// When API calls were made, for the vendor's rate.
    pub called_ms: Vec<Millis>,
    /// A hash of the context that went out with them.
    pub mirrored: Option<Digest>,
    /// Acknowledgements that are done with, one way or the other.
    pub acknowledged: Vec<PartId>,
    /// The rows that are claimed from now on, in place of those before; see
    /// [`Conversation::claimed`].
    pub claimed: Option<Vec<PartId>>,
    /// Rows that are given up here, as they were, for whoever wants to look at
    /// them or to send them again. Their contexts are out of date and left out.
    pub dead_letters: Vec<Row>,
    /// Dead letters that are to be sent again: they go to the end of the queue.
    pub revived: Vec<Row>,
    /// What the vendor is to be told because of what was delivered.
    pub follow_ups: Vec<Acknowledgement>,
    /// Nothing more leaves before this, because a list with delays is being played.
    pub closed_until_ms: Option<Millis>,
    /// Who owns the conversation now, where a delivery changed it.
    pub owner: Option<Owner>,
    /// What follows, accepted in the same step.
    pub events: Vec<Arrival>,
    /// As [`Turn::due_ms`].
    pub due_ms: Option<Millis>,
    /// As [`Turn::human_ms`].
    pub human_ms: Option<Millis>,
}

/// How the life of a row ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowEnd {
    /// It was handed over.
    Delivered,
    /// It is given up; why.
    Dead(String),
    /// It would have been said while somebody else owns the conversation.
    Quarantined,
}

/// A conversation as it stands: everything that a turn or a delivery depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// Turns so far.
    pub turns: u64,
    /// Who may speak.
    pub owner: Owner,
    /// The running session; absent before the first event and after the end.
    pub session: Option<SessionState>,
    /// The newest facts.
    pub facts: Facts,
    /// The newest [`Arrival::reply_to`].
    pub reply_to: Option<String>,
    /// The newest [`Arrival::route`].
    pub route: Route,
    /// A context that some other program left at the vendor.
    pub foreign_context: Option<String>,
    /// Hashes of contexts that we sent to the vendor, oldest first.
    pub mirrored: Vec<Digest>,
    /// Event keys with the time of their event, oldest first.
    pub keys: Vec<(String, Millis)>,
    /// The conversation's own values.
    pub kv: BTreeMap<String, String>,
    /// Timers that have not fired.
    pub timers: Vec<TimerState>,
    /// Committed actions that wait for delivery, in order.
    pub rows: Vec<Row>,
    /// Rows whose call was about to leave and of which nobody has learned since
    /// that the vendor did not take them.
    pub claimed: Vec<PartId>,
    /// What the vendor is still to be told, in order.
    pub acknowledgements: Vec<Acknowledgement>,
    /// Requests whose answers have not gone out whole.
    pub open_answers: Vec<OpenAnswer>,
    /// Events whose requests were answered whole before their turns, so that the
    /// same words again are no redelivery.
    pub answered: Vec<EventId>,
    /// Events consumed without a run since the last run.
    pub skipped: Vec<Event>,
    /// Times of API calls within the vendor's rate window.
    pub called_ms: Vec<Millis>,
    /// Nothing leaves before this.
    pub closed_until_ms: Millis,
    /// The last hand-off was the host's own, after a failure of the bot.
    pub host_hand_off: bool,
    /// When a human took the conversation or last spoke in it.
    pub human_ms: Option<Millis>,
    /// After so long without a human's word the bot has it again; absent where only a
    /// human or the vendor gives it back.
    pub returns_after_ms: Option<Millis>,
}

/// The running session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionState {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub started_ms: Millis,
    /// When something last happened in it.
    pub active_ms: Millis,
    /// The bot's state; empty text where there is none.
    pub context: String,
    /// The component that wrote it.
    pub context_by: Option<Digest>,
    /// When the host ends it by itself; absent where the vendor does, or nobody.
    pub times_out_ms: Option<Millis>,
}

/// A timer that has not fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerState {
    /// Its name, unique within the conversation.
    pub name: String,
    /// When it fires.
    pub due_ms: Millis,
    /// What comes back in the event.
    pub payload: Option<String>,
}

/// A committed action, or a part of one, that waits for delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Stable over restarts and resends.
    pub id: PartId,
    /// The turn that made it.
    pub turn: TurnId,
    /// When that turn was.
    pub made_ms: Millis,
    /// What is to be done, after degrading.
    pub action: Action,
    /// The context to mirror with it, on the last row of a turn.
    pub context: Option<String>,
    /// It came from a failure: giving it up raises no `delivery-failed`.
    pub quiet: bool,
    /// The event that it follows from: while the request that brought it is
    /// open, the row waits for its answer.
    pub event: EventId,
    /// A human says it: it leaves also while the conversation is a human's.
    pub by_human: bool,
}

/// Something that the vendor is still to be told: that an event was taken, or what
/// follows from a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Stable over restarts and resends.
    pub id: PartId,
    /// When what it tells of was.
    pub made_ms: Millis,
    /// What the vendor needs for it, in its own form.
    pub token: String,
}

/// A request whose answer has not gone out whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenAnswer {
    /// Names the request.
    pub request: Digest,
    /// When it came.
    pub received_ms: Millis,
    /// The event that it brought.
    pub event: EventId,
}

impl Row {
    /// How much room its action takes while it waits (bytes of canonical JSON).
    pub fn bytes(&self) -> usize {
        serde_json::to_vec(&self.action).map_or(0, |json| json.len())
    }
}

impl Conversation {
    /// The state after a turn with the settlements that came after its snapshot.
    pub fn after(turn: Option<&Turn>, settled: impl IntoIterator<Item = Settled>) -> Self {
        let mut state = turn.map(|turn| turn.state.clone()).unwrap_or_default();
        for settled in settled.into_iter().filter(|_| !broken::is(Mutation::Settle)) {
            state.settle(&settled);
        }
        state
    }

    /// Applies a settlement. Applying one twice changes nothing more.
    pub fn settle(&mut self, settled: &Settled) {
        self.remember_contexts(settled);
        let ended = |id: &PartId| settled.rows.iter().any(|(row, _)| row == id);
        self.rows.retain(|row| !ended(&row.id));
        self.acknowledgements.retain(|it| !settled.acknowledged.contains(&it.id));
        if let Some(claimed) = &settled.claimed {
            self.claimed.clone_from(claimed);
        }
        self.claimed.retain(|id| !ended(id));
        for row in &settled.revived {
            if !self.rows.iter().any(|known| known.id == row.id) {
                self.rows.push(row.clone());
            }
        }
        for follow_up in &settled.follow_ups {
            if !self.acknowledgements.iter().any(|known| known.id == follow_up.id) {
                self.acknowledgements.push(follow_up.clone());
            }
        }
        for event in &settled.answered {
            self.answer(event);
        }
        for called in &settled.called_ms {
            if !self.called_ms.contains(called) {
                self.called_ms.push(*called);
            }
        }
        let oldest = settled.at_ms.saturating_sub(CALLS_KEPT_MS);
        self.called_ms.retain(|called| *called > oldest);
        let excess = self.called_ms.len().saturating_sub(CALLS_KEPT_MAX);
        self.called_ms.drain(..excess);
        if let Some(digest) = settled.mirrored {
            self.remember_mirrored(digest);
        }
        if let Some(until) = settled.closed_until_ms {
            self.closed_until_ms = self.closed_until_ms.max(until);
        }
        // The end of a hand-off comes too late where somebody has taken the
        // conversation meanwhile, or where the bot is already handing over again.
        let hands_over = |row: &Row| matches!(row.action, Action::Forward(_) | Action::Abort);
        if let Some(owner) = settled.owner
            && self.owner == Owner::HandingOff
            && !self.rows.iter().any(hands_over)
        {
            if owner == Owner::Human {
                self.human_ms = Some(settled.at_ms);
            }
            self.owner = owner;
        }
    }

    /// Contexts of rows that end here are known from now on. A list may carry several,
    /// and webhooks that the vendor writes meanwhile, or repeats later, hold any of
    /// them; what was given up may have come in all the same, but is not the newest.
    fn remember_contexts(&mut self, settled: &Settled) {
        let mut known = Vec::new();
        for row in &self.rows {
            let end = settled.rows.iter().find(|(id, _)| *id == row.id);
            if let (Some(context), Some((_, end))) = (&row.context, end) {
                known.push((context::digest(context), *end == RowEnd::Delivered));
            }
        }
        for (digest, delivered) in known {
            if delivered {
                self.remember_mirrored(digest);
            } else if !self.mirrored.contains(&digest) {
                self.mirrored.insert(self.mirrored.len().saturating_sub(1), digest);
            }
        }
    }

    /// The answer of an event's request went out whole.
    fn answer(&mut self, event: &EventId) {
        let before = self.open_answers.len();
        self.open_answers.retain(|open| open.event != *event);
        if self.open_answers.len() == before && !self.answered.contains(event) {
            self.answered.push(event.clone());
            let excess = self.answered.len().saturating_sub(ANSWERED_MAX);
            self.answered.drain(..excess);
        }
    }

    /// Whether an event with this key was handled before.
    pub fn knows(&self, key: &str) -> bool {
        !broken::is(Mutation::Dedupe) && self.keys.iter().any(|(known, _)| known == key)
    }

    /// The request which this one repeats, if any: one whose answer `failed`.
    pub fn redelivered(
        &self,
        request: Digest,
        now: Millis,
        failed: impl Fn(&EventId) -> bool,
    ) -> Option<&OpenAnswer> {
        self.open_answers
            .iter()
            .filter(|_| !broken::is(Mutation::Dedupe))
            .filter(|open| open.request == request && now <= open.received_ms + REDELIVERY_MS)
            .find(|open| failed(&open.event))
    }

    /// When the conversation next wants attention by itself: a delivery, a timer,
    /// the end of the session's time.
    /// A time in the past means now.
    pub fn due(&self) -> Option<Millis> {
        let delivery = self.delivery_due();
        let acknowledgement = (!self.acknowledgements.is_empty()).then_some(0);
        let timer = self.timers.iter().map(|timer| timer.due_ms).min();
        let own = timer.into_iter().chain(self.times_out_at()).chain(self.returns_at());
        delivery.into_iter().chain(acknowledgement).chain(own).min()
    }

    /// Since when a human has the conversation, or last spoke in it; absent where none
    /// has it.
    pub fn with_human(&self) -> Option<Millis> {
        self.human_ms.filter(|_| self.owner == Owner::Human)
    }

    fn delivery_due(&self) -> Option<Millis> {
        let first = self.rows.first()?;
        let requests = || self.rows.iter().any(|row| matches!(row.action, Action::Request(_)));
        Some(match self.route {
            Route::Answers if !requests() => first.made_ms.saturating_add(WAITS_FOR_PERSON_MS),
            Route::Calls | Route::Answers | Route::ThisAnswer => self.closed_until_ms,
        })
    }

    /// Notes that a context was sent to the vendor.
    pub fn remember_mirrored(&mut self, digest: Digest) {
        self.mirrored.retain(|known| *known != digest);
        self.mirrored.push(digest);
        let excess = self.mirrored.len().saturating_sub(MIRRORED_MAX);
        self.mirrored.drain(..excess);
    }
}
