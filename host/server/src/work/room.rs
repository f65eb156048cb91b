//! How many conversations may be in memory because the store woke them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::ChannelId;
use tokio::sync::Notify;

/// At most so many at once: enough to keep every vendor busy, and little memory.
const WOKEN_MAX: usize = 2_048;

/// The places of conversations that the store woke.
#[derive(Debug)]
pub(super) struct Room {
    max: usize,
    taken: Mutex<HashMap<ChannelId, usize>>,
    freed: Notify,
}

impl Default for Room {
    fn default() -> Self {
        Self::of(WOKEN_MAX)
    }
}

impl Room {
    pub(super) fn of(max: usize) -> Self {
        Self { max, taken: Mutex::default(), freed: Notify::new() }
    }

    /// How many more conversations of a channel may be woken while so many
    /// channels want to. One alone does not take everything, or the next would
    /// have to wait until its vendor answers.
    pub(super) fn free_for(&self, channel: &ChannelId, channels: usize) -> usize {
        let taken = self.taken();
        let all: usize = taken.values().sum();
        let own = taken.get(channel).copied().unwrap_or_default();
        let share = (self.max / channels.max(1)).clamp(1, self.max / 4 * 3);
        share.saturating_sub(own).min(self.max.saturating_sub(all))
    }

    /// Waits until a place comes free.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<ChannelId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in a room, taken as long as the value lives.
#[derive(Debug)]
pub(crate) struct Place {
    room: Arc<Room>,
    channel: ChannelId,
}

impl Place {
    pub(super) fn take(room: &Arc<Room>, channel: &ChannelId) -> Self {
        *room.taken().entry(channel.clone()).or_default() += 1;
        Self { room: Arc::clone(room), channel: channel.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.room.taken();
        if let Some(own) = taken.get_mut(&self.channel) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.channel);
            }
        }
        drop(taken);
        self.room.freed.notify_one();
    }
}
