//! The host's clock and chance: the only places that ask the machine for them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use botyard_kernel::id::EventId;
use botyard_kernel::session::Seed;
use botyard_kernel::time::Millis;

/// Now, by the machine's clock. It never goes back while the host runs: where
/// the machine's clock is set back, time stands still until it has caught up.
pub fn now() -> Millis {
    static LATEST: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX);
    LATEST.fetch_max(now, Ordering::Relaxed).max(now)
}

/// Chance for a turn.
pub fn seed() -> Seed {
    Seed(std::array::from_fn(|_| rand::random()))
}

/// An id for a new event: 128 bits of chance.
pub fn event_id() -> EventId {
    EventId(format!("e{:032x}", rand::random::<u128>()))
}
