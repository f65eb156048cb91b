//! The log of a conversation: what is written, and how its state follows from it.
//!
//! One conversation is one ordered log of entries. Its state is its last turn,
//! which carries a whole snapshot, plus what was settled after that snapshot
//! was taken. The store keeps entries and never looks inside the state.

mod conversation;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::call::Journal;
use crate::event::Event;
use crate::id::{BotId, Digest, EventId, PartId, TurnId};
use crate::owner::Owner;
use crate::run::{KvWrite, LogLine, RunFailure};
use crate::session::{Facts, Seed};
use crate::time::{DAY, MINUTE, Millis};
pub use conversation::{
    Acknowledgement, Conversation, HandOff, OpenAnswer, Row, SessionState, Taken, TimerState,
};

/// The place of an entry in its conversation's log: 1 is the first.
pub type Seq = u64;

/// Event keys are remembered at least this long.
pub const KEY_AGE_MS: Millis = DAY;
/// At most so many event keys are remembered in a snapshot.
pub const KEYS_MAX: usize = 4_096;
/// How long the same request counts as a redelivery of one whose answer failed.
pub const REDELIVERY_MS: Millis = 10 * MINUTE;
/// How many events are remembered one by one whose answers went out before their turns.
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
    /// What the vendor's own desk calls the conversation, where the event says so: it
    /// stays until another is told, or the conversation has ended.
    pub desk_id: Option<String>,
    /// How replies reach the person from now on; absent where nothing is said of it.
    pub route: Option<Route>,
    /// Who owns the conversation, where the vendor says so.
    pub owner: Option<Owner>,
    /// It happened beside the talk: where there is no session, none begins in order to hear
    /// of it, and the next one is told.
    pub aside: bool,
    /// Not the vendor says so, but somebody at the host's desk or a rule of the channel.
    pub by_host: bool,
    /// The chance of its turn, chosen at arrival.
    pub seed: Seed,
}

impl Arrival {
    /// Whether the same request that comes now may be this one again.
    pub(crate) fn came_by(&self, request: Digest, now: Millis) -> bool {
        let until = self.event.received_ms.saturating_add(REDELIVERY_MS);
        self.request == Some(request) && now <= until
    }

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
            desk_id: None,
            route: None,
            owner: None,
            aside: false,
            by_host: false,
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

impl Turn {
    /// Whether it is what an erasure left: it handled no event, and nothing of before is
    /// to come back.
    pub fn is_erasure(&self) -> bool {
        self.event.as_str().is_empty()
    }
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
    /// It asks for the next page of a menu, which the host shows.
    NextPage,
    /// It went between the person and an external bot.
    Relayed,
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
    /// Rows that were to ride in an answer and go by calls from here on; see
    /// [`Row::by_call`].
    pub by_call: Vec<PartId>,
    /// Dead letters that are to be sent again: they go to the end of the queue.
    pub revived: Vec<Row>,
    /// What the vendor is to be told because of what was delivered.
    pub follow_ups: Vec<Acknowledgement>,
    /// Nothing more leaves before this, because a list with delays is being played.
    pub closed_until_ms: Option<Millis>,
    /// From when on calls leave again, after an answer that the vendor still reads, or
    /// as the vendor asks; see [`Conversation::calls_from_ms`].
    pub calls_from_ms: Option<Millis>,
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
