//! When a vendor's rate limit next lets a call through.

use crate::profile::Rate;
use crate::time::Millis;

/// The earliest time, not before `now`, at which one more call keeps every
/// sliding window within the rate. A call leaves the window exactly
/// `window_ms` after it was made; a rate of no calls is never free.
///
/// `called_ms` may be in any order and may hold calls that are long past. The
/// vendor counts a call when it arrives, so the time to note for a call is
/// when its answer came: by then it had surely arrived.
pub fn free_at(called_ms: &[Millis], rate: Rate, now: Millis) -> Millis {
    if rate.calls == 0 {
        return Millis::MAX;
    }
    let Some(kept) = called_ms.len().checked_sub(rate.calls) else {
        return now;
    };
    let mut called = called_ms.to_vec();
    let (_, blocking, _) = called.select_nth_unstable(kept);
    blocking.saturating_add(rate.window_ms).max(now)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TWENTY_A_MINUTE: Rate = Rate { calls: 20, window_ms: 60_000 };

    #[test]
    fn the_first_calls_are_free_and_the_next_waits_for_the_oldest() {
        let called: Vec<Millis> = (0..20).map(|n| 1_000 + n).collect();
        assert_eq!(free_at(&called[..19], TWENTY_A_MINUTE, 2_000), 2_000);
        assert_eq!(free_at(&called, TWENTY_A_MINUTE, 2_000), 61_000);
        assert_eq!(free_at(&called, TWENTY_A_MINUTE, 61_000), 61_000);
        assert_eq!(free_at(&called, TWENTY_A_MINUTE, 90_000), 90_000);
    }

    #[test]
    fn a_rate_of_no_calls_is_never_free() {
        assert_eq!(free_at(&[], Rate { calls: 0, window_ms: 10 }, 5), Millis::MAX);
    }

    proptest! {
        #[test]
        fn following_it_never_exceeds_the_rate_in_any_window(
            calls in 1_usize..6,
            window_ms in 1_u64..200,
            pauses in prop::collection::vec(0_u64..120, 1..60),
        ) {
            let rate = Rate { calls, window_ms };
            let mut called = Vec::new();
            let mut now = 0;
            for pause in pauses {
                now = free_at(&called, rate, now + pause);
                called.push(now);
            }
            for start in &called {
                let within = called.iter().filter(|at| (*start..start + window_ms).contains(at));
                prop_assert!(within.count() <= calls);
            }
        }

        #[test]
        fn it_never_waits_longer_than_needed(
            calls in 1_usize..6,
            window_ms in 1_u64..200,
            called in prop::collection::vec(0_u64..500, 0..30),
            now in 500_u64..900,
        ) {
            let rate = Rate { calls, window_ms };
            let free = free_at(&called, rate, now);
            prop_assert!(free >= now);
            if free > now {
                let still = called.iter().filter(|at| **at + window_ms > free - 1).count();
                prop_assert!(still >= calls);
            }
        }

        #[test]
        fn the_order_of_the_calls_does_not_matter(
            called in prop::collection::vec(0_u64..500, 0..30),
            now in 0_u64..900,
        ) {
            let rate = Rate { calls: 3, window_ms: 100 };
            let mut sorted = called.clone();
            sorted.sort_unstable();
            prop_assert_eq!(free_at(&called, rate, now), free_at(&sorted, rate, now));
        }
    }
}
