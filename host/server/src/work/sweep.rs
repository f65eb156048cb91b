//! Wakes conversations whose time has come: timers, deliveries, and whatever
//! waited when the host last stopped.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use botyard_failpoints::{Point, pass};
use botyard_kernel::id::{ChannelId, ConversationKey};
use botyard_kernel::time::{Millis, SECOND};
use botyard_store::StoreError;

use super::{Message, Work};
use crate::clock;

/// Conversations that sleep in the store are looked through this often; what is
/// due sooner is waited for in memory.
const EVERY: Duration = Duration::from_secs(5);
/// Looked ahead so far, so that nothing is late by a whole round.
const AHEAD_MS: Millis = 6 * SECOND;
/// At most so many are woken in a round; the rest follows in the next.
const WOKEN_MAX: usize = 1_000;
/// At most so many due conversations are looked at to find those that sleep.
const LOOKED_AT_MAX: usize = 64_000;

pub(super) async fn run(work: Weak<Work>) {
    let mut unknown = HashSet::new();
    loop {
        let Some(work) = work.upgrade() else { return };
        if work.is_draining() {
            return;
        }
        match sleeping(&work, &mut unknown).await {
            Ok(due) => {
                if !due.is_empty() {
                    pass(Point::DueFound);
                }
                for key in due {
                    if let Some(channel) = work.channel(&key.channel).map(Arc::clone) {
                        work.tell(&channel, key, Message::Due);
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the store does not say what is due"),
        }
        drop(work);
        tokio::time::sleep(EVERY).await;
    }
}

/// Due conversations that are not in memory. Those that are, and those of
/// channels that are gone, must not stand in the way of the others: the window
/// widens until enough are found.
async fn sleeping(
    work: &Work,
    unknown: &mut HashSet<ChannelId>,
) -> Result<Vec<ConversationKey>, StoreError> {
    let mut window = WOKEN_MAX;
    loop {
        let due = work.store.host().due(clock::now() + AHEAD_MS, window).await?;
        let all = due.len() < window;
        let mut keys: Vec<_> = due
            .into_iter()
            .map(|(key, _)| key)
            .filter(|key| !work.is_active(key) && !work.pauses.rests(key))
            .filter(|key| is_served(work, key, unknown))
            .collect();
        if all || keys.len() >= WOKEN_MAX || window >= LOOKED_AT_MAX {
            keys.truncate(WOKEN_MAX);
            return Ok(keys);
        }
        window *= 4;
    }
}

fn is_served(work: &Work, key: &ConversationKey, unknown: &mut HashSet<ChannelId>) -> bool {
    let served = work.channel(&key.channel).is_some_and(|channel| channel.tenant == key.tenant);
    if !served && unknown.insert(key.channel.clone()) {
        let channel = &key.channel;
        tracing::warn!(
            %channel,
            "conversations wait in a channel that the settings do not name any more: add it \
             again to go on with them"
        );
    }
    served
}
