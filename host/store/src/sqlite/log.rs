//! The log's verbs as transactions and snapshots.

use std::collections::HashSet;

use async_trait::async_trait;
use botyard_failpoints::{Point, pass};
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, PartId, TenantId};
use botyard_kernel::log::{Arrival, Call, Entry, Seq, Settled, Turn};
use botyard_kernel::run::{KvScope, KvWrite};
use botyard_kernel::time::Millis;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::conversation::{Conversation, Kind};
use super::health::store_error;
use super::letters::{self, Letters};
use super::{Engine, due, to_sql};
use crate::log::{email_key, email_of};
use crate::{Commit, DeadLetter, DuePlace, Lease, Loaded, Log, StoreError, limits};

#[async_trait]
impl Log for Engine {
    async fn accept(
        &self,
        key: &ConversationKey,
        arrivals: Vec<Arrival>,
    ) -> Result<Vec<Seq>, StoreError> {
        limits::key(key)?;
        if arrivals.is_empty() {
            return Ok(Vec::new());
        }
        let values = encode_all(&arrivals)?;
        let bytes = values.iter().map(Vec::len).sum();
        let owned = key.clone();
        let accept = move |database: &Connection| {
            let mut conversation = Conversation::open(database, &owned)?;
            let seqs = conversation.accept(database, &values)?;
            conversation.save(database)?;
            pass(Point::AcceptWritten);
            Ok(seqs)
        };
        let seqs = self.writer.write(&key.tenant, bytes, accept).await?;
        pass(Point::AcceptCommitted);
        Ok(seqs)
    }

    async fn load(&self, key: &ConversationKey, limit: usize) -> Result<Loaded, StoreError> {
        let key = key.clone();
        self.readers.read(move |database| load(database, &key, limit)).await
    }

    async fn record_call(&self, key: &ConversationKey, call: &Call) -> Result<Seq, StoreError> {
        limits::key(key)?;
        let value = limits::call(call)?;
        let bytes = value.len();
        let owned = key.clone();
        let record = move |database: &Connection| {
            let mut conversation = Conversation::open(database, &owned)?;
            let seq = conversation.append(database, Kind::Called, &value)?;
            conversation.save(database)?;
            pass(Point::RecordWritten);
            Ok(seq)
        };
        let seq = self.writer.write(&key.tenant, bytes, record).await?;
        pass(Point::RecordCommitted);
        Ok(seq)
    }

    async fn commit(&self, key: &ConversationKey, turn: &Turn) -> Result<Commit, StoreError> {
        limits::key(key)?;
        let job = TurnJob::new(key, turn)?;
        let bytes = job.value.len();
        let commit = self.writer.write(&key.tenant, bytes, move |database| job.commit(database));
        let commit = commit.await?;
        pass(if turn.fused.is_some() { Point::FusedCommitted } else { Point::TurnCommitted });
        Ok(commit)
    }

    async fn settle(
        &self,
        key: &ConversationKey,
        settled: &Settled,
    ) -> Result<Vec<Seq>, StoreError> {
        limits::key(key)?;
        let value = limits::settled(settled)?;
        let events = encode_all(&settled.events)?;
        let bytes = value.len() + events.iter().map(Vec::len).sum::<usize>();
        let (owned, due_ms, human_ms) = (key.clone(), settled.due_ms, settled.human_ms);
        let letters = Letters::of(settled);
        let settle = move |database: &Connection| {
            let mut conversation = Conversation::open(database, &owned)?;
            let mut seqs = vec![conversation.append(database, Kind::Settled, &value)?];
            letters.save(database, &owned.tenant, conversation.id, seqs[0])?;
            seqs.extend(conversation.accept(database, &events)?);
            conversation.wake(due_ms);
            conversation.human_ms = human_ms;
            conversation.save(database)?;
            pass(Point::SettleWritten);
            Ok(seqs)
        };
        let seqs = self.writer.write(&key.tenant, bytes, settle).await?;
        pass(Point::SettleCommitted);
        Ok(seqs)
    }

    async fn read(
        &self,
        key: &ConversationKey,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Entry)>, StoreError> {
        let key = key.clone();
        self.readers
            .read(move |database| {
                let Some(conversation) = Conversation::find(database, &key).map_err(sql)? else {
                    return Ok(Vec::new());
                };
                decode_all(conversation.all(database, after, limit).map_err(sql)?)
            })
            .await
    }

    async fn bot_value(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        let wanted = (tenant.0.clone(), bot.0.clone(), key.to_owned());
        self.readers
            .read(move |database| {
                let found = "SELECT value FROM bot_value
                    WHERE bot = (SELECT id FROM bot WHERE tenant = ?1 AND name = ?2) AND key = ?3";
                let mut found = database.prepare_cached(found).map_err(sql)?;
                found.query_row(wanted, |row| row.get(0)).optional().map_err(sql)
            })
            .await
    }

    async fn due(
        &self,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, Millis)>, StoreError> {
        self.readers.read(move |database| due::everywhere(database, now, limit).map_err(sql)).await
    }

    async fn due_channels(&self, now: Millis) -> Result<Vec<(TenantId, ChannelId)>, StoreError> {
        self.readers.read(move |database| due::channels(database, now).map_err(sql)).await
    }

    async fn due_in(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        after: Option<DuePlace>,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, DuePlace)>, StoreError> {
        let (tenant, channel) = (tenant.clone(), channel.clone());
        self.readers
            .read(move |database| {
                due::of_channel(database, &tenant, &channel, after, now, limit).map_err(sql)
            })
            .await
    }

    async fn with_human(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        after: Option<DuePlace>,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, DuePlace)>, StoreError> {
        let (tenant, channel) = (tenant.clone(), channel.clone());
        self.readers
            .read(move |database| {
                due::with_human(database, &tenant, &channel, after, limit).map_err(sql)
            })
            .await
    }

    async fn with_email(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        email: &str,
        limit: usize,
    ) -> Result<Vec<ConversationKey>, StoreError> {
        let (tenant, channel, email) = (tenant.clone(), channel.clone(), email_key(email));
        self.readers
            .read(move |database| {
                Conversation::with_email(database, (&tenant, &channel), &email, limit).map_err(sql)
            })
            .await
    }

    async fn dead_letters(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let tenant = tenant.clone();
        self.readers.read(move |database| letters::above(database, &tenant, after, limit)).await
    }

    async fn dead_letter(
        &self,
        tenant: &TenantId,
        part: &PartId,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let (tenant, part) = (tenant.clone(), part.clone());
        self.readers.read(move |database| letters::of_part(database, &tenant, &part)).await
    }

    async fn lease(
        &self,
        key: &ConversationKey,
        holder: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Lease, StoreError> {
        Ok(self.leases.ask(key, holder, now, until))
    }
}

/// A turn on its way to the writer: what the transaction looks at, and the rest
/// as it will be stored.
struct TurnJob {
    key: ConversationKey,
    id: String,
    previous: Seq,
    base: Seq,
    watermark: Seq,
    fused: bool,
    due_ms: Option<Millis>,
    human_ms: Option<Millis>,
    email: Option<String>,
    bot: BotId,
    writes: Vec<KvWrite>,
    value: Vec<u8>,
}

impl TurnJob {
    fn new(key: &ConversationKey, turn: &Turn) -> Result<Self, StoreError> {
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
            bot: turn.bot.clone(),
            writes: writes.cloned().collect(),
            value: limits::turn(turn)?,
        })
    }

    fn commit(&self, database: &Connection) -> rusqlite::Result<Commit> {
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
        let seq = conversation.append(database, Kind::Turn, &self.value)?;
        conversation.turn = seq;
        conversation.turn_id = Some(self.id.clone());
        conversation.base = self.base;
        conversation.watermark = self.watermark;
        conversation.wake(self.due_ms);
        conversation.human_ms = self.human_ms;
        conversation.email.clone_from(&self.email);
        conversation.save(database)?;
        let refused = self.write_values(database)?;
        pass(if self.fused { Point::FusedWritten } else { Point::TurnWritten });
        Ok(Commit::Committed { seq, refused })
    }

    fn write_values(&self, database: &Connection) -> rusqlite::Result<Vec<String>> {
        if self.writes.is_empty() {
            return Ok(Vec::new());
        }
        let tenant = &self.key.tenant.0;
        let make =
            "INSERT INTO bot (tenant, name, bytes) VALUES (?1, ?2, 0) ON CONFLICT DO NOTHING";
        database.prepare_cached(make)?.execute([tenant, &self.bot.0])?;
        let find = "SELECT id, bytes FROM bot WHERE tenant = ?1 AND name = ?2";
        let mut values =
            database.prepare_cached(find)?.query_row([tenant, &self.bot.0], |row| {
                Ok(Values { bot: row.get(0)?, bytes: row.get(1)? })
            })?;
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

fn load(database: &Connection, key: &ConversationKey, limit: usize) -> Result<Loaded, StoreError> {
    let Some(conversation) = Conversation::find(database, key).map_err(sql)? else {
        return Ok(Loaded::default());
    };
    let turn = match conversation.turn {
        0 => None,
        seq => Some((seq, last_turn(database, &conversation)?)),
    };
    let above = |kind, after, limit| {
        decode_all(conversation.some(database, kind, after, limit).map_err(sql)?)
    };
    let mut accepted = Vec::new();
    for (seq, entry) in above(Kind::Accepted, conversation.watermark, limit.saturating_add(1))? {
        let Entry::Accepted(arrival) = entry else { return Err(misplaced(seq)) };
        accepted.push((seq, *arrival));
    }
    let more = accepted.len() > limit;
    accepted.truncate(limit);
    let mut settled = Vec::new();
    for (seq, entry) in above(Kind::Settled, conversation.base, usize::MAX)? {
        let Entry::Settled(one) = entry else { return Err(misplaced(seq)) };
        settled.push(one);
    }
    let open: HashSet<_> = accepted.iter().map(|(_, arrival)| &arrival.event.id).collect();
    let mut calls = Vec::new();
    for (seq, entry) in above(Kind::Called, conversation.watermark, usize::MAX)? {
        let Entry::Called(call) = entry else { return Err(misplaced(seq)) };
        if open.contains(&call.event) {
            calls.push(call);
        }
    }
    Ok(Loaded { last: conversation.last, turn, accepted, more, settled, calls })
}

fn last_turn(database: &Connection, conversation: &Conversation) -> Result<Turn, StoreError> {
    let before = conversation.turn - 1;
    let found = conversation.some(database, Kind::Turn, before, 1).map_err(sql)?;
    match decode_all(found)?.pop() {
        Some((_, Entry::Turn(turn))) => Ok(*turn),
        _ => Err(misplaced(conversation.turn)),
    }
}

fn encode_all(arrivals: &[Arrival]) -> Result<Vec<Vec<u8>>, StoreError> {
    arrivals.iter().map(limits::arrival).collect()
}

fn decode_all(values: Vec<(Seq, Vec<u8>)>) -> Result<Vec<(Seq, Entry)>, StoreError> {
    values.into_iter().map(|(seq, value)| Ok((seq, limits::decode(&value)?))).collect()
}

fn misplaced(seq: Seq) -> StoreError {
    StoreError::Corrupt(format!("entry {seq} of a conversation is missing or of another kind"))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn sql(error: rusqlite::Error) -> StoreError {
    store_error(&error)
}
