//! When something that failed is tried again. Chance is an argument.

use crate::time::{MINUTE, Millis, SECOND};

/// The shortest wait before a delivery is tried again.
pub const BASE_MS: Millis = SECOND;
/// The longest wait that we choose ourselves.
pub const CAP_MS: Millis = MINUTE;
/// The longest wait that a vendor may ask for.
pub const RETRY_AFTER_MAX_MS: Millis = 10 * MINUTE;
/// The longest floor of the wait before a question is asked again.
pub const QUESTION_MAX_MS: Millis = 5 * MINUTE;
/// How many times a run is repeated that failed by the host's fault.
pub const RERUNS: usize = RERUN_AFTER_MS.len();
/// No run is repeated later than this after its first try.
pub const RERUN_WITHIN_MS: Millis = 2 * MINUTE;

/// When each repetition of a run is due, from its first try.
const RERUN_AFTER_MS: [Millis; 5] = [SECOND, 4 * SECOND, 12 * SECOND, 40 * SECOND, 110 * SECOND];

/// How long a delivery that failed waits before it is tried again: decorrelated
/// jitter.
///
/// `before_ms` is the wait before the try that has just failed, 0 for the first
/// one. The next is drawn by `chance`, any number, between [`BASE_MS`] and three
/// times the one before, up to [`CAP_MS`], so that many conversations that failed
/// together do not come back together. `retry_after_ms` is what the vendor asked
/// for: it is never undercut, up to [`RETRY_AFTER_MAX_MS`], and spread over one
/// [`BASE_MS`] for the same reason.
///
/// Source of the name: "Exponential Backoff And Jitter", AWS Architecture Blog.
pub fn wait(before_ms: Millis, retry_after_ms: Option<Millis>, chance: u64) -> Millis {
    let bound = before_ms.max(BASE_MS).saturating_mul(3).min(CAP_MS);
    let backoff = BASE_MS + chance % (bound - BASE_MS + 1);
    let asked = retry_after_ms.map_or(0, |asked| asked.min(RETRY_AFTER_MAX_MS) + chance % BASE_MS);
    backoff.max(asked)
}

/// How long a question waits that was asked so often and not answered, before it is
/// asked again: twice as long each time, up to [`QUESTION_MAX_MS`], and spread over one
/// [`BASE_MS`]. Its answer brings nothing on its way, and what is on its way stands in the
/// same line. `retry_after_ms` is as in [`wait`].
pub fn question(asked: u32, retry_after_ms: Option<Millis>, chance: u64) -> Millis {
    let doubled = BASE_MS.saturating_mul(1 << asked.min(16)).min(QUESTION_MAX_MS);
    let after = retry_after_ms.map_or(0, |after| after.min(RETRY_AFTER_MAX_MS));
    doubled.max(after) + chance % BASE_MS
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
    fn waits_grow_with_the_wait_before_until_the_cap() {
        let longest = |before| (0..120_000).map(|chance| wait(before, None, chance)).max().unwrap();
        let before = [0, 1_000, 3_000, 9_000, 40_000, 60_000];
        let longest = before.map(longest);
        assert_eq!(longest, [3_000, 3_000, 9_000, 27_000, 60_000, 60_000]);
    }

    #[test]
    fn a_short_wait_by_chance_starts_small_again() {
        assert_eq!(wait(60_000, None, 0), 1_000);
        assert!(wait(1_000, None, u64::MAX) <= 3_000);
    }

    #[test]
    fn a_question_is_asked_ever_less_often() {
        let waits = [1, 2, 3, 8, 9, 10, 17, u32::MAX].map(|asked| question(asked, None, 0));
        assert_eq!(waits, [2, 4, 8, 256, 300, 300, 300, 300].map(|seconds| seconds * SECOND));
        assert_eq!(question(1, Some(9_000), 2_999), 9_999);
        assert_eq!(question(u32::MAX, Some(Millis::MAX), 0), RETRY_AFTER_MAX_MS);
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
            before: u64,
            chance: u64,
        ) {
            let wait = wait(before, None, chance);
            prop_assert!((BASE_MS..=CAP_MS).contains(&wait));
        }

        #[test]
        fn the_vendor_is_never_undercut_and_never_obeyed_for_hours(
            before: u64,
            asked: u64,
            chance: u64,
        ) {
            let wait = wait(before, Some(asked), chance);
            prop_assert!(wait >= asked.min(RETRY_AFTER_MAX_MS));
            prop_assert!(wait >= BASE_MS);
            prop_assert!(wait < (asked.min(RETRY_AFTER_MAX_MS) + BASE_MS).max(CAP_MS + 1));
        }

        #[test]
        fn time_never_overflows(attempt: u32, now: u64) {
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
