//! The host's clock and chance: the only places that ask the machine for them.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use botyard_kernel::id::EventId;
use botyard_kernel::session::Seed;
use botyard_kernel::time::Millis;

/// Now. It never goes back while the host runs, whatever happens to the
/// machine's clock.
pub fn now() -> Millis {
    static START: OnceLock<(Millis, Instant)> = OnceLock::new();
    let (wall, started) = START.get_or_init(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (millis(since), Instant::now())
    });
    wall + millis(started.elapsed())
}

/// Chance for a turn.
pub fn seed() -> Seed {
    Seed(std::array::from_fn(|_| rand::random()))
}

/// An id for a new event: 128 bits of chance.
pub fn event_id() -> EventId {
    EventId(format!("e{:032x}", rand::random::<u128>()))
}

fn millis(duration: std::time::Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
