//! Turns, and what they write to the values of their bot.

use botyard_failpoints::{Point, pass};
use botyard_kernel::id::{BotId, ConversationKey};
use botyard_kernel::log::{Seq, Turn};
use botyard_kernel::owner::Owner;
use botyard_kernel::run::{KvScope, KvWrite};
use botyard_kernel::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::conversation::Conversation;
use super::to_sql;
use crate::archive::time_of;
use crate::log::email_of;
use crate::{Commit, StoreError, limits};

/// A turn on its way to the writer: what the transaction looks at, and the rest
/// as it will be stored.
pub(super) struct TurnJob {
    key: ConversationKey,
    id: String,
    previous: Seq,
    base: Seq,
    watermark: Seq,
    fused: bool,
    due_ms: Option<Millis>,
    human_ms: Option<Millis>,
    email: Option<String>,
    owner: Owner,
    time: Millis,
    bot: BotId,
    writes: Vec<KvWrite>,
    pub(super) value: Vec<u8>,
}

impl TurnJob {
    pub(super) fn new(key: &ConversationKey, turn: &Turn) -> Result<Self, StoreError> {
        let writes = turn.bot_writes.iter().filter(|write| write.scope == KvScope::Bot);
        Ok(Self {
            key: key.clone(),
            id: turn.id.0.clone(),
            previous: turn.previous,
            base: turn.base,
            watermark: turn.watermark,
            fused: turn.fused.is_some(),
            due_ms: turn.due_ms,
            human_ms: turn.human_ms,
            email: email_of(turn),
            owner: turn.state.owner,
            time: time_of(turn, None),
            bot: turn.bot.clone(),
            writes: writes.cloned().collect(),
            value: limits::turn(turn)?,
        })
    }

    pub(super) fn commit(&self, database: &Connection) -> rusqlite::Result<Commit> {
        let found = Conversation::find(database, &self.key)?;
        let (turn, accepted) = found.as_ref().map_or((0, 0), |c| (c.turn, c.accepted));
        if let Some(written) = found.as_ref().filter(|c| c.turn_id.as_ref() == Some(&self.id)) {
            return Ok(Commit::Committed { seq: written.turn, refused: Vec::new() });
        }
        if turn != self.previous || (self.fused && accepted > self.base) {
            return Ok(Commit::Conflict);
        }
        let mut conversation = match found {
            Some(conversation) => conversation,
            None => Conversation::open(database, &self.key)?,
        };
        let mut values = self.values(database)?;
        let at_ms = conversation.active_ms.unwrap_or(0).max(self.time);
        let seq = conversation.append_turn(database, &self.value, (values.bot, at_ms))?;
        conversation.turn = seq;
        conversation.turn_id = Some(self.id.clone());
        conversation.base = self.base;
        conversation.watermark = self.watermark;
        conversation.wake(self.due_ms);
        conversation.human_ms = self.human_ms;
        conversation.email.clone_from(&self.email);
        conversation.owner = Some(self.owner);
        conversation.save(database)?;
        let refused = self.write_values(database, &mut values)?;
        pass(if self.fused { Point::FusedWritten } else { Point::TurnWritten });
        Ok(Commit::Committed { seq, refused })
    }

    /// The values of the turn's bot, which is made where there is none yet.
    fn values(&self, database: &Connection) -> rusqlite::Result<Values> {
        let place = [&self.key.tenant.0, &self.bot.0];
        let values = |row: &Row<'_>| Ok(Values { bot: row.get(0)?, bytes: row.get(1)? });
        let find = "SELECT id, bytes FROM bot WHERE tenant = ?1 AND name = ?2";
        if let Some(found) = database.prepare_cached(find)?.query_row(place, values).optional()? {
            return Ok(found);
        }
        let make = "INSERT INTO bot (tenant, name, bytes) VALUES (?1, ?2, 0) RETURNING id, bytes";
        database.prepare_cached(make)?.query_row(place, values)
    }

    fn write_values(
        &self,
        database: &Connection,
        values: &mut Values,
    ) -> rusqlite::Result<Vec<String>> {
        if self.writes.is_empty() {
            return Ok(Vec::new());
        }
        let mut refused = Vec::new();
        for write in &self.writes {
            if !values.write(database, write)? {
                refused.push(write.key.clone());
            }
        }
        let keep = "UPDATE bot SET bytes = ?2 WHERE id = ?1";
        database.prepare_cached(keep)?.execute([values.bot, values.bytes])?;
        Ok(refused)
    }
}

/// The values of one bot.
struct Values {
    bot: i64,
    bytes: i64,
}

impl Values {
    /// Answers whether there was room.
    fn write(&mut self, database: &Connection, write: &KvWrite) -> rusqlite::Result<bool> {
        let find = "SELECT value FROM bot_value WHERE bot = ?1 AND key = ?2";
        let old: Option<String> = database
            .prepare_cached(find)?
            .query_row(params![self.bot, write.key], |row| row.get(0))
            .optional()?;
        let new = crate::value::changed(old.as_deref(), &write.change);
        if new == old {
            return Ok(true);
        }
        let size = |value: &Option<String>| {
            to_sql(value.as_ref().map_or(0, |value| write.key.len() + value.len()) as u64)
        };
        let bytes = self.bytes - size(&old) + size(&new);
        if bytes > self.bytes && bytes > to_sql(limits::BOT_VALUES_BYTES_MAX as u64) {
            return Ok(false);
        }
        self.bytes = bytes;
        match new {
            Some(value) => {
                let put = "INSERT INTO bot_value (bot, key, value) VALUES (?1, ?2, ?3)
                    ON CONFLICT DO UPDATE SET value = excluded.value";
                database.prepare_cached(put)?.execute(params![self.bot, write.key, value])?;
            }
            None => {
                let delete = "DELETE FROM bot_value WHERE bot = ?1 AND key = ?2";
                database.prepare_cached(delete)?.execute(params![self.bot, write.key])?;
            }
        }
        Ok(true)
    }
}
