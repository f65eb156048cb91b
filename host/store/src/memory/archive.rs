//! The verbs of the archive over lists. What the engine does in steps is done at once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, TenantId};
use botyard_kernel::log::{Arrival, Entry, KEY_AGE_MS, Seq, Turn};
use botyard_kernel::time::Millis;

use super::lane::{Lane, due, human_since, last_turn, waiting};
use super::{MemoryStore, State};
use crate::archive::minute_of;
use crate::erasure::{erased_ms, tombstone, written};
use crate::log::{email_key, email_of};
use crate::{Archive, BotTurn, Cause, Place, Stamp, StoreError, Summary, Which, limits};

#[async_trait]
impl Archive for MemoryStore {
    async fn channels(&self, tenant: &TenantId) -> Result<Vec<ChannelId>, StoreError> {
        let state = self.state();
        let own = state.conversations.iter().filter(|lane| lane.key.tenant == *tenant);
        let channels: BTreeSet<_> = own.map(|lane| lane.key.channel.clone()).collect();
        Ok(channels.into_iter().collect())
    }

    async fn conversations(
        &self,
        tenant: &TenantId,
        Which { channel, email }: Which<'_>,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<(Summary, Place)>, StoreError> {
        let (state, email) = (self.state(), email.map(email_key));
        let is_wanted = |lane: &&Lane| {
            let own = || last_turn(lane).and_then(|(_, turn)| email_of(turn));
            lane.key.tenant == *tenant
                && channel.is_none_or(|wanted| lane.key.channel == *wanted)
                && email.as_ref().is_none_or(|wanted| own().as_ref() == Some(wanted))
        };
        let placed = state.conversations.iter().filter(is_wanted).filter_map(|lane| {
            let summary = summary(lane)?;
            let place = Place { time: minute_of(summary.active_ms), number: lane.number };
            Some((summary, place))
        });
        let is_behind = |place: Place| after.is_none_or(|after| place < after);
        let mut found: Vec<_> = placed.filter(|(_, place)| is_behind(*place)).collect();
        found.sort_by_key(|(_, place)| Reverse(*place));
        found.truncate(limit);
        Ok(found)
    }

    async fn summary(&self, key: &ConversationKey) -> Result<Option<Summary>, StoreError> {
        Ok(self.state().lane(key).and_then(summary))
    }

    async fn turns(
        &self,
        key: &ConversationKey,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Turn)>, StoreError> {
        let state = self.state();
        let kept = state.lane(key).into_iter().flat_map(|lane| &lane.entries);
        let turns = kept.filter(|kept| kept.seq > after).filter_map(|kept| {
            kept.at_ms?;
            Some((kept.seq, turn(&kept.entry)?.clone()))
        });
        Ok(turns.take(limit).collect())
    }

    async fn accepted_at(
        &self,
        places: &[(ConversationKey, Seq)],
    ) -> Result<Vec<Option<Arrival>>, StoreError> {
        let state = self.state();
        let accepted = |(key, seq): &(ConversationKey, Seq)| {
            let kept = state.lane(key)?.entries.iter().find(|kept| kept.seq == *seq)?;
            match &kept.entry {
                Entry::Accepted(arrival) => Some(Arrival::clone(arrival)),
                Entry::Called(_) | Entry::Turn(_) | Entry::Settled(_) => None,
            }
        };
        Ok(places.iter().map(accepted).collect())
    }

    async fn bot_turns(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        since_ms: Millis,
        after: Option<Place>,
        limit: usize,
    ) -> Result<Vec<BotTurn>, StoreError> {
        let state = self.state();
        let own = state.conversations.iter().filter(|lane| lane.key.tenant == *tenant);
        let all = own.flat_map(|lane| lane.entries.iter().map(move |kept| (lane, kept)));
        let turns = all.filter_map(|(lane, kept)| {
            let place = Place { time: kept.at_ms?, number: kept.number };
            let turn = turn(&kept.entry).filter(|turn| turn.bot == *bot)?.clone();
            let is_wanted = place.time >= since_ms && Some(place) > after;
            let conversation = lane.key.clone();
            is_wanted.then_some(BotTurn { place, conversation, seq: kept.seq, turn })
        });
        let mut turns: Vec<_> = turns.collect();
        turns.sort_by_key(|turn| turn.place);
        turns.truncate(limit);
        Ok(turns)
    }

    async fn bot_news(
        &self,
        tenant: &TenantId,
        bot: &BotId,
        after: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<BotTurn>, u64), StoreError> {
        let newest = self.state().made;
        let Some(after) = after else { return Ok((Vec::new(), newest)) };
        let mut turns = self.bot_turns(tenant, bot, 0, None, usize::MAX).await?;
        turns.retain(|turn| turn.place.number > after);
        turns.sort_by_key(|turn| turn.place.number);
        turns.truncate(limit);
        let last = turns.last().filter(|_| turns.len() == limit);
        let next = last.map_or(newest, |turn| turn.place.number);
        Ok((turns, next))
    }

    async fn weigh(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let state = self.state();
        let own = state.conversations.iter().filter(|lane| lane.key.tenant == *tenant);
        let mut bytes = 0;
        for kept in own.flat_map(|lane| &lane.entries) {
            bytes += limits::entry(&kept.entry)?.len() as u64;
        }
        Ok(bytes)
    }

    async fn weigh_values(&self, tenant: &TenantId) -> Result<BTreeMap<BotId, u64>, StoreError> {
        let state = self.state();
        let own = state.bot_values.iter().filter(|((owner, _), _)| owner == tenant);
        let weights = own.map(|((_, bot), values)| {
            let bytes = values.iter().map(|(key, value)| (key.len() + value.len()) as u64);
            (bot.clone(), bytes.sum())
        });
        Ok(weights.filter(|(_, bytes)| *bytes > 0).collect())
    }

    async fn erase(
        &self,
        key: &ConversationKey,
        cause: Cause,
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        Ok(self.writable()?.erase(key, cause, stamp))
    }

    async fn sweep(
        &self,
        tenant: &TenantId,
        older_than_ms: Millis,
        limit: usize,
        stamp: &Stamp,
    ) -> Result<usize, StoreError> {
        let mut state = self.writable()?;
        let before = state.conversations.len();
        let forgotten = stamp.at_ms.saturating_sub(KEY_AGE_MS);
        state.conversations.retain(|lane| {
            let is_old = lane.erased.is_some_and(|erased_ms| erased_ms < forgotten);
            lane.key.tenant != *tenant || !lane.is_tombstone() || !is_old
        });
        let removed = before - state.conversations.len();
        let is_idle = |lane: &&Lane| {
            let is_old = lane.active_ms.is_some_and(|at_ms| at_ms < older_than_ms);
            lane.key.tenant == *tenant && is_old && due(lane).is_none()
        };
        let idle = state.conversations.iter().filter(is_idle).take(limit.max(1));
        let idle: Vec<_> = idle.map(|lane| lane.key.clone()).collect();
        for key in &idle {
            state.erase(key, Cause::Retention, stamp);
        }
        Ok(removed + idle.len())
    }

    async fn trim(
        &self,
        tenant: &TenantId,
        older_than_ms: Millis,
        _limit: usize,
    ) -> Result<usize, StoreError> {
        let mut state = self.writable()?;
        let State { conversations, letters, .. } = &mut *state;
        let mut trimmed = 0;
        for lane in conversations.iter_mut().filter(|lane| lane.key.tenant == *tenant) {
            let needed = needed_after(lane);
            let old = lane.entries.iter().rfind(|kept| {
                kept.seq <= needed && kept.at_ms.is_some_and(|at_ms| at_ms < older_than_ms)
            });
            let floor = old.map_or(0, |kept| kept.seq);
            let gone = lane.entries.iter().filter(|kept| kept.seq <= floor);
            let parts: Vec<_> = gone.flat_map(|kept| given_up(&kept.entry)).collect();
            // A part that was given up again since is in a settlement that stays.
            let stays = lane.entries.iter().filter(|kept| kept.seq > floor);
            let again: BTreeSet<_> = stays.flat_map(|kept| given_up(&kept.entry)).collect();
            letters.retain(|letter| {
                letter.conversation != lane.key
                    || !parts.contains(&letter.row.id)
                    || again.contains(&letter.row.id)
            });
            let before = lane.entries.len();
            lane.entries.retain(|kept| kept.seq > floor);
            trimmed += before - lane.entries.len();
        }
        Ok(trimmed)
    }

    async fn forget_values(&self, tenant: &TenantId, bot: &BotId) -> Result<usize, StoreError> {
        let mut state = self.writable()?;
        Ok(state.bot_values.remove(&(tenant.clone(), bot.clone())).map_or(0, |own| own.len()))
    }

    async fn has_any(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let state = self.state();
        let mut conversations = state.conversations.iter();
        let mut values = state.bot_values.iter().filter(|(_, own)| !own.is_empty());
        Ok(conversations.any(|lane| lane.key.tenant == *tenant)
            || values.any(|((owner, _), _)| owner == tenant))
    }

    async fn forget(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        let mut state = self.writable()?;
        let rows = |state: &State| state.conversations.len() + state.bot_values.len();
        let before = rows(&state);
        state.conversations.retain(|lane| lane.key.tenant != *tenant);
        state.letters.retain(|letter| letter.conversation.tenant != *tenant);
        state.bot_values.retain(|(owner, _), _| owner != tenant);
        Ok(before - rows(&state))
    }
}

impl State {
    fn erase(&mut self, key: &ConversationKey, cause: Cause, stamp: &Stamp) -> bool {
        let Some(lane) = self.lane(key).filter(|lane| !lane.is_tombstone()) else { return false };
        let turn = last_turn(lane).map(|(seq, turn)| (seq, turn.clone()));
        let arrivals: Vec<_> =
            waiting(lane, lane.watermark()).map(|(_, arrival)| arrival.clone()).collect();
        let base = turn.as_ref().map_or(0, |(_, turn)| turn.base);
        let settled = lane.entries.iter().filter_map(|kept| match &kept.entry {
            Entry::Settled(settled) if kept.seq > base => Some(settled.clone()),
            Entry::Settled(_) | Entry::Accepted(_) | Entry::Called(_) | Entry::Turn(_) => None,
        });
        let erased = erased_ms(stamp, turn.as_ref().map(|(_, turn)| turn), settled);
        let mut stone = tombstone(key, lane.last(), turn, &arrivals);
        // As an engine that writes it has to.
        written(&mut stone).expect("keys alone always fit");
        self.conversation(key, |lane, made| {
            lane.owner = Some(stone.state.owner);
            lane.append(Entry::Turn(Box::new(stone)), None, made);
            let stays = lane.entries.len() - 1;
            lane.entries.drain(..stays);
            lane.active_ms = None;
            lane.turns = 0;
            lane.erased = Some(erased);
        });
        self.letters.retain(|letter| letter.conversation != *key);
        let name = key.digest().to_string();
        self.note(&key.tenant, ("erase", cause.as_str(), &name), None, stamp);
        true
    }
}

fn summary(lane: &Lane) -> Option<Summary> {
    Some(Summary {
        key: lane.key.clone(),
        last: lane.last(),
        active_ms: lane.active_ms?,
        turns: lane.turns,
        owner: lane.owner,
        due_ms: due(lane),
        human_ms: human_since(lane),
    })
}

/// Entries up to this place are needed for nothing that is still to be done.
fn needed_after(lane: &Lane) -> Seq {
    let (base, watermark) = last_turn(lane).map_or((0, 0), |(_, turn)| (turn.base, turn.watermark));
    if waiting(lane, watermark).next().is_some() { watermark } else { base }
}

fn given_up(entry: &Entry) -> Vec<botyard_kernel::id::PartId> {
    match entry {
        Entry::Settled(settled) => settled.dead_letters.iter().map(|row| row.id.clone()).collect(),
        Entry::Accepted(_) | Entry::Called(_) | Entry::Turn(_) => Vec::new(),
    }
}

fn turn(entry: &Entry) -> Option<&Turn> {
    match entry {
        Entry::Turn(turn) => Some(turn),
        Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_) => None,
    }
}
