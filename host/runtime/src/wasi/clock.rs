//! Time, as a bot sees it: it stands at the turn's `now` and jumps when the bot
//! waits. So waiting costs nothing, and a replay sees the same times.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use botyard_kernel::time::Millis;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::clocks::{monotonic_clock, wall_clock};
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};

use crate::turn::Turn;

const MILLISECOND_NS: u64 = 1_000_000;
const SECOND_NS: u64 = 1_000_000_000;

/// The clock of one turn, in nanoseconds since 1970 for both of WASI's clocks.
#[derive(Debug)]
pub(crate) struct VirtualClock(Mutex<Times>);

#[derive(Debug)]
struct Times {
    now: u64,
    /// Deadlines that are waited for right now, with how many wait for each.
    waiting: BTreeMap<u64, usize>,
}

impl VirtualClock {
    /// A clock that stands at a time.
    pub(crate) fn at(now: Millis) -> Self {
        let now = now.saturating_mul(MILLISECOND_NS);
        Self(Mutex::new(Times { now, waiting: BTreeMap::new() }))
    }

    fn now(&self) -> u64 {
        self.times().now
    }

    /// Moves to a deadline, unless an earlier one is waited for. Says whether
    /// the deadline is reached.
    fn reach(&self, deadline: u64) -> bool {
        let mut times = self.times();
        let earliest = times.waiting.keys().next().is_none_or(|&first| first >= deadline);
        if earliest {
            times.now = times.now.max(deadline);
        }
        times.now >= deadline
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a deadline is waited for, as long as it lives.
struct Waiting<'a> {
    clock: &'a VirtualClock,
    deadline: u64,
}

impl<'a> Waiting<'a> {
    fn until(clock: &'a VirtualClock, deadline: u64) -> Self {
        *clock.times().waiting.entry(deadline).or_default() += 1;
        Self { clock, deadline }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut times = self.clock.times();
        if let Some(count) = times.waiting.get_mut(&self.deadline) {
            *count -= 1;
            if *count == 0 {
                times.waiting.remove(&self.deadline);
            }
        }
    }
}

/// A point in time that a bot can wait for.
struct Deadline {
    clock: Arc<VirtualClock>,
    at: u64,
    yielded: bool,
}

#[async_trait]
impl Pollable for Deadline {
    async fn ready(&mut self) {
        if self.yielded && self.clock.now() >= self.at {
            return;
        }
        let waiting = Waiting::until(&self.clock, self.at);
        // All deadlines of one `poll` are registered before any is reached.
        tokio::task::yield_now().await;
        self.yielded = true;
        if !self.clock.reach(waiting.deadline) {
            // An earlier one is reached in this very poll, which then ends.
            std::future::pending::<()>().await;
        }
    }
}

/// The clock and the table of handles.
pub(crate) struct ClockView<'a> {
    clock: &'a Arc<VirtualClock>,
    table: &'a mut ResourceTable,
}

struct HasClock;

impl HasData for HasClock {
    type Data<'a> = ClockView<'a>;
}

/// Puts the turn's clock into a linker.
pub(super) fn add_to_linker(linker: &mut Linker<Turn>) -> wasmtime::Result<()> {
    fn view(turn: &mut Turn) -> ClockView<'_> {
        ClockView { clock: &turn.clock, table: &mut turn.table }
    }
    wall_clock::add_to_linker::<Turn, HasClock>(linker, view)?;
    monotonic_clock::add_to_linker::<Turn, HasClock>(linker, view)
}

impl wall_clock::Host for ClockView<'_> {
    fn now(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        let now = self.clock.now();
        Ok(wall_clock::Datetime { seconds: now / SECOND_NS, nanoseconds: (now % SECOND_NS) as u32 })
    }

    fn resolution(&mut self) -> wasmtime::Result<wall_clock::Datetime> {
        Ok(wall_clock::Datetime { seconds: 0, nanoseconds: MILLISECOND_NS as u32 })
    }
}

impl monotonic_clock::Host for ClockView<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(self.clock.now())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(MILLISECOND_NS)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let deadline = Deadline { clock: self.clock.clone(), at: when, yielded: false };
        let deadline = self.table.push(deadline)?;
        subscribe(self.table, deadline)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let when = self.clock.now().saturating_add(duration);
        self.subscribe_instant(when)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_earliest_deadline_moves_the_clock() {
        let clock = Arc::new(VirtualClock::at(1_000));
        let start = clock.now();
        let deadline = |after| Deadline { clock: clock.clone(), at: start + after, yielded: false };
        let (mut late, mut early) = (deadline(500), deadline(20));
        tokio::select! {
            biased;
            () = late.ready() => panic!("the later deadline was reached first"),
            () = early.ready() => {}
        }
        assert_eq!(clock.now(), start + 20);
        late.ready().await;
        assert_eq!(clock.now(), start + 500);
        assert!(clock.times().waiting.is_empty());
    }

    #[tokio::test]
    async fn the_past_is_reached_without_moving_the_clock() {
        let clock = Arc::new(VirtualClock::at(1_000));
        let start = clock.now();
        Deadline { clock: clock.clone(), at: start - 5, yielded: false }.ready().await;
        assert_eq!(clock.now(), start);
    }
}
