//! Wakes conversations whose time has come: timers, deliveries, and whatever
//! waited when the host last stopped.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use botyard_kernel::time::{Millis, SECOND};

use super::{Message, Work};
use crate::clock;

/// Conversations that sleep in the store are looked through this often; what is
/// due sooner is waited for in memory.
const EVERY: Duration = Duration::from_secs(5);
/// Looked ahead so far, so that nothing is late by a whole round.
const AHEAD_MS: Millis = 6 * SECOND;
/// At most so many are woken in a round; the rest follows in the next.
const WOKEN_MAX: usize = 1_000;

pub(super) async fn run(work: Weak<Work>) {
    let mut unknown = HashSet::new();
    loop {
        let Some(work) = work.upgrade() else { return };
        if work.is_draining() {
            return;
        }
        match work.store.host().due(clock::now() + AHEAD_MS, WOKEN_MAX).await {
            Ok(due) => {
                for (key, _) in due {
                    if work.is_active(&key) {
                        continue;
                    }
                    match work.channel(&key.channel).map(Arc::clone) {
                        Some(channel) if channel.tenant == key.tenant => {
                            work.tell(&channel, key, Message::Due);
                        }
                        Some(_) | None => {
                            if unknown.insert(key.channel.clone()) {
                                let channel = &key.channel;
                                tracing::warn!(
                                    %channel,
                                    "conversations wait in a channel that the configuration does \
                                     not name any more: add it again to go on with them"
                                );
                            }
                        }
                    }
                }
            }
            Err(error) => tracing::error!(%error, "the store does not say what is due"),
        }
        drop(work);
        tokio::time::sleep(EVERY).await;
    }
}
