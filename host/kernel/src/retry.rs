//! When something that failed is tried again. Chance is an argument.

use crate::time::{MINUTE, Millis, SECOND};

/// The shortest wait before a delivery is tried again.
pub const BASE_MS: Millis = SECOND;
/// The longest wait that we choose ourselves.
pub const CAP_MS: Millis = MINUTE;
/// The longest wait that a vendor may ask for.
pub const RETRY_AFTER_MAX_MS: Millis = 10 * MINUTE;
/// How many times a run is repeated that failed by the host's fault.
pub const RERUNS: usize = RERUN_AFTER_MS.len();
/// No run is repeated later than this after its first try.
pub const RERUN_WITHIN_MS: Millis = 2 * MINUTE;

/// When each repetition of a run is due, from its first try.
const RERUN_AFTER_MS: [Millis; 5] = [SECOND, 4 * SECOND, 12 * SECOND, 40 * SECOND, 110 * SECOND];

/// When a delivery that failed is tried again.
///
/// `attempt` counts the tries that failed, from 1. The wait is drawn by
/// `chance`, any number, between [`BASE_MS`] and a bound that triples with
/// each attempt up to [`CAP_MS`], so that many conversations that failed
/// together do not come back together. `retry_after_ms` is what the vendor
/// asked for, from now: it is never undercut, up to [`RETRY_AFTER_MAX_MS`],
/// and spread over one [`BASE_MS`] for the same reason.
pub fn next(attempt: u32, now: Millis, retry_after_ms: Option<Millis>, chance: u64) -> Millis {
    let bound = BASE_MS.saturating_mul(3_u64.saturating_pow(attempt.max(1))).min(CAP_MS);
    let backoff = BASE_MS + chance % (bound - BASE_MS + 1);
    let asked = retry_after_ms.map_or(0, |asked| asked.min(RETRY_AFTER_MAX_MS) + chance % BASE_MS);
    now.saturating_add(backoff.max(asked))
}

/// When a run that failed by the host's fault is repeated, or `None` when it is
/// given up and ends like a failure of the bot.
///
/// `attempt` counts the tries that failed, from 1; `first_ms` is when the first
/// one began. The schedule is fixed, because the queue of one conversation is
/// no crowd: [`RERUNS`] repetitions within [`RERUN_WITHIN_MS`].
pub fn rerun(attempt: u32, first_ms: Millis, now: Millis) -> Option<Millis> {
    let nth = usize::try_from(attempt.saturating_sub(1)).ok()?;
    let due = first_ms.saturating_add(*RERUN_AFTER_MS.get(nth)?);
    let last = first_ms.saturating_add(RERUN_WITHIN_MS);
    (now <= last).then_some(due.max(now))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_grow_until_the_cap() {
        let longest =
            |attempt| (0..120_000).map(|chance| next(attempt, 0, None, chance)).max().unwrap();
        assert_eq!([1, 2, 3, 4, 40].map(longest), [3_000, 9_000, 27_000, 60_000, 60_000]);
    }

    #[test]
    fn a_run_is_repeated_five_times() {
        let tries: Vec<_> = (1..=6).map(|attempt| rerun(attempt, 1_000, 1_000)).collect();
        let due = [2_000, 5_000, 13_000, 41_000, 111_000].map(Some);
        assert_eq!(tries[..5], due);
        assert_eq!(tries[5], None);
    }

    #[test]
    fn a_run_is_given_up_after_two_minutes_whatever_was_tried() {
        assert_eq!(rerun(1, 1_000, 121_000), Some(121_000));
        assert_eq!(rerun(1, 1_000, 121_001), None);
    }

    proptest! {
        #[test]
        fn a_wait_of_our_own_stays_between_base_and_cap(
            attempt: u32,
            now in 0_u64..1 << 50,
            chance: u64,
        ) {
            let wait = next(attempt, now, None, chance) - now;
            prop_assert!((BASE_MS..=CAP_MS).contains(&wait));
        }

        #[test]
        fn the_vendor_is_never_undercut_and_never_obeyed_for_hours(
            attempt: u32,
            now in 0_u64..1 << 50,
            asked: u64,
            chance: u64,
        ) {
            let wait = next(attempt, now, Some(asked), chance) - now;
            prop_assert!(wait >= asked.min(RETRY_AFTER_MAX_MS));
            prop_assert!(wait >= BASE_MS);
            prop_assert!(wait < (asked.min(RETRY_AFTER_MAX_MS) + BASE_MS).max(CAP_MS + 1));
        }

        #[test]
        fn time_never_overflows(attempt: u32, now: u64, asked: Option<u64>, chance: u64) {
            prop_assert!(next(attempt, now, asked, chance) >= now);
            prop_assert!(rerun(attempt, now, now).is_none_or(|due| due >= now));
        }

        #[test]
        fn repetitions_end_within_two_minutes(first in 0_u64..1 << 50, slow in 0_u64..60_000) {
            let (mut now, mut attempt) = (first, 1);
            while let Some(due) = rerun(attempt, first, now) {
                prop_assert!(due >= now && due <= first + RERUN_WITHIN_MS);
                now = due + slow;
                attempt += 1;
            }
            prop_assert!(attempt as usize <= RERUNS + 1);
        }
    }
}
