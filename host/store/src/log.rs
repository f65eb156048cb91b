//! Conversations as ordered logs.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, PartId, TenantId};
use botyard_kernel::log::{Arrival, Call, Conversation, Entry, Row, RowEnd, Seq, Settled, Turn};
use botyard_kernel::time::Millis;

use crate::{Archive, StoreError};

/// Conversations as ordered logs of entries.
///
/// A verb that answers `Ok` has its effect on stable storage. A verb that
/// answers an error may still have taken effect where the engine was cut off:
/// turns are found again by their id, arrivals by their key.
#[async_trait]
pub trait Log: Archive {
    /// Appends events that wait for a turn, all or none, in this order.
    ///
    /// Answers their places. The conversation is due at once.
    async fn accept(
        &self,
        key: &ConversationKey,
        arrivals: Vec<Arrival>,
    ) -> Result<Vec<Seq>, StoreError>;

    /// What a turn depends on, with at most `limit` waiting events. A
    /// conversation without entries is empty, not an error.
    async fn load(&self, key: &ConversationKey, limit: usize) -> Result<Loaded, StoreError>;

    /// Appends the answer of an in-turn call, before the bot sees it.
    async fn record_call(&self, key: &ConversationKey, call: &Call) -> Result<Seq, StoreError>;

    /// Appends a turn and applies its writes to the bot's values, whole or not at all.
    async fn commit(&self, key: &ConversationKey, turn: &Turn) -> Result<Commit, StoreError>;

    /// Appends what became of deliveries and, in the same step, the events that
    /// follow from it, each as an accepted entry of its own; the entry of the
    /// settlement is kept without them.
    ///
    /// Answers the place of the settlement, then those of its events.
    async fn settle(
        &self,
        key: &ConversationKey,
        settled: &Settled,
    ) -> Result<Vec<Seq>, StoreError>;

    /// At most `limit` entries with a place above `after`, in order.
    async fn read(
        &self,
        key: &ConversationKey,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Entry)>, StoreError>;

    /// A value of a bot as the committed turns left it.
    async fn bot_value(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        key: &str,
    ) -> Result<Option<String>, StoreError>;

    /// At most `limit` conversations that want attention by `now`, with the time
    /// since which they want it, longest first; 0 stands for waiting events.
    ///
    /// A conversation stays due until an entry says otherwise: who finds nothing
    /// to do settles with the right time. It may be named early, never too late.
    async fn due(
        &self,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, Millis)>, StoreError>;

    /// The channels in which a conversation wants attention by `now`.
    async fn due_channels(&self, now: Millis) -> Result<Vec<(TenantId, ChannelId)>, StoreError>;

    /// As [`Log::due`], of one channel and behind what `after` names. Whoever goes
    /// on behind the last answer sees each conversation once, however many stay due.
    async fn due_in(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        after: Option<DuePlace>,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, DuePlace)>, StoreError>;

    /// At most `limit` conversations of a channel that a human has, behind what `after`
    /// names: the one first whose human has said nothing for longest. The place holds
    /// since when.
    async fn with_human(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        after: Option<DuePlace>,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, DuePlace)>, StoreError>;

    /// At most `limit` conversations of a channel in which the person has this address
    /// of e-mail, as their last turns left it, the newest conversation first. Case and
    /// white space around it make no difference.
    async fn with_email(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        email: &str,
        limit: usize,
    ) -> Result<Vec<ConversationKey>, StoreError>;

    /// At most `limit` dead letters of a tenant with a place above `after`, the
    /// newest last.
    ///
    /// A letter is there from the settlement that gives its row up until one that
    /// revives it.
    async fn dead_letters(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError>;

    /// The dead letter of a part, if there is one.
    async fn dead_letter(
        &self,
        tenant: &TenantId,
        part: &PartId,
    ) -> Result<Option<DeadLetter>, StoreError>;

    /// Asks to be the one who works on a conversation until `until`. The same
    /// holder may ask again. It is advice to avoid double work: only
    /// [`Log::commit`] decides. An `until` that is not after `now` gives it up.
    async fn lease(
        &self,
        key: &ConversationKey,
        holder: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Lease, StoreError>;
}

/// What a conversation is found by once a turn has left an address of e-mail in it.
pub(crate) fn email_of(turn: &Turn) -> Option<String> {
    let email = turn.state.facts.contact.email.as_deref().map(email_key);
    email.filter(|email| !email.is_empty())
}

/// An address of e-mail as it is compared.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// What a turn depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The place of the newest entry, 0 where there is none.
    pub last: Seq,
    /// The last turn and its place.
    pub turn: Option<(Seq, Turn)>,
    /// Accepted entries above the last turn's watermark, in order.
    pub accepted: Vec<(Seq, Arrival)>,
    /// More accepted entries wait than were asked for.
    pub more: bool,
    /// Settlements after the last turn's base, in order.
    pub settled: Vec<Settled>,
    /// Recorded calls of the events in `accepted`, in order.
    pub calls: Vec<Call>,
}

impl Loaded {
    /// How the conversation stands: its last turn, and what was settled after it.
    pub fn conversation(self) -> Conversation {
        Conversation::after(self.turn.as_ref().map(|(_, turn)| turn), self.settled)
    }
}

/// Where a conversation stands among those that are due in its channel, or that a
/// human has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DuePlace {
    /// Since when; 0 stands for waiting events.
    pub due_ms: Millis,
    /// Tells those with the same time apart.
    pub(crate) number: u64,
}

impl fmt::Display for DuePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.due_ms, self.number)
    }
}

impl FromStr for DuePlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let numbers = text.split_once('-').ok_or(())?;
        let number = |text: &str| text.parse().map_err(|_| ());
        Ok(Self { due_ms: number(numbers.0)?, number: number(numbers.1)? })
    }
}

/// A row that was given up.
#[derive(Clone, Debug, PartialEq)]
pub struct DeadLetter {
    /// Its place among all letters of its tenant; a later one is higher.
    pub place: u64,
    /// Where it should have been said.
    pub conversation: ConversationKey,
    /// When it was given up.
    pub at_ms: Millis,
    /// Why.
    pub reason: String,
    /// The row as it was, without its context.
    pub row: Row,
}

impl DeadLetter {
    /// The letter of a part, if this settlement gave it up.
    pub(crate) fn of(
        settled: &Settled,
        part: &PartId,
        place: u64,
        conversation: ConversationKey,
    ) -> Option<Self> {
        let row = settled.dead_letters.iter().find(|row| row.id == *part)?.clone();
        let reason = settled.rows.iter().find_map(|(id, end)| match end {
            RowEnd::Dead(reason) if id == part => Some(reason.clone()),
            RowEnd::Dead(_) | RowEnd::Delivered | RowEnd::Quarantined => None,
        });
        let reason = reason.unwrap_or_default();
        Some(Self { place, conversation, at_ms: settled.at_ms, reason, row })
    }
}

/// What became of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// It is written, now or by an earlier attempt.
    Committed {
        /// Its place.
        seq: Seq,
        /// Keys of writes that were left out because the bot's values would
        /// exceed [`crate::limits::BOT_VALUES_BYTES_MAX`]; tell the bot's owner.
        refused: Vec<String>,
    },
    /// Nothing was written: another turn came first or, for a fused turn,
    /// another event did. Load again.
    Conflict,
}

/// Who works on a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    /// The asker.
    Granted,
    /// Somebody else.
    Held {
        /// Who.
        holder: String,
        /// Until when.
        until: Millis,
    },
}
