//! The log's verbs as transactions and snapshots.

use std::collections::HashSet;

use async_trait::async_trait;
use botyard_failpoints::{Point, pass};
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, EventId, PartId, TenantId};
use botyard_kernel::log::{Arrival, Call, Entry, Row, Seq, Settled, Turn};
use botyard_kernel::owner::Owner;
use botyard_kernel::time::Millis;
use rusqlite::{Connection, OptionalExtension as _};

use super::conversation::{Conversation, Kind};
use super::health::store_error;
use super::letters::{self, Letters};
use super::turn::TurnJob;
use super::{Engine, due};
use crate::archive::{newest, settlement_time};
use crate::erasure::{admitted, wordless};
use crate::log::email_key;
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
        let (owned, newest_ms) = (key.clone(), newest(&arrivals));
        let accept = move |database: &Connection| {
            let mut conversation = Conversation::open(database, &owned)?;
            let seqs = conversation.accept(database, &values, newest_ms)?;
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
        let (owned, event, wordless) = (key.clone(), call.event.clone(), wordless(call)?);
        let record = move |database: &Connection| {
            let mut conversation = Conversation::open(database, &owned)?;
            let is_erased = conversation.erased > 0 && !awaits(database, &conversation, &event)?;
            let value = if is_erased { &wordless } else { &value };
            let seq = conversation.append(database, Kind::Called, value)?;
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
        let job = SettleJob::new(key, settled)?;
        let (bytes, all) = (job.bytes(), settled.clone());
        let settle = move |database: &Connection| {
            let mut conversation = Conversation::open(database, &job.key)?;
            let Some(erased_ms) = conversation.erased_ms else {
                return job.settle(database, &mut conversation).map(Ok);
            };
            let letters = letters::of(database, conversation.id, &all.revived)?;
            let is_letter = |row: &Row| letters.contains(&row.id);
            let nothing_since = conversation.is_tombstone();
            let admitted = admitted(&all, erased_ms, nothing_since, is_letter);
            match SettleJob::new(&job.key, &admitted) {
                Ok(job) => job.settle(database, &mut conversation).map(Ok),
                Err(error) => Ok(Err(error)),
            }
        };
        let seqs = self.writer.write(&key.tenant, bytes, settle).await??;
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

/// A settlement on its way to the writer.
struct SettleJob {
    key: ConversationKey,
    value: Vec<u8>,
    events: Vec<Vec<u8>>,
    newest_ms: Option<Millis>,
    letters: Letters,
    due_ms: Option<Millis>,
    human_ms: Option<Millis>,
    owner: Option<Owner>,
}

impl SettleJob {
    fn new(key: &ConversationKey, settled: &Settled) -> Result<Self, StoreError> {
        Ok(Self {
            key: key.clone(),
            value: limits::settled(settled)?,
            events: encode_all(&settled.events)?,
            newest_ms: newest(&settled.events).max(settlement_time(settled)),
            letters: Letters::of(settled),
            due_ms: settled.due_ms,
            human_ms: settled.human_ms,
            owner: settled.owner,
        })
    }

    fn bytes(&self) -> usize {
        self.value.len() + self.events.iter().map(Vec::len).sum::<usize>()
    }

    fn settle(
        &self,
        database: &Connection,
        conversation: &mut Conversation,
    ) -> rusqlite::Result<Vec<Seq>> {
        let mut seqs = vec![conversation.append(database, Kind::Settled, &self.value)?];
        self.letters.save(database, &self.key.tenant, conversation.id, seqs[0])?;
        seqs.extend(conversation.accept(database, &self.events, self.newest_ms)?);
        conversation.wake(self.due_ms);
        conversation.human_ms = self.human_ms;
        conversation.owner = self.owner.or(conversation.owner);
        conversation.save(database)?;
        pass(Point::SettleWritten);
        Ok(seqs)
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

/// Whether an event still waits for its turn. Only of erased conversations it is asked.
fn awaits(
    database: &Connection,
    conversation: &Conversation,
    event: &EventId,
) -> rusqlite::Result<bool> {
    let after = conversation.watermark;
    let waiting = conversation.some(database, Kind::Accepted, after, usize::MAX)?;
    Ok(waiting.iter().any(|(_, value)| {
        matches!(limits::decode(value), Ok(Entry::Accepted(a)) if a.event.id == *event)
    }))
}

fn misplaced(seq: Seq) -> StoreError {
    StoreError::Corrupt(format!("entry {seq} of a conversation is missing or of another kind"))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn sql(error: rusqlite::Error) -> StoreError {
    store_error(&error)
}
