//! What the points do in a build for tests.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use crate::{Point, VARIABLE, parse};

/// The point at which this process ends, and which pass of it is the last.
static ARMED: OnceLock<Option<(Point, u64)>> = OnceLock::new();
static PASSES: AtomicU64 = AtomicU64::new(0);

pub(crate) fn pass(point: Point) {
    // What cannot be read stops the start, see `check`.
    let read = || std::env::var(VARIABLE).ok().and_then(|value| parse(&value).ok());
    let Some((armed, nth)) = *ARMED.get_or_init(read) else { return };
    if armed == point && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == nth {
        die();
    }
}

fn die() -> ! {
    // Nothing is written first: whoever reads this process must see what a real
    // kill leaves.
    let killed = kill_process(getpid(), Signal::KILL);
    loop {
        // The signal ends all threads at its own time; this one does no more work.
        assert!(killed.is_ok(), "a process may always kill itself");
        std::thread::sleep(Duration::from_secs(1));
    }
}
