//! What is looked at, and taken away, long after it happened: conversations by their
//! last activity, turns by their bot, erasure and retention.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, TenantId};
use botyard_kernel::log::{Arrival, Seq, Settled, Turn};
use botyard_kernel::owner::Owner;
use botyard_kernel::time::{MINUTE, Millis};

use crate::{Stamp, StoreError};

/// Which conversations: all that a tenant has, where nothing is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Which<'a> {
    /// Only those of this channel.
    pub channel: Option<&'a ChannelId>,
    /// Only those of the person with this address of e-mail; see [`crate::Log::with_email`].
    pub email: Option<&'a str>,
}

/// The log as a whole, beside the verbs of a conversation's work.
#[async_trait]
pub trait Archive: Send + Sync {
    /// The channels in which a tenant has conversations.
    async fn channels(&self, tenant: &TenantId) -> Result<Vec<ChannelId>, StoreError>;

    /// At most `limit` conversations of a tenant behind what `after` names: the one first in
    /// which something happened last, to the minute. Erased ones are not there.
    async fn conversations(
        &self,
        tenant: &TenantId,
        which: Which<'_>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<(Summary, Place)>, StoreError>;

    /// A conversation in short; absent where there is none, or an erased one.
    async fn summary(&self, key: &ConversationKey) -> Result<Option<Summary>, StoreError>;

    /// At most `limit` turns of a conversation with a place above `after`, in order.
    async fn turns(
        &self,
        key: &ConversationKey,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Turn)>, StoreError>;

    /// The events that were accepted at these places, in the same order, in one read; absent
    /// where one is gone, or something else stands.
    async fn accepted_at(
        &self,
        places: &[(ConversationKey, Seq)],
    ) -> Result<Vec<Option<Arrival>>, StoreError>;

    /// At most `limit` turns of a bot from `since_ms` on and behind what `after` names,
    /// the newest last.
    ///
    /// A turn has the time of what it handles, so one that ran long may come in before
    /// others. What an older host wrote is not found.
    async fn bot_turns(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        since_ms: Millis,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<BotTurn>, StoreError>;

    /// Takes away everything that people said and were told in a conversation, and what
    /// is known of them. Answers whether there was anything.
    ///
    /// What is left, a day long and then swept away: the key of the conversation, and a
    /// turn that knows the keys of its events, so that a redelivery is no new event. So
    /// whoever is still at work in the conversation has a conflict, and what is settled
    /// of it later comes without words. Leaves a row in the tenant's audit.
    async fn erase(
        &self,
        key: &ConversationKey,
        cause: Cause,
        stamp: &Stamp,
    ) -> Result<bool, StoreError>;

    /// Erases conversations of a tenant in which nothing has happened since a time and
    /// nothing is to be done (events that wait, timers, deliveries), goes
    /// on with what was erased by half, and takes away what was erased more than a day
    /// before the stamp.
    ///
    /// One step of at most `limit` rows, and never more than
    /// [`SWEEP_ROWS_MAX`](crate::limits::SWEEP_ROWS_MAX). Answers how many; 0 says that
    /// nothing is left to do.
    async fn sweep(
        &self,
        tenant: &TenantId,
        older_than_ms: Millis,
        limit: usize,
        stamp: &Stamp,
    ) -> Result<usize, StoreError>;

    /// Takes away entries of conversations that go on: those up to a turn before a time,
    /// unless they are still needed. A step as [`Archive::sweep`].
    async fn trim(
        &self,
        tenant: &TenantId,
        older_than_ms: Millis,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// At most `limit` turns of a bot that came into the store behind a number, in the order
    /// in which they came, and the number to go on from; absent, there are none yet, and it
    /// is the newest. Unlike [`Archive::bot_turns`] it passes over no turn of an older event.
    async fn bot_news(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<BotTurn>, u64), StoreError>;

    /// What the entries of a tenant's conversations take, in bytes. It is known and not
    /// counted.
    async fn weigh(&self, tenant: &TenantId) -> Result<u64, StoreError>;

    /// What the values of a tenant's bots take, with their keys, in bytes: of each bot that
    /// has any. As [`Archive::weigh`].
    async fn weigh_values(&self, tenant: &TenantId) -> Result<BTreeMap<BotId, u64>, StoreError>;

    /// Takes away the values of a bot. A step as [`Archive::sweep`].
    async fn forget_values(&self, tenant: &TenantId, bot: &BotId) -> Result<usize, StoreError>;

    /// Whether there is anything of a tenant: a conversation, erased ones included, or a
    /// value of a bot.
    async fn has_any(&self, tenant: &TenantId) -> Result<bool, StoreError>;

    /// Takes away conversations and values of bots of a tenant that is no more, without
    /// leaving anything. A step as [`Archive::sweep`].
    async fn forget(&self, tenant: &TenantId) -> Result<usize, StoreError>;
}

/// Why a conversation is erased, as the audit says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The person wants it.
    Person,
    /// It is as old as the tenant's retention lets it become.
    Retention,
}

impl Cause {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Retention => "retention",
        }
    }
}

/// A conversation in short.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Which.
    pub key: ConversationKey,
    /// The place of its newest entry.
    pub last: Seq,
    /// When something last happened in it.
    pub active_ms: Millis,
    /// Turns since it began.
    pub turns: u64,
    /// Who may speak, as its newest turn or settlement says; absent before the first
    /// one, and until the next one of what an older host wrote.
    pub owner: Option<Owner>,
    /// When it wants attention; 0 stands for waiting events, absent for nothing to do.
    pub due_ms: Option<Millis>,
    /// Since when a human has it.
    pub human_ms: Option<Millis>,
}

/// A turn among those of its bot.
#[derive(Clone, Debug, PartialEq)]
pub struct BotTurn {
    /// Where it stands among them.
    pub place: Place,
    /// Where it happened.
    pub conversation: ConversationKey,
    /// Its place there.
    pub seq: Seq,
    /// The turn.
    pub turn: Turn,
}

impl BotTurn {
    /// Where it stands among the news of its bot: the `after` of [`Archive::bot_news`].
    pub fn number(&self) -> u64 {
        self.place.number
    }
}

/// Where something stands in a list by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its time, in the unit of the list.
    pub(crate) time: u64,
    /// Tells those with the same time apart.
    pub(crate) number: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time, self.number)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (time, number) = text.split_once('-').ok_or(())?;
        let parsed = |text: &str| text.parse().map_err(|_| ());
        Ok(Self { time: parsed(time)?, number: parsed(number)? })
    }
}

/// The minute of a time.
pub(crate) fn minute_of(at_ms: Millis) -> u64 {
    at_ms / MINUTE
}

/// When the newest of some events came.
pub(crate) fn newest(arrivals: &[Arrival]) -> Option<Millis> {
    arrivals.iter().map(|arrival| arrival.event.received_ms).max()
}

/// When something happened by a settlement: only what it gives up is for people to see.
pub(crate) fn settlement_time(settled: &Settled) -> Option<Millis> {
    (!settled.dead_letters.is_empty()).then_some(settled.at_ms)
}

/// When a turn was: that of what it handles, and never before what was before it.
pub(crate) fn time_of(turn: &Turn, before: Option<Millis>) -> Millis {
    let fused = turn.fused.as_ref().map(|arrival| arrival.event.received_ms);
    let session = turn.state.session.as_ref().map(|session| session.active_ms);
    fused.max(session).max(before).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let place = Place { time: 1_700_000_000_000, number: 42 };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in ["", "-", "1", "1-", "-1", "1-x", "1-2-3", "1--2"] {
            assert_eq!(text.parse::<Place>(), Err(()), "{text}");
        }
    }
}
