//! The log's verbs as folds over entries.

use std::collections::BTreeSet;

use async_trait::async_trait;
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, PartId, TenantId};
use botyard_kernel::log::{Arrival, Call, Entry, Row, Seq, Settled, Turn};
use botyard_kernel::run::KvScope;
use botyard_kernel::time::Millis;

use super::{MemoryStore, State};
use crate::log::{email_key, email_of};
use crate::{Commit, DeadLetter, DuePlace, Lease, Loaded, Log, StoreError, limits, value};

#[async_trait]
impl Log for MemoryStore {
    async fn accept(
        &self,
        key: &ConversationKey,
        arrivals: Vec<Arrival>,
    ) -> Result<Vec<Seq>, StoreError> {
        limits::key(key)?;
        arrivals.iter().try_for_each(|arrival| limits::arrival(arrival).map(drop))?;
        if arrivals.is_empty() {
            return Ok(Vec::new());
        }
        let mut state = self.writable()?;
        let entries = state.conversation(key);
        Ok(arrivals.into_iter().map(|arrival| append(entries, accepted(arrival))).collect())
    }

    async fn load(&self, key: &ConversationKey, limit: usize) -> Result<Loaded, StoreError> {
        Ok(load(self.state().entries(key), limit))
    }

    async fn record_call(&self, key: &ConversationKey, call: &Call) -> Result<Seq, StoreError> {
        limits::key(key)?;
        limits::call(call)?;
        Ok(append(self.writable()?.conversation(key), Entry::Called(call.clone())))
    }

    async fn commit(&self, key: &ConversationKey, turn: &Turn) -> Result<Commit, StoreError> {
        limits::key(key)?;
        limits::turn(turn)?;
        let mut state = self.writable()?;
        let entries = state.entries(key);
        let last = last_turn(entries);
        if let Some((seq, _)) = last.filter(|(_, last)| last.id == turn.id) {
            return Ok(Commit::Committed { seq, refused: Vec::new() });
        }
        let other_turn = last.map_or(0, |(seq, _)| seq) != turn.previous;
        let other_event = turn.fused.is_some() && waiting(entries, turn.base).next().is_some();
        if other_turn || other_event {
            return Ok(Commit::Conflict);
        }
        let seq = append(state.conversation(key), Entry::Turn(Box::new(turn.clone())));
        Ok(Commit::Committed { seq, refused: state.write_values(&key.tenant, turn) })
    }

    async fn settle(
        &self,
        key: &ConversationKey,
        settled: &Settled,
    ) -> Result<Vec<Seq>, StoreError> {
        limits::key(key)?;
        limits::settled(settled)?;
        settled.events.iter().try_for_each(|event| limits::arrival(event).map(drop))?;
        let mut state = self.writable()?;
        let entries = state.conversation(key);
        let alone = Settled { events: Vec::new(), ..settled.clone() };
        let mut seqs = vec![append(entries, Entry::Settled(alone))];
        seqs.extend(settled.events.iter().cloned().map(|event| append(entries, accepted(event))));
        state.file_letters(key, settled);
        Ok(seqs)
    }

    async fn read(
        &self,
        key: &ConversationKey,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Entry)>, StoreError> {
        let state = self.state();
        let found = numbered(state.entries(key)).filter(|(seq, _)| *seq > after).take(limit);
        Ok(found.map(|(seq, entry)| (seq, entry.clone())).collect())
    }

    async fn bot_value(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        key: &str,
    ) -> Result<Option<String>, StoreError> {
        let state = self.state();
        let values = state.bot_values.get(&(tenant.clone(), bot.clone()));
        Ok(values.and_then(|values| values.get(key)).cloned())
    }

    async fn due(
        &self,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, Millis)>, StoreError> {
        let due = self.state().due(now);
        Ok(due.into_iter().take(limit).map(|(key, place)| (key, place.due_ms)).collect())
    }

    async fn due_channels(&self, now: Millis) -> Result<Vec<(TenantId, ChannelId)>, StoreError> {
        let due = self.state().due(now);
        let channels: BTreeSet<_> =
            due.into_iter().map(|(key, _)| (key.tenant, key.channel)).collect();
        Ok(channels.into_iter().collect())
    }

    async fn due_in(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        after: Option<DuePlace>,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, DuePlace)>, StoreError> {
        let due = self.state().due(now).into_iter().filter(|(key, place)| {
            key.tenant == *tenant && key.channel == *channel && Some(*place) > after
        });
        Ok(due.take(limit).collect())
    }

    async fn with_human(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        after: Option<DuePlace>,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, DuePlace)>, StoreError> {
        let state = self.state();
        let with_human = (1..).zip(&state.conversations).filter_map(|(number, (key, entries))| {
            let place = DuePlace { due_ms: human_since(entries)?, number };
            let wanted = key.tenant == *tenant && key.channel == *channel;
            (wanted && Some(place) > after).then(|| (key.clone(), place))
        });
        let mut found: Vec<_> = with_human.collect();
        found.sort_by_key(|(_, place)| *place);
        found.truncate(limit);
        Ok(found)
    }

    async fn with_email(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        email: &str,
        limit: usize,
    ) -> Result<Vec<ConversationKey>, StoreError> {
        let (state, email) = (self.state(), email_key(email));
        let is = |(key, entries): &&(ConversationKey, Vec<Entry>)| {
            let found = last_turn(entries).and_then(|(_, turn)| email_of(turn));
            key.tenant == *tenant && key.channel == *channel && found.as_ref() == Some(&email)
        };
        let found = state.conversations.iter().rev().filter(is);
        Ok(found.take(limit).map(|(key, _)| key.clone()).collect())
    }

    async fn dead_letters(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let state = self.state();
        let letters = state
            .letters
            .iter()
            .filter(|letter| letter.conversation.tenant == *tenant && letter.place > after);
        Ok(letters.take(limit).cloned().collect())
    }

    async fn dead_letter(
        &self,
        tenant: &TenantId,
        part: &PartId,
    ) -> Result<Option<DeadLetter>, StoreError> {
        let state = self.state();
        let is_wanted =
            |letter: &&DeadLetter| letter.conversation.tenant == *tenant && letter.row.id == *part;
        Ok(state.letters.iter().find(is_wanted).cloned())
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

impl State {
    fn entries(&self, key: &ConversationKey) -> &[Entry] {
        let found = self.conversations.iter().find(|(found, _)| found == key);
        found.map_or(&[], |(_, entries)| entries)
    }

    fn conversation(&mut self, key: &ConversationKey) -> &mut Vec<Entry> {
        let found = self.conversations.iter().position(|(found, _)| found == key);
        let index = found.unwrap_or_else(|| {
            self.conversations.push((key.clone(), Vec::new()));
            self.conversations.len() - 1
        });
        &mut self.conversations[index].1
    }

    /// Everything that is due, longest first.
    fn due(&self, now: Millis) -> Vec<(ConversationKey, DuePlace)> {
        let due = (1..).zip(&self.conversations).filter_map(|(number, (key, entries))| {
            let due_ms = due(entries).filter(|due_ms| *due_ms <= now)?;
            Some((key.clone(), DuePlace { due_ms, number }))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|(_, place)| *place);
        due
    }

    fn file_letters(&mut self, key: &ConversationKey, settled: &Settled) {
        let is =
            |letter: &DeadLetter, row: &Row| letter.conversation == *key && letter.row.id == row.id;
        self.letters.retain(|letter| !settled.revived.iter().any(|row| is(letter, row)));
        for row in &settled.dead_letters {
            let old = self.letters.iter().position(|letter| is(letter, row));
            let place = old.map_or(self.letters_filed + 1, |old| self.letters[old].place);
            let Some(letter) = DeadLetter::of(settled, &row.id, place, key.clone()) else {
                continue;
            };
            match old {
                Some(old) => self.letters[old] = letter,
                None => {
                    self.letters_filed = place;
                    self.letters.push(letter);
                }
            }
        }
    }

    fn write_values(&mut self, tenant: &TenantId, turn: &Turn) -> Vec<String> {
        let values = self.bot_values.entry((tenant.clone(), turn.bot.clone())).or_default();
        let mut refused = Vec::new();
        for write in turn.bot_writes.iter().filter(|write| write.scope == KvScope::Bot) {
            let old = values.get(&write.key).cloned();
            let new = value::changed(old.as_deref(), &write.change);
            let bytes: usize = values.iter().map(|(key, value)| key.len() + value.len()).sum();
            let size = |v: &Option<String>| v.as_ref().map_or(0, |v| write.key.len() + v.len());
            let grows = size(&new) > size(&old);
            if grows && bytes - size(&old) + size(&new) > limits::BOT_VALUES_BYTES_MAX {
                refused.push(write.key.clone());
            } else if let Some(new) = new {
                values.insert(write.key.clone(), new);
            } else {
                values.remove(&write.key);
            }
        }
        refused
    }
}

fn load(entries: &[Entry], limit: usize) -> Loaded {
    let turn = last_turn(entries);
    let (base, watermark) = turn.map_or((0, 0), |(_, turn)| (turn.base, turn.watermark));
    let open: Vec<_> = waiting(entries, watermark).collect();
    let accepted: Vec<_> =
        open.iter().take(limit).map(|(seq, arrival)| (*seq, (*arrival).clone())).collect();
    let settled = numbered(entries).filter_map(|(seq, entry)| match entry {
        Entry::Settled(settled) if seq > base => Some(settled.clone()),
        _ => None,
    });
    let is_open = |call: &Call| accepted.iter().any(|(_, arrival)| arrival.event.id == call.event);
    let calls = numbered(entries).filter_map(|(seq, entry)| match entry {
        Entry::Called(call) if seq > watermark && is_open(call) => Some(call.clone()),
        _ => None,
    });
    Loaded {
        last: entries.len() as Seq,
        turn: turn.map(|(seq, turn)| (seq, turn.clone())),
        more: open.len() > limit,
        settled: settled.collect(),
        calls: calls.collect(),
        accepted,
    }
}

/// When a conversation wants attention: at once while events wait, else when
/// its newest turn or settlement says.
fn due(entries: &[Entry]) -> Option<Millis> {
    let watermark = last_turn(entries).map_or(0, |(_, turn)| turn.watermark);
    if waiting(entries, watermark).next().is_some() {
        return Some(0);
    }
    let said = entries.iter().rev().find_map(|entry| match entry {
        Entry::Turn(turn) => Some(turn.due_ms),
        Entry::Settled(settled) => Some(settled.due_ms),
        Entry::Accepted(_) | Entry::Called(_) => None,
    });
    said.flatten()
}

/// Since when a human has the conversation, as its newest turn or settlement says.
fn human_since(entries: &[Entry]) -> Option<Millis> {
    let said = entries.iter().rev().find_map(|entry| match entry {
        Entry::Turn(turn) => Some(turn.human_ms),
        Entry::Settled(settled) => Some(settled.human_ms),
        Entry::Accepted(_) | Entry::Called(_) => None,
    });
    said.flatten()
}

fn last_turn(entries: &[Entry]) -> Option<(Seq, &Turn)> {
    let turns = numbered(entries).filter_map(|(seq, entry)| match entry {
        Entry::Turn(turn) => Some((seq, turn.as_ref())),
        Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_) => None,
    });
    turns.last()
}

fn waiting(entries: &[Entry], after: Seq) -> impl Iterator<Item = (Seq, &Arrival)> {
    numbered(entries).filter_map(move |(seq, entry)| match entry {
        Entry::Accepted(arrival) if seq > after => Some((seq, arrival.as_ref())),
        _ => None,
    })
}

fn numbered(entries: &[Entry]) -> impl Iterator<Item = (Seq, &Entry)> {
    (1..).zip(entries)
}

fn accepted(arrival: Arrival) -> Entry {
    Entry::Accepted(Box::new(arrival))
}

fn append(entries: &mut Vec<Entry>, entry: Entry) -> Seq {
    entries.push(entry);
    entries.len() as Seq
}
