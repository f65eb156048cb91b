//! Conversations and turns as lists.

use std::collections::BTreeMap;

use async_trait::async_trait;
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, TenantId};
use botyard_kernel::log::{Arrival, Entry, Seq, Turn};
use botyard_kernel::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::conversation::{Conversation, Kind};
use super::health::store_error;
use super::weight::Part;
use super::{Engine, erasure, from_sql, to_sql};
use crate::archive::minute_of;
use crate::log::email_key;
use crate::{Archive, BotTurn, Cause, Place, Stamp, StoreError, Summary, Which, limits};

#[async_trait]
impl Archive for Engine {
    async fn channels(&self, tenant: &TenantId) -> Result<Vec<ChannelId>, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |database| channels(database, &tenant).map_err(sql)).await
    }

    async fn conversations(
        &self,
        tenant: &TenantId,
        which: Which<'_>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<(Summary, Place)>, StoreError> {
        let (tenant, channel) = (tenant.clone(), which.channel.cloned());
        let email = which.email.map(email_key);
        let read = move |database: &Connection| {
            let channels = match channel {
                Some(channel) => vec![channel],
                None => channels(database, &tenant).map_err(sql)?,
            };
            let mut all = Vec::new();
            for channel in channels {
                let place = (&tenant, &channel);
                let page = page(database, place, email.as_deref(), after, limit);
                all.extend(page.map_err(sql)?);
                all.sort_by_key(|(_, place)| std::cmp::Reverse(*place));
                all.truncate(limit);
            }
            Ok(all)
        };
        self.readers.read(read).await
    }

    async fn summary(&self, key: &ConversationKey) -> Result<Option<Summary>, StoreError> {
        let key = key.clone();
        let read = move |database: &Connection| {
            let found = Conversation::find(database, &key).map_err(sql)?;
            Ok(found.and_then(|found| found.summary(key)))
        };
        self.readers.read(read).await
    }

    async fn turns(
        &self,
        key: &ConversationKey,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Turn)>, StoreError> {
        let key = key.clone();
        let read = move |database: &Connection| {
            let Some(found) = Conversation::find(database, &key).map_err(sql)? else {
                return Ok(Vec::new());
            };
            let after = after.max(found.erased);
            let turns = found.some(database, Kind::Turn, after, limit).map_err(sql)?;
            turns.into_iter().map(|(seq, value)| Ok((seq, turn(&value)?))).collect()
        };
        self.readers.read(read).await
    }

    async fn accepted_at(
        &self,
        places: &[(ConversationKey, Seq)],
    ) -> Result<Vec<Option<Arrival>>, StoreError> {
        let places = places.to_vec();
        let read = move |database: &Connection| {
            let mut found = Vec::with_capacity(places.len());
            for (key, seq) in &places {
                let place = params![key.tenant.0, key.channel.0, key.vendor_key, to_sql(*seq)];
                let value: Option<Vec<u8>> = database
                    .prepare_cached(ACCEPTED_AT)
                    .and_then(|mut entry| entry.query_row(place, |row| row.get(0)).optional())
                    .map_err(sql)?;
                let entry = value.map(|value| limits::decode(&value)).transpose()?;
                found.push(match entry {
                    Some(Entry::Accepted(arrival)) => Some(*arrival),
                    Some(Entry::Called(_) | Entry::Turn(_) | Entry::Settled(_)) | None => None,
                });
            }
            Ok(found)
        };
        self.readers.read(read).await
    }

    async fn bot_turns(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        since_ms: Millis,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<BotTurn>, StoreError> {
        let (tenant, bot) = (tenant.clone(), bot.clone());
        let after = after.filter(|after| after.time >= since_ms);
        let (at_ms, id) =
            after.map_or_else(|| (to_sql(since_ms), -1), |a| (to_sql(a.time), to_sql(a.number)));
        let read = move |database: &Connection| {
            let wanted = params![tenant.0, bot.0, at_ms, id, to_sql(limit as u64)];
            let found: rusqlite::Result<Vec<Found>> = database
                .prepare_cached(OF_BOT)
                .and_then(|mut turns| turns.query_map(wanted, Found::from_row)?.collect());
            found.map_err(sql)?.into_iter().map(|found| found.turn(&tenant)).collect()
        };
        self.readers.read(read).await
    }

    async fn bot_news(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<BotTurn>, u64), StoreError> {
        let (tenant, bot) = (tenant.clone(), bot.clone());
        let read = move |database: &Connection| {
            // A reader has one snapshot for both.
            let newest = "SELECT coalesce(max(id), 0) FROM entry";
            let newest = database.query_row(newest, [], |row| row.get(0).map(from_sql));
            let newest = newest.map_err(sql)?;
            let Some(after) = after else { return Ok((Vec::new(), newest)) };
            // Numbers of erased entries come again.
            let wanted = params![tenant.0, bot.0, to_sql(after.min(newest)), to_sql(limit as u64)];
            let found: rusqlite::Result<Vec<Found>> = database
                .prepare_cached(NEWS_OF_BOT)
                .and_then(|mut turns| turns.query_map(wanted, Found::from_row)?.collect());
            let found = found.map_err(sql)?.into_iter().map(|found| found.turn(&tenant));
            let found = found.collect::<Result<Vec<_>, _>>()?;
            let last = found.last().filter(|_| found.len() == limit);
            let next = last.map_or(newest, |turn| turn.place.number);
            Ok((found, next))
        };
        self.readers.read(read).await
    }

    async fn weigh(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        self.weight(tenant, Part::Entries).await
    }

    async fn weigh_values(&self, tenant: &TenantId) -> Result<BTreeMap<BotId, u64>, StoreError> {
        self.weight_of_values(tenant).await
    }

    async fn erase(
        &self,
        key: &ConversationKey,
        cause: Cause,
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        let (owned, stamp) = (key.clone(), stamp.clone());
        let erase = move |database: &Connection| erasure::begin(database, &owned, cause, &stamp);
        let found = self.writer.write(&key.tenant, 0, erase).await?;
        while self.purge(key).await? > 0 {}
        self.writer.health().erased();
        Ok(found)
    }

    async fn sweep(
        &self,
        tenant: &TenantId,
        older_than_ms: Millis,
        limit: usize,
        stamp: &Stamp,
    ) -> Result<usize, StoreError> {
        let (owner, stamp) = (tenant.clone(), stamp.clone());
        let sweep = move |database: &Connection| {
            erasure::Step::new(database, &owner, limit).sweep(older_than_ms, &stamp)
        };
        self.writer.write(tenant, 0, sweep).await
    }

    async fn trim(
        &self,
        tenant: &TenantId,
        older_than_ms: Millis,
        limit: usize,
    ) -> Result<usize, StoreError> {
        let owner = tenant.clone();
        let find = move |database: &Connection| {
            erasure::old(database, &owner, older_than_ms, limit).map_err(sql)
        };
        // The search may look past many turns that stay, so it is no work of the writer's.
        let old = self.readers.read(find).await?;
        let owner = tenant.clone();
        let trim =
            move |database: &Connection| erasure::Step::new(database, &owner, limit).trim(&old);
        self.writer.write(tenant, 0, trim).await
    }

    async fn forget_values(&self, tenant: &TenantId, bot: &BotId) -> Result<usize, StoreError> {
        let (owner, bot) = (tenant.clone(), bot.clone());
        let forget = move |database: &Connection| {
            erasure::Step::new(database, &owner, usize::MAX).forget_values(&bot)
        };
        self.writer.write(tenant, 0, forget).await
    }

    async fn has_any(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        let read = move |database: &Connection| {
            let any = "SELECT EXISTS (SELECT 1 FROM conversation WHERE tenant = ?1) OR EXISTS
                (SELECT 1 FROM bot JOIN bot_value ON bot_value.bot = bot.id WHERE tenant = ?1)";
            let found = database.prepare_cached(any);
            found.and_then(|mut found| found.query_row([&tenant.0], |row| row.get(0))).map_err(sql)
        };
        self.readers.read(read).await
    }

    async fn forget(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        let owner = tenant.clone();
        let forget =
            move |database: &Connection| erasure::Step::new(database, &owner, usize::MAX).forget();
        self.writer.write(tenant, 0, forget).await
    }
}

impl Engine {
    /// A step towards the end of an erasure. Answers how many rows it took away.
    async fn purge(&self, key: &ConversationKey) -> Result<usize, StoreError> {
        let owned = key.clone();
        let purge = move |database: &Connection| {
            erasure::Step::new(database, &owned.tenant, usize::MAX).purge_of(&owned)
        };
        self.writer.write(&key.tenant, 0, purge).await
    }
}

const ACCEPTED_AT: &str = "
    SELECT value FROM entry JOIN conversation ON conversation.id = entry.conversation
    WHERE tenant = ?1 AND channel = ?2 AND vendor_key = ?3
        AND kind = 1 AND seq = ?4 AND seq > floor";

const OF_BOT: &str = "
    SELECT entry.id, at_ms, seq, value, channel, vendor_key FROM entry
    JOIN conversation ON conversation.id = entry.conversation
    WHERE bot = (SELECT id FROM bot WHERE tenant = ?1 AND name = ?2)
        AND (at_ms, entry.id) > (?3, ?4) AND seq > floor
    ORDER BY at_ms, entry.id LIMIT ?5";

/// What has come of late is read in the order in which it came, however many turns the bot
/// has: `+` keeps the engine from the bot's own index.
const NEWS_OF_BOT: &str = "
    SELECT entry.id, at_ms, seq, value, channel, vendor_key FROM entry
    JOIN conversation ON conversation.id = entry.conversation
    WHERE +bot = (SELECT id FROM bot WHERE tenant = ?1 AND name = ?2)
        AND entry.id > ?3 AND seq > floor
    ORDER BY entry.id LIMIT ?4";

struct Found {
    place: Place,
    seq: Seq,
    value: Vec<u8>,
    channel: String,
    vendor_key: String,
}

impl Found {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            place: Place { number: from_sql(row.get(0)?), time: from_sql(row.get(1)?) },
            seq: from_sql(row.get(2)?),
            value: row.get(3)?,
            channel: row.get(4)?,
            vendor_key: row.get(5)?,
        })
    }

    fn turn(self, tenant: &TenantId) -> Result<BotTurn, StoreError> {
        let Self { place, seq, value, channel, vendor_key } = self;
        let channel = ChannelId(channel);
        let conversation = ConversationKey { tenant: tenant.clone(), channel, vendor_key };
        Ok(BotTurn { place, conversation, seq, turn: turn(&value)? })
    }
}

/// The channels in which a tenant has conversations. Looks at one conversation of each.
pub(super) fn channels(
    database: &Connection,
    tenant: &TenantId,
) -> rusqlite::Result<Vec<ChannelId>> {
    let sql = "SELECT channel FROM conversation WHERE tenant = ?1 AND channel > ?2
        ORDER BY channel LIMIT 1";
    let mut next = database.prepare_cached(sql)?;
    let mut found: Vec<ChannelId> = Vec::new();
    loop {
        let last = found.last().map_or("", ChannelId::as_str);
        match next.query_row([tenant.as_str(), last], |row| row.get(0)).optional()? {
            Some(channel) => found.push(ChannelId(channel)),
            None => return Ok(found),
        }
    }
}

/// Conversations of a channel; only a person's, where an address is given.
fn page(
    database: &Connection,
    (tenant, channel): (&TenantId, &ChannelId),
    email: Option<&str>,
    after: Option<Place>,
    limit: usize,
) -> rusqlite::Result<Vec<(Summary, Place)>> {
    let before = after.map_or((i64::MAX, i64::MAX), |a| (to_sql(a.time), to_sql(a.number)));
    let (at_ms, id) = before;
    let wanted = params![tenant.0, channel.0, at_ms, id, to_sql(limit as u64), email];
    // A person has few conversations, which are found by the address and then sorted: `+` keeps
    // the engine from going through all of the channel's.
    let sql = match email {
        None => Conversation::select(
            "vendor_key",
            "tenant = ?1 AND channel = ?2 AND ?6 IS NULL AND minute IS NOT NULL
             AND (minute, id) < (?3, ?4) ORDER BY minute DESC, id DESC LIMIT ?5",
        ),
        Some(_) => Conversation::select(
            "vendor_key",
            "tenant = ?1 AND channel = ?2 AND email = ?6 AND minute IS NOT NULL
             AND (+minute, id) < (?3, ?4) ORDER BY +minute DESC, id DESC LIMIT ?5",
        ),
    };
    let rows: Vec<(Conversation, String)> = database
        .prepare_cached(&sql)?
        .query_map(wanted, |row| Ok((Conversation::from_row(row)?, row.get("vendor_key")?)))?
        .collect::<rusqlite::Result<_>>()?;
    let summary = |(found, vendor_key): (Conversation, String)| {
        let number = from_sql(found.id);
        let key = ConversationKey { tenant: tenant.clone(), channel: channel.clone(), vendor_key };
        let summary = found.summary(key)?;
        let place = Place { time: minute_of(summary.active_ms), number };
        Some((summary, place))
    };
    Ok(rows.into_iter().filter_map(summary).collect())
}

fn turn(value: &[u8]) -> Result<Turn, StoreError> {
    match limits::decode(value)? {
        Entry::Turn(turn) => Ok(*turn),
        Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_) => {
            Err(StoreError::Corrupt("an entry that should be a turn is another one".to_owned()))
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn sql(error: rusqlite::Error) -> StoreError {
    store_error(&error)
}
