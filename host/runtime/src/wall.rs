//! How long a turn may take by the clock on the wall: longer where it calls web
//! services, whose time is not the host's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use botyard_kernel::limits::Bound;
use botyard_kernel::run::{Blame, FailureKind, RunFailure};
use tokio::time::Instant;

use crate::limits::TurnLimits;

/// The wall time of one turn.
#[derive(Debug)]
pub(crate) struct Wall {
    start: Instant,
    without_calls: Bound,
    with_calls: Bound,
    calls: Mutex<Calls>,
}

#[derive(Debug, Default)]
struct Calls {
    count: u32,
    /// In calls that have ended.
    spent: Duration,
    /// A call is under way since then.
    since: Option<Instant>,
}

impl Wall {
    /// A turn begins.
    pub(crate) fn start(limits: &TurnLimits) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            without_calls: limits.wall,
            with_calls: limits.wall_with_calls,
            calls: Mutex::default(),
        })
    }

    /// Lets a turn run to its end or to the end of its time.
    pub(crate) async fn bound<F: Future>(&self, turn: F) -> Result<F::Output, RunFailure> {
        let mut turn = std::pin::pin!(turn);
        loop {
            let limit = self.limit();
            match tokio::time::timeout_at(self.start + limit, &mut turn).await {
                Ok(output) => return Ok(output),
                // The first call has lengthened it.
                Err(_) if self.limit() > limit => {}
                Err(_) => return Err(self.late()),
            }
        }
    }

    /// A call begins; it ends when what this answers is dropped.
    pub(crate) fn call(self: &Arc<Self>) -> InCall {
        let mut calls = self.calls();
        calls.count += 1;
        calls.since = Some(Instant::now());
        drop(calls);
        InCall(Arc::clone(self))
    }

    /// What is left of the turn's time.
    pub(crate) fn left(&self) -> Duration {
        self.limit().saturating_sub(self.start.elapsed())
    }

    fn limit(&self) -> Duration {
        Duration::from_millis(self.holding().most)
    }

    fn holding(&self) -> Bound {
        if self.calls().count > 0 { self.with_calls } else { self.without_calls }
    }

    /// Waiting for a clock costs a bot no wall time and working is bounded by its
    /// CPU time, so who is late was kept waiting: by the host, or in calls. Who has set less
    /// time than the host gives has taken that on.
    fn late(&self) -> RunFailure {
        let bound = self.holding();
        let limit = bound.most;
        let calls = self.calls();
        let now = calls.since.map_or(Duration::ZERO, |since| since.elapsed());
        let (count, spent) = (calls.count, calls.spent + now);
        let elsewhere = self.start.elapsed().saturating_sub(spent);
        let without_calls = Duration::from_millis(self.without_calls.most);
        let is_computing = count == 0 || elsewhere > without_calls;
        let (blame, message) = if is_computing && self.without_calls.is_tenants() {
            let message = format!(
                "the turn took more than {limit} ms ({bound}): compute less in a turn; where a \
                 host has much to do, turns take longer than they compute"
            );
            (Blame::Bot, message)
        } else if is_computing {
            let why = "this host is overloaded";
            (Blame::Host, format!("the turn took more than {limit} ms: {why}"))
        } else {
            let spent = spent.as_millis();
            let message = format!(
                "the turn took more than {limit} ms, {spent} of them in {count} http calls \
                 ({bound}): give each call less time (`timeout-ms`), or return `request` actions"
            );
            (Blame::Bot, message)
        };
        RunFailure { blame, kind: FailureKind::Wall, message }
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way.
pub(crate) struct InCall(Arc<Wall>);

impl Drop for InCall {
    fn drop(&mut self) {
        let mut calls = self.0.calls();
        if let Some(since) = calls.since.take() {
            calls.spent += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::limits::{Limit, TurnBounds};

    use super::*;
    use crate::limits::TierLimits;
    use crate::tier::Tier;

    fn wall(without_ms: u64, with_ms: u64) -> Arc<Wall> {
        Wall::start(&limits(without_ms, with_ms))
    }

    fn limits(without_ms: u64, with_ms: u64) -> TurnLimits {
        let wall = Duration::from_millis(without_ms);
        let wall_with_calls = Duration::from_millis(with_ms);
        let limits = TierLimits { wall, wall_with_calls, ..TierLimits::native() };
        TurnLimits::of(Tier::Native, limits)
    }

    /// A turn that is over after ten seconds, with so many of them in calls.
    fn late(count: u32, seconds: u64) -> RunFailure {
        late_of(&limits(2_000, 10_000), count, seconds)
    }

    fn late_of(limits: &TurnLimits, count: u32, seconds: u64) -> RunFailure {
        let start = Instant::now() - Duration::from_secs(10);
        let calls = Mutex::new(Calls { count, spent: Duration::from_secs(seconds), since: None });
        let (without_calls, with_calls) = (limits.wall, limits.wall_with_calls);
        Wall { start, without_calls, with_calls, calls }.late()
    }

    #[test]
    fn whoever_has_set_less_time_is_late_by_its_own_limit() {
        let lowered = |most| {
            let wall_ms = Some(Bound { most, limit: Limit::TurnWallMs, is_own: true });
            limits(2_000, 10_000).lowered(&TurnBounds { wall_ms, ..TurnBounds::default() })
        };
        let own = "limit `turn-wall-ms`: an admin of the tenant may raise it";
        for (most, count, seconds) in [(500, 0, 0), (500, 1, 9), (3_000, 1, 9)] {
            let failure = late_of(&lowered(most), count, seconds);
            assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::Wall));
            assert!(failure.message.contains(own), "{failure}");
            assert!(failure.message.contains(&format!("{most} ms")), "{failure}");
        }
        // What the host gives everybody has passed: that is the host's.
        assert_eq!(late_of(&lowered(3_000), 0, 0).blame, Blame::Host);
        assert_eq!(late_of(&lowered(3_000), 1, 5).blame, Blame::Host);
    }

    #[tokio::test]
    async fn without_calls_the_host_is_to_blame() {
        let failure = wall(20, 60_000).bound(std::future::pending::<()>()).await.unwrap_err();
        assert_eq!((failure.blame, failure.kind), (Blame::Host, FailureKind::Wall));
        assert!(failure.message.contains("20 ms"), "{failure}");
    }

    #[tokio::test]
    async fn a_call_gives_a_turn_more_time() {
        let wall = wall(20, 60_000);
        let turn = async {
            drop(wall.call());
            tokio::time::sleep(Duration::from_millis(60)).await;
            wall.left()
        };
        let left = wall.bound(turn).await.expect("it has a minute");
        assert!(left < Duration::from_millis(59_960), "{left:?}");
    }

    #[test]
    fn whoever_waits_in_calls_until_the_end_has_to_act_itself() {
        let failure = late(3, 9);
        assert_eq!(failure.blame, Blame::Bot);
        assert!(failure.message.contains("9000 of them in 3 http calls"), "{failure}");
        assert_eq!(late(1, 7).blame, Blame::Host, "three seconds were lost elsewhere");
        assert_eq!(late(0, 0).blame, Blame::Host);
    }

    #[test]
    fn a_turn_has_never_less_time_for_its_calls() {
        let wall = wall(60_000, 10);
        drop(wall.call());
        assert!(wall.left() > Duration::from_secs(50));
    }
}
