//! The log's verbs as folds over entries.

use std::collections::BTreeSet;

use async_trait::async_trait;
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, PartId, TenantId};
use botyard_kernel::log::{Arrival, Call, Entry, Row, Seq, Settled, Turn};
use botyard_kernel::run::KvScope;
use botyard_kernel::time::Millis;

use super::lane::{Lane, due, human_since, last_turn, load, numbered, waiting};
use super::{MemoryStore, State};
use crate::archive::settlement_time;
use crate::erasure::{admitted, without_words};
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
        Ok(self.writable()?.conversation(key, |lane, made| lane.accept(arrivals, made)))
    }

    async fn load(&self, key: &ConversationKey, limit: usize) -> Result<Loaded, StoreError> {
        Ok(self.state().lane(key).map_or_else(Loaded::default, |lane| load(lane, limit)))
    }

    async fn record_call(&self, key: &ConversationKey, call: &Call) -> Result<Seq, StoreError> {
        limits::key(key)?;
        limits::call(call)?;
        let record = |lane: &mut Lane, made: &mut u64| {
            let is_open = waiting(lane, lane.watermark()).any(|(_, a)| a.event.id == call.event);
            let kept =
                if lane.erased.is_some() && !is_open { without_words(call) } else { call.clone() };
            lane.append(Entry::Called(kept), None, made)
        };
        Ok(self.writable()?.conversation(key, record))
    }

    async fn commit(&self, key: &ConversationKey, turn: &Turn) -> Result<Commit, StoreError> {
        limits::key(key)?;
        limits::turn(turn)?;
        let mut state = self.writable()?;
        let lane = state.lane(key);
        let last = lane.and_then(last_turn);
        if let Some((seq, _)) = last.filter(|(_, last)| last.id == turn.id) {
            return Ok(Commit::Committed { seq, refused: Vec::new() });
        }
        let other_turn = last.map_or(0, |(seq, _)| seq) != turn.previous;
        let waits = lane.is_some_and(|lane| waiting(lane, turn.base).next().is_some());
        if other_turn || (turn.fused.is_some() && waits) {
            return Ok(Commit::Conflict);
        }
        let seq = state.conversation(key, |lane, made| lane.turn(turn.clone(), made));
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
        let settled = match state.lane(key).and_then(|lane| Some((lane, lane.erased?))) {
            Some((lane, erased_ms)) => {
                let is_letter = |row: &Row| {
                    let is = |it: &DeadLetter| it.conversation == *key && it.row.id == row.id;
                    state.letters.iter().any(is)
                };
                &admitted(settled, erased_ms, lane.is_tombstone(), is_letter)
            }
            None => settled,
        };
        let seqs = state.conversation(key, |lane, made| {
            let alone = Settled { events: Vec::new(), ..settled.clone() };
            let mut seqs = vec![lane.append(Entry::Settled(alone), settlement_time(settled), made)];
            seqs.extend(lane.accept(settled.events.clone(), made));
            lane.owner = settled.owner.or(lane.owner);
            seqs
        });
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
        let all = state.lane(key).into_iter().flat_map(numbered);
        let found = all.filter(|(seq, _)| *seq > after).take(limit);
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
        let with_human = state.conversations.iter().filter_map(|lane| {
            let (key, number) = (&lane.key, lane.number);
            let place = DuePlace { due_ms: human_since(lane)?, number };
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
        let is = |lane: &&Lane| {
            let (key, found) = (&lane.key, last_turn(lane).and_then(|(_, turn)| email_of(turn)));
            key.tenant == *tenant && key.channel == *channel && found.as_ref() == Some(&email)
        };
        let found = state.conversations.iter().rev().filter(is);
        Ok(found.take(limit).map(|lane| lane.key.clone()).collect())
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
    pub(super) fn lane(&self, key: &ConversationKey) -> Option<&Lane> {
        self.conversations.iter().find(|lane| lane.key == *key)
    }

    /// Changes a conversation, which is made where there is none yet.
    pub(super) fn conversation<T>(
        &mut self,
        key: &ConversationKey,
        change: impl FnOnce(&mut Lane, &mut u64) -> T,
    ) -> T {
        let found = self.conversations.iter().position(|lane| lane.key == *key);
        let index = found.unwrap_or_else(|| {
            self.made += 1;
            self.conversations.push(Lane::new(key.clone(), self.made));
            self.conversations.len() - 1
        });
        change(&mut self.conversations[index], &mut self.made)
    }

    /// Everything that is due, longest first.
    fn due(&self, now: Millis) -> Vec<(ConversationKey, DuePlace)> {
        let due = self.conversations.iter().filter_map(|lane| {
            let due_ms = due(lane).filter(|due_ms| *due_ms <= now)?;
            Some((lane.key.clone(), DuePlace { due_ms, number: lane.number }))
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
