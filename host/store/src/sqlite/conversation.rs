//! The row of a conversation and the entries behind it.

use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};
use botyard_kernel::log::Seq;
use botyard_kernel::owner::Owner;
use botyard_kernel::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{from_sql, to_sql};
use crate::Summary;
use crate::archive::minute_of;

/// What an entry is, as its row says.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Accepted = 1,
    Called = 2,
    Turn = 3,
    Settled = 4,
}

/// What the entries of a conversation add up to.
pub(super) struct Conversation {
    pub(super) id: i64,
    pub(super) last: Seq,
    pub(super) accepted: Seq,
    pub(super) turn: Seq,
    pub(super) turn_id: Option<String>,
    pub(super) base: Seq,
    pub(super) watermark: Seq,
    pub(super) due_ms: Option<Millis>,
    /// Since when a human has it.
    pub(super) human_ms: Option<Millis>,
    /// See [`crate::log::email_of`].
    pub(super) email: Option<String>,
    /// When something last happened; absent where nothing has since an erasure.
    pub(super) active_ms: Option<Millis>,
    /// The minute of that, as the row has it.
    minute: Option<u64>,
    pub(super) turns: u64,
    pub(super) owner: Option<Owner>,
    /// Entries up to here are gone, or about to go.
    pub(super) floor: Seq,
    /// The place of the turn that the last erasure left.
    pub(super) erased: Seq,
    pub(super) erased_ms: Option<Millis>,
}

/// In the order of [`Conversation::from_row`].
macro_rules! columns {
    () => {
        "id, last, accepted, turn, turn_id, base, watermark, due_ms, human_ms, email, \
         active_ms, turns, owner, floor, erased, erased_ms, minute"
    };
}

impl Conversation {
    pub(super) fn find(
        database: &Connection,
        key: &ConversationKey,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = concat!(
            "SELECT ",
            columns!(),
            " FROM conversation WHERE tenant = ?1 AND channel = ?2 AND vendor_key = ?3"
        );
        let place = [&key.tenant.0, &key.channel.0, &key.vendor_key];
        database.prepare_cached(sql)?.query_row(place, Self::from_row).optional()
    }

    /// The conversation, made where there is none yet.
    pub(super) fn open(database: &Connection, key: &ConversationKey) -> rusqlite::Result<Self> {
        if let Some(found) = Self::find(database, key)? {
            return Ok(found);
        }
        let sql = concat!(
            "INSERT INTO conversation
            (tenant, channel, vendor_key, last, accepted, turn, base, watermark)
            VALUES (?1, ?2, ?3, 0, 0, 0, 0, 0) RETURNING ",
            columns!()
        );
        let place = [&key.tenant.0, &key.channel.0, &key.vendor_key];
        database.prepare_cached(sql)?.query_row(place, Self::from_row)
    }

    /// Selects conversations, and a column more, by a condition.
    pub(super) fn select(more: &str, condition: &str) -> String {
        format!("SELECT {}, {more} FROM conversation WHERE {condition}", columns!())
    }

    /// Everything in it is erased, and nothing has happened since.
    pub(super) fn is_tombstone(&self) -> bool {
        self.erased > 0 && self.erased == self.turn && self.active_ms.is_none()
    }

    /// The conversation in short, unless nothing has happened in it.
    pub(super) fn summary(self, key: ConversationKey) -> Option<Summary> {
        let Self { last, turns, owner, due_ms, human_ms, .. } = self;
        Some(Summary { key, last, active_ms: self.active_ms?, turns, owner, due_ms, human_ms })
    }

    /// Appends an entry. The row itself is written by [`Self::save`].
    pub(super) fn append(
        &mut self,
        database: &Connection,
        kind: Kind,
        value: &[u8],
    ) -> rusqlite::Result<Seq> {
        self.last += 1;
        let sql = "INSERT INTO entry (conversation, kind, seq, value) VALUES (?1, ?2, ?3, ?4)";
        let row = params![self.id, kind as i64, to_sql(self.last), value];
        database.prepare_cached(sql)?.execute(row)?;
        Ok(self.last)
    }

    /// Appends a turn of a bot at a time.
    pub(super) fn append_turn(
        &mut self,
        database: &Connection,
        value: &[u8],
        (bot, at_ms): (i64, Millis),
    ) -> rusqlite::Result<Seq> {
        self.last += 1;
        self.turns += 1;
        self.active_ms = Some(at_ms);
        let sql = "INSERT INTO entry (conversation, kind, seq, value, bot, at_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let row = params![self.id, Kind::Turn as i64, to_sql(self.last), value, bot, to_sql(at_ms)];
        database.prepare_cached(sql)?.execute(row)?;
        Ok(self.last)
    }

    /// Appends events, the newest of them of a time, which make the conversation due.
    pub(super) fn accept(
        &mut self,
        database: &Connection,
        values: &[Vec<u8>],
        newest_ms: Option<Millis>,
    ) -> rusqlite::Result<Vec<Seq>> {
        let mut seqs = Vec::with_capacity(values.len());
        for value in values {
            let seq = self.append(database, Kind::Accepted, value)?;
            self.accepted = seq;
            seqs.push(seq);
        }
        self.active_ms = self.active_ms.max(newest_ms);
        self.wake(self.due_ms);
        Ok(seqs)
    }

    /// Notes when the conversation wants attention: at once while events wait,
    /// else when the newest turn or settlement says.
    pub(super) fn wake(&mut self, due_ms: Option<Millis>) {
        self.due_ms = if self.accepted > self.watermark { Some(0) } else { due_ms };
    }

    pub(super) fn save(&self, database: &Connection) -> rusqlite::Result<()> {
        let sql = "UPDATE conversation SET last = ?2, accepted = ?3, turn = ?4, turn_id = ?5,
            base = ?6, watermark = ?7, due_ms = ?8, human_ms = ?9, email = ?10, active_ms = ?11,
            turns = ?12, owner = ?13 WHERE id = ?1";
        database.prepare_cached(sql)?.execute(params![
            self.id,
            to_sql(self.last),
            to_sql(self.accepted),
            to_sql(self.turn),
            self.turn_id,
            to_sql(self.base),
            to_sql(self.watermark),
            self.due_ms.map(to_sql),
            self.human_ms.map(to_sql),
            self.email,
            self.active_ms.map(to_sql),
            to_sql(self.turns),
            self.owner.map(owner_text),
        ])?;
        let minute = self.active_ms.map(minute_of);
        if minute != self.minute {
            let sql = "UPDATE conversation SET minute = ?2 WHERE id = ?1";
            database.prepare_cached(sql)?.execute(params![self.id, minute.map(to_sql)])?;
        }
        Ok(())
    }

    /// At most `limit` entries of one kind above a place, in order.
    pub(super) fn some(
        &self,
        database: &Connection,
        kind: Kind,
        after: Seq,
        limit: usize,
    ) -> rusqlite::Result<Vec<(Seq, Vec<u8>)>> {
        let sql = "SELECT seq, value FROM entry
            WHERE conversation = ?1 AND kind = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4";
        database
            .prepare_cached(sql)?
            .query_map(
                [self.id, kind as i64, to_sql(after.max(self.floor)), to_sql(limit as u64)],
                entry,
            )?
            .collect()
    }

    /// At most `limit` entries above a place, in order.
    pub(super) fn all(
        &self,
        database: &Connection,
        after: Seq,
        limit: usize,
    ) -> rusqlite::Result<Vec<(Seq, Vec<u8>)>> {
        // The index is ordered within each kind; SQLite merges the four runs.
        let sql = "SELECT seq, value FROM entry WHERE conversation = ?1 AND kind = 1 AND seq > ?2
            UNION ALL
            SELECT seq, value FROM entry WHERE conversation = ?1 AND kind = 2 AND seq > ?2
            UNION ALL
            SELECT seq, value FROM entry WHERE conversation = ?1 AND kind = 3 AND seq > ?2
            UNION ALL
            SELECT seq, value FROM entry WHERE conversation = ?1 AND kind = 4 AND seq > ?2
            ORDER BY seq LIMIT ?3";
        database
            .prepare_cached(sql)?
            .query_map([self.id, to_sql(after.max(self.floor)), to_sql(limit as u64)], entry)?
            .collect()
    }

    /// The keys of at most `limit` conversations of a channel with a person of this
    /// address, the newest first.
    pub(super) fn with_email(
        database: &Connection,
        (tenant, channel): (&TenantId, &ChannelId),
        email: &str,
        limit: usize,
    ) -> rusqlite::Result<Vec<ConversationKey>> {
        let sql = "SELECT vendor_key FROM conversation
            WHERE tenant = ?1 AND channel = ?2 AND email = ?3 ORDER BY id DESC LIMIT ?4";
        let wanted = params![tenant.0, channel.0, email, to_sql(limit as u64)];
        let key = |row: &Row<'_>| {
            let (tenant, channel) = (tenant.clone(), channel.clone());
            Ok(ConversationKey { tenant, channel, vendor_key: row.get(0)? })
        };
        database.prepare_cached(sql)?.query_map(wanted, key)?.collect()
    }

    pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            last: from_sql(row.get(1)?),
            accepted: from_sql(row.get(2)?),
            turn: from_sql(row.get(3)?),
            turn_id: row.get(4)?,
            base: from_sql(row.get(5)?),
            watermark: from_sql(row.get(6)?),
            due_ms: row.get::<_, Option<i64>>(7)?.map(from_sql),
            human_ms: row.get::<_, Option<i64>>(8)?.map(from_sql),
            email: row.get(9)?,
            active_ms: row.get::<_, Option<i64>>(10)?.map(from_sql),
            turns: from_sql(row.get(11)?),
            owner: row.get::<_, Option<String>>(12)?.and_then(|text| owner(&text)),
            floor: from_sql(row.get(13)?),
            erased: from_sql(row.get(14)?),
            erased_ms: row.get::<_, Option<i64>>(15)?.map(from_sql),
            minute: row.get::<_, Option<i64>>(16)?.map(from_sql),
        })
    }
}

/// An owner as its column says it.
pub(super) fn owner_text(owner: Owner) -> &'static str {
    match owner {
        Owner::Bot => "bot",
        Owner::Relay => "relay",
        Owner::HandingOff => "handing_off",
        Owner::Human => "human",
        Owner::Ended => "ended",
    }
}

pub(super) fn owner(text: &str) -> Option<Owner> {
    let all = [Owner::Bot, Owner::Relay, Owner::HandingOff, Owner::Human, Owner::Ended];
    all.into_iter().find(|owner| owner_text(*owner) == text)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<(Seq, Vec<u8>)> {
    Ok((from_sql(row.get(0)?), row.get(1)?))
}
