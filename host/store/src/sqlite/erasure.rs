//! Erasure and retention in bounded steps. A conversation whose entries are to go first
//! has its floor raised, in the step that makes it whole without them: from then on
//! nobody sees them, and they are taken away at leisure.

use std::collections::BTreeMap;

use botyard_kernel::id::{BotId, ConversationKey, TenantId};
use botyard_kernel::log::{Arrival, Entry, KEY_AGE_MS, KEYS_MAX, Seq, Settled, Turn};
use botyard_kernel::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::archive::channels;
use super::conversation::{Conversation, Kind};
use super::{catalog, from_sql, to_sql};
use crate::archive::minute_of;
use crate::erasure::{erased_ms, tombstone, written};
use crate::limits::{self, SWEEP_ROWS_MAX};
use crate::{Cause, Stamp};

/// Erases a conversation, but for taking its entries away. Answers whether there was
/// anything to erase.
pub(super) fn begin(
    database: &Connection,
    key: &ConversationKey,
    cause: Cause,
    stamp: &Stamp,
) -> rusqlite::Result<bool> {
    match Conversation::find(database, key)? {
        Some(conversation) if !conversation.is_tombstone() => {
            bury(database, key, conversation, cause, stamp)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn bury(
    database: &Connection,
    key: &ConversationKey,
    mut conversation: Conversation,
    cause: Cause,
    stamp: &Stamp,
) -> rusqlite::Result<()> {
    let old = last_turn(database, &conversation)?.map(|turn| (conversation.turn, turn));
    let waiting = waiting(database, &conversation)?;
    let settled = settled(database, &conversation)?;
    let erased_ms = erased_ms(stamp, old.as_ref().map(|(_, turn)| turn), settled.into_iter());
    let floor = conversation.last;
    let mut stone = tombstone(key, floor, old, &waiting);
    // Where the last turn cannot be read, what follows must still follow it.
    stone.previous = conversation.turn;
    let value = written(&mut stone).unwrap_or_default();
    let seq = conversation.append(database, Kind::Turn, &value)?;
    conversation.turn = seq;
    conversation.turn_id = Some(stone.id.0);
    conversation.base = floor;
    conversation.watermark = floor;
    conversation.wake(None);
    conversation.human_ms = None;
    conversation.email = None;
    conversation.active_ms = None;
    conversation.turns = 0;
    conversation.owner = Some(stone.state.owner);
    conversation.save(database)?;
    let sql = "UPDATE conversation SET floor = ?2, purging = 1, erased = ?3, erased_ms = ?4
        WHERE id = ?1";
    let row = params![conversation.id, to_sql(floor), to_sql(seq), to_sql(erased_ms)];
    database.prepare_cached(sql)?.execute(row)?;
    let name = key.digest().to_string();
    catalog::witness(database, &key.tenant, ("erase", cause.as_str(), &name), stamp)
}

/// The last turn; absent also where it cannot be read, which is no reason to keep it.
fn last_turn(database: &Connection, of: &Conversation) -> rusqlite::Result<Option<Turn>> {
    let found = of.some(database, Kind::Turn, of.turn.saturating_sub(1), 1)?;
    Ok(found.into_iter().find_map(|(_, value)| match limits::decode(&value) {
        Ok(Entry::Turn(turn)) => Some(*turn),
        Ok(Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_)) | Err(_) => None,
    }))
}

/// What was settled since the last turn, as far as it can be read.
fn settled(database: &Connection, of: &Conversation) -> rusqlite::Result<Vec<Settled>> {
    let found = of.some(database, Kind::Settled, of.base, usize::MAX)?;
    let settled = |(_, value): (Seq, Vec<u8>)| match limits::decode(&value) {
        Ok(Entry::Settled(settled)) => Some(settled),
        Ok(Entry::Accepted(_) | Entry::Called(_) | Entry::Turn(_)) | Err(_) => None,
    };
    Ok(found.into_iter().filter_map(settled).collect())
}

fn waiting(database: &Connection, of: &Conversation) -> rusqlite::Result<Vec<Arrival>> {
    let found = of.some(database, Kind::Accepted, of.watermark, KEYS_MAX)?;
    let arrival = |(_, value): (Seq, Vec<u8>)| match limits::decode(&value) {
        Ok(Entry::Accepted(arrival)) => Some(*arrival),
        Ok(Entry::Turn(_) | Entry::Called(_) | Entry::Settled(_)) | Err(_) => None,
    };
    Ok(found.into_iter().filter_map(arrival).collect())
}

/// Turns of a tenant from before a time up to which nothing is needed any more: at most
/// `limit`, as conversations with the highest place of each.
pub(super) fn old(
    database: &Connection,
    tenant: &TenantId,
    older_than_ms: Millis,
    limit: usize,
) -> rusqlite::Result<Vec<(i64, Seq)>> {
    let sql = "SELECT conversation, seq FROM bot CROSS JOIN entry ON entry.bot = bot.id
        JOIN conversation ON conversation.id = entry.conversation
        WHERE bot.tenant = ?1 AND at_ms < ?2 AND seq > floor AND seq <= CASE
            WHEN accepted > watermark THEN watermark ELSE base END
        LIMIT ?3";
    let wanted = params![tenant.0, to_sql(older_than_ms), to_sql(bounded(limit) as u64)];
    let mut found = BTreeMap::new();
    let mut old = database.prepare_cached(sql)?;
    let mut rows = old.query(wanted)?;
    while let Some(row) = rows.next()? {
        let highest = found.entry(row.get(0)?).or_insert(0);
        *highest = from_sql(row.get(1)?).max(*highest);
    }
    Ok(found.into_iter().collect())
}

fn bounded(limit: usize) -> usize {
    limit.min(SWEEP_ROWS_MAX)
}

/// At most so many bytes of entries are taken away in a step, and one entry at least:
/// they are overwritten, and nobody is to wait behind it for long.
const STEP_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A step does not end without having done anything: burying a conversation takes this.
const LEAST: usize = 3;

/// One transaction's worth of taking away.
pub(super) struct Step<'a> {
    database: &'a Connection,
    tenant: &'a TenantId,
    room: usize,
    done: usize,
    bytes: usize,
}

impl<'a> Step<'a> {
    pub(super) fn new(database: &'a Connection, tenant: &'a TenantId, limit: usize) -> Self {
        Self { database, tenant, room: bounded(limit).max(LEAST), done: 0, bytes: 0 }
    }

    /// See [`crate::Archive::sweep`].
    pub(super) fn sweep(mut self, older_than: Millis, stamp: &Stamp) -> rusqlite::Result<usize> {
        self.purge_all()?;
        let forgotten = to_sql(stamp.at_ms.saturating_sub(KEY_AGE_MS));
        let stones = "SELECT id FROM conversation WHERE tenant = ?1 AND erased_ms < ?2
            AND active_ms IS NULL AND purging = 0 ORDER BY erased_ms, id LIMIT ?3";
        let wanted = params![self.tenant.0, forgotten, to_sql(self.left() as u64)];
        for stone in self.ids(stones, wanted)? {
            self.remove(stone)?;
        }
        for channel in channels(self.database, self.tenant)? {
            while self.left() >= LEAST {
                let sql = "SELECT vendor_key FROM conversation WHERE tenant = ?1 AND channel = ?2
                    AND minute <= ?3 AND active_ms < ?4 AND due_ms IS NULL
                    ORDER BY minute, id LIMIT 1";
                let (minute, older) = (to_sql(minute_of(older_than)), to_sql(older_than));
                let wanted = params![self.tenant.0, channel.0, minute, older];
                let key: Option<String> = self
                    .database
                    .prepare_cached(sql)?
                    .query_row(wanted, |row| row.get(0))
                    .optional()?;
                let Some(vendor_key) = key else { break };
                let (tenant, channel) = (self.tenant.clone(), channel.clone());
                let key = ConversationKey { tenant, channel, vendor_key };
                begin(self.database, &key, Cause::Retention, stamp)?;
                // The row, the entry that stays and the row of the audit.
                self.done += 3;
                self.purge_all()?;
            }
        }
        Ok(self.done)
    }

    /// See [`crate::Archive::trim`]. What was found may have changed since.
    pub(super) fn trim(mut self, old: &[(i64, Seq)]) -> rusqlite::Result<usize> {
        self.purge_all()?;
        for (conversation, seq) in old {
            if self.left() == 0 {
                break;
            }
            let sql = "UPDATE conversation SET floor = ?2, purging = 1
                WHERE id = ?1 AND tenant = ?3 AND floor < ?2 AND ?2 <= CASE
                    WHEN accepted > watermark THEN watermark ELSE base END";
            let row = params![conversation, to_sql(*seq), self.tenant.0];
            self.done += self.database.prepare_cached(sql)?.execute(row)?;
            self.purge_all()?;
        }
        Ok(self.done)
    }

    /// See [`crate::Archive::forget`].
    pub(super) fn forget(mut self) -> rusqlite::Result<usize> {
        self.purge_all()?;
        let some = "SELECT id FROM conversation WHERE tenant = ?1 LIMIT ?2";
        for conversation in self.ids(some, params![self.tenant.0, to_sql(self.left() as u64)])? {
            let sql = "UPDATE conversation SET floor = last, purging = 1, turn = 0,
                turn_id = NULL, base = 0, watermark = 0, due_ms = NULL, human_ms = NULL,
                email = NULL, active_ms = NULL, minute = NULL, turns = 0,
                owner = NULL WHERE id = ?1";
            self.database.prepare_cached(sql)?.execute([conversation])?;
            self.done += 1;
            self.purge(conversation)?;
            self.remove(conversation)?;
        }
        let bots = "SELECT id FROM bot WHERE tenant = ?1 LIMIT ?2";
        for bot in self.ids(bots, params![self.tenant.0, to_sql(self.left() as u64)])? {
            self.values(bot)?;
            if self.left() > 0 {
                self.delete("DELETE FROM bot WHERE id = ?1 AND ?2 > 0", bot)?;
            }
        }
        Ok(self.done)
    }

    /// See [`crate::Archive::forget_values`]. The bot stays: its turns name it.
    pub(super) fn forget_values(mut self, bot: &BotId) -> rusqlite::Result<usize> {
        let own = "SELECT id FROM bot WHERE tenant = ?1 AND name = ?2";
        for bot in self.ids(own, [&self.tenant.0, &bot.0])? {
            self.values(bot)?;
        }
        Ok(self.done)
    }

    fn values(&mut self, bot: i64) -> rusqlite::Result<()> {
        let values = "DELETE FROM bot_value WHERE id IN
            (SELECT id FROM bot_value WHERE bot = ?1 LIMIT ?2)";
        self.delete(values, bot)?;
        let sum = "UPDATE bot SET bytes = (SELECT coalesce(sum(octet_length(key)
            + octet_length(value)), 0) FROM bot_value WHERE bot = ?1) WHERE id = ?1";
        self.database.prepare_cached(sum)?.execute([bot])?;
        Ok(())
    }

    /// Takes away what one conversation is rid of.
    pub(super) fn purge_of(mut self, key: &ConversationKey) -> rusqlite::Result<usize> {
        let sql = "SELECT id FROM conversation WHERE tenant = ?1 AND channel = ?2
            AND vendor_key = ?3 AND purging = 1";
        let wanted = [&key.tenant.0, &key.channel.0, &key.vendor_key];
        for conversation in self.ids(sql, wanted)? {
            self.purge(conversation)?;
        }
        Ok(self.done)
    }

    /// Takes away what the tenant's conversations are rid of.
    fn purge_all(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT id FROM conversation WHERE tenant = ?1 AND purging = 1 LIMIT ?2";
        for conversation in self.ids(sql, params![self.tenant.0, to_sql(self.left() as u64)])? {
            self.purge(conversation)?;
        }
        Ok(())
    }

    fn purge(&mut self, conversation: i64) -> rusqlite::Result<()> {
        let letters = "DELETE FROM dead_letter WHERE id IN (SELECT dead_letter.id
            FROM dead_letter JOIN conversation ON conversation.id = conversation
            WHERE conversation = ?1 AND seq <= floor LIMIT ?2)";
        self.delete(letters, conversation)?;
        let entries = "SELECT entry.id, octet_length(value) FROM conversation
            JOIN entry ON entry.conversation = conversation.id
            WHERE conversation.id = ?1 AND kind IN (1, 2, 3, 4) AND seq <= floor LIMIT ?2";
        self.delete_entries(entries, conversation)?;
        if self.left() > 0 {
            let done = "UPDATE conversation SET purging = 0 WHERE id = ?1";
            self.done += self.database.prepare_cached(done)?.execute([conversation])?;
        }
        Ok(())
    }

    /// Takes away a conversation with the entries that it still has.
    fn remove(&mut self, conversation: i64) -> rusqlite::Result<()> {
        let letters = "DELETE FROM dead_letter WHERE id IN
            (SELECT id FROM dead_letter WHERE conversation = ?1 LIMIT ?2)";
        let entries = "SELECT id, octet_length(value) FROM entry WHERE conversation = ?1 LIMIT ?2";
        let row = "DELETE FROM conversation WHERE id = ?1 AND ?2 > 0
            AND NOT EXISTS (SELECT 1 FROM entry WHERE conversation = ?1)
            AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE conversation = ?1)";
        self.delete(letters, conversation)?;
        self.delete_entries(entries, conversation)?;
        self.delete(row, conversation)
    }

    fn delete(&mut self, sql: &str, of: i64) -> rusqlite::Result<()> {
        let wanted = [of, to_sql(self.left() as u64)];
        self.done += self.database.prepare_cached(sql)?.execute(wanted)?;
        Ok(())
    }

    /// Takes away entries that a query names with their sizes, as many as a step may.
    fn delete_entries(&mut self, sql: &str, of: i64) -> rusqlite::Result<()> {
        let wanted = [of, to_sql(self.left() as u64)];
        let sized = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?));
        let found: Vec<(i64, i64)> = self
            .database
            .prepare_cached(sql)?
            .query_map(wanted, sized)?
            .collect::<Result<_, _>>()?;
        let mut delete = self.database.prepare_cached("DELETE FROM entry WHERE id = ?1")?;
        for (entry, bytes) in found {
            if self.left() == 0 {
                break;
            }
            self.done += delete.execute([entry])?;
            self.bytes += usize::try_from(bytes).unwrap_or_default();
        }
        Ok(())
    }

    fn left(&self) -> usize {
        if self.bytes >= STEP_BYTES_MAX { 0 } else { self.room.saturating_sub(self.done) }
    }

    fn ids(&self, sql: &str, wanted: impl rusqlite::Params) -> rusqlite::Result<Vec<i64>> {
        let id = |row: &Row<'_>| row.get(0);
        self.database.prepare_cached(sql)?.query_map(wanted, id)?.collect()
    }
}

#[cfg(test)]
mod tests;
