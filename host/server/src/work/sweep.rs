//! Wakes conversations whose time has come: timers, deliveries, and whatever
//! waited when the host last stopped.
//!
//! However many are due, no more are woken than there is room for in memory, and
//! the next follow as soon as some have ended. Channels take turns, each with a
//! place of its own up to which it has been looked through, so that neither a
//! long queue nor conversations that stay due stand in the way of others.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use botyard_failpoints::{Point, pass};
use botyard_kernel::id::{ChannelId, TenantId};
use botyard_kernel::time::{Millis, SECOND};
use botyard_store::{DuePlace, StoreError};
use tokio::time::Instant;

use super::room::{Place, Room};
use super::{Message, Work};
use crate::clock;
use crate::registry::Channel;

/// Conversations that sleep in the store are looked through this often; what is
/// due sooner is waited for in memory.
const EVERY: Duration = Duration::from_secs(5);
/// Looked ahead so far, so that nothing is late by a whole round.
const AHEAD_MS: Millis = 6 * SECOND;
/// At most so many conversations of a channel are woken before it is the next
/// one's turn.
const PAGE: usize = 128;
/// Room comes free by the conversation; it is waited for until there is some
/// for a page, but no longer than this.
const ROOM_WAIT: Duration = Duration::from_millis(20);

pub(super) async fn run(work: Weak<Work>) {
    let mut sweep = Sweep::default();
    loop {
        let Some(work) = work.upgrade() else { return };
        if work.is_draining() {
            return;
        }
        let next = sweep.step(&work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the store does not say what is due");
            sweep.rotation.clear();
            Next::Rest(EVERY)
        });
        let room = Arc::clone(&work.room);
        drop(work);
        match next {
            Next::GoOn => tokio::task::yield_now().await,
            Next::AwaitRoom => {
                // Without any, there is nothing to do but to try again.
                let _ = tokio::time::timeout(EVERY, room.freed()).await;
                tokio::time::sleep(ROOM_WAIT).await;
            }
            Next::Rest(pause) => tokio::time::sleep(pause).await,
        }
    }
}

/// What comes after a step.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    AwaitRoom,
    Rest(Duration),
}

#[derive(Default)]
struct Sweep {
    rotation: VecDeque<Share>,
    listed: Option<Instant>,
    unknown: HashSet<ChannelId>,
}

/// A channel that is being looked through.
#[derive(Debug)]
struct Share {
    tenant: TenantId,
    channel: ChannelId,
    after: Option<DuePlace>,
}

impl Sweep {
    /// Wakes one page of one channel.
    async fn step(&mut self, work: &Arc<Work>) -> Result<Next, StoreError> {
        let listed = self.listed.map(|at| at.elapsed());
        if listed.is_none_or(|since| since >= EVERY) {
            self.list(work).await?;
        } else if self.rotation.is_empty() {
            return Ok(Next::Rest(EVERY.saturating_sub(listed.unwrap_or_default())));
        }
        let Some((mut share, limit)) = take(&mut self.rotation, &work.room) else {
            let waits = !self.rotation.is_empty();
            return Ok(if waits { Next::AwaitRoom } else { Next::GoOn });
        };
        let Some(channel) = work.channel(&share.channel) else {
            return Ok(Next::GoOn);
        };
        let (host, until) = (work.store.host(), clock::now() + AHEAD_MS);
        let due = host.due_in(&share.tenant, &share.channel, share.after, until, limit).await?;
        if !due.is_empty() {
            pass(Point::DueFound);
        }
        let (found, last) = (due.len(), due.last().map(|(_, place)| *place));
        for (key, _) in due {
            if !work.is_active(&key) && !work.pauses.rests(&key) {
                let place = Place::take(&work.room, &share.channel);
                work.tell(&channel, key, Message::Due(Some(place)));
            }
        }
        if found == limit {
            share.after = last;
            self.rotation.push_back(share);
        }
        Ok(Next::GoOn)
    }

    /// Adds the channels in which something is due and that are not being looked
    /// through already.
    async fn list(&mut self, work: &Work) -> Result<(), StoreError> {
        for (tenant, channel) in work.store.host().due_channels(clock::now() + AHEAD_MS).await? {
            let known = |share: &Share| share.channel == channel && share.tenant == tenant;
            let served = work.channel(&channel).filter(|found| found.tenant == tenant);
            match served {
                Some(found) if !is_paused(work, &found) && !self.rotation.iter().any(known) => {
                    self.rotation.push_back(Share { tenant, channel, after: None });
                }
                Some(_) => {}
                None => self.warn_unknown(channel),
            }
        }
        self.listed = Some(Instant::now());
        Ok(())
    }

    fn warn_unknown(&mut self, channel: ChannelId) {
        if self.unknown.insert(channel.clone()) {
            tracing::warn!(
                %channel,
                "conversations wait in a channel that the settings do not name any more: add it \
                 again to go on with them"
            );
        }
    }
}

/// Nothing can happen in a channel that is paused. Where only its bot is,
/// deliveries go on.
fn is_paused(work: &Work, channel: &Channel) -> bool {
    work.paused(channel).channel
}

/// The next channel that has room, and for how many conversations.
fn take(rotation: &mut VecDeque<Share>, room: &Room) -> Option<(Share, usize)> {
    let channels = rotation.len();
    let (next, limit) = rotation.iter().enumerate().find_map(|(index, share)| {
        let free = room.free_for(&share.channel, channels).min(PAGE);
        (free > 0).then_some((index, free))
    })?;
    rotation.rotate_left(next);
    Some((rotation.pop_front()?, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(channels: &[&str]) -> VecDeque<Share> {
        let share = |channel: &&str| Share {
            tenant: "acme".into(),
            channel: (*channel).into(),
            after: None,
        };
        channels.iter().map(share).collect()
    }

    #[test]
    fn channels_take_turns_as_long_as_there_is_room() {
        let room = Arc::new(Room::of(256));
        let mut rotation = rotation(&["big", "small"]);
        let mut places = Vec::new();
        let mut order = Vec::new();
        while let Some((share, limit)) = take(&mut rotation, &room) {
            order.push((share.channel.0.clone(), limit));
            places.extend((0..limit).map(|_| Place::take(&room, &share.channel)));
            rotation.push_back(share);
        }
        assert_eq!(order, [("big".to_owned(), 128), ("small".to_owned(), 128)]);

        // Where one of them ends something, it is its turn again.
        places.truncate(200);
        let (share, limit) = take(&mut rotation, &room).unwrap();
        assert_eq!((share.channel.0.as_str(), limit), ("small", 56));
    }

    #[test]
    fn a_channel_alone_leaves_room_for_the_next() {
        let room = Arc::new(Room::of(400));
        let mut alone = rotation(&["big"]);
        let mut places = Vec::new();
        while let Some((share, limit)) = take(&mut alone, &room) {
            places.extend((0..limit).map(|_| Place::take(&room, &share.channel)));
            alone.push_back(share);
        }
        assert_eq!(places.len(), 300);
        let mut two = rotation(&["big", "other"]);
        assert_eq!(take(&mut two, &room).unwrap().0.channel.0, "other");
    }
}
