//! What may come at a rate: events at the door, calls out, bytes of logs.

use crate::limits::{Exceeded, Limit, Limits};
use crate::time::Millis;

/// How far ahead of its rate somebody is. What was not used within one window is not
/// saved up for later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    /// When all that was used would have been allowed one by one.
    allowed_us: u64,
}

impl Meter {
    /// Takes so many now, where at most `most` may be taken in a window. More than that at
    /// once is let through when nothing was taken before: it must get through some time.
    ///
    /// # Errors
    /// The limit, and when to come again. Then nothing is taken.
    pub fn take(
        &mut self,
        limit: Limit,
        count: u64,
        (most, window_ms): (u64, Millis),
        now: Millis,
    ) -> Result<(), Exceeded> {
        let refusal = |used: u64, retry_after_s| {
            let wanted = used.saturating_add(count);
            Exceeded { limit, most, used, wanted, retry_after_s }
        };
        if most == 0 {
            return if count == 0 { Ok(()) } else { Err(refusal(0, None)) };
        }
        let (now_us, window_us) = (now.saturating_mul(1_000), window_ms.saturating_mul(1_000));
        let ahead_us = self.allowed_us.saturating_sub(now_us);
        let cost_us = share(count, window_us, most);
        if ahead_us > 0 && ahead_us.saturating_add(cost_us) > window_us {
            let excess_us = (ahead_us.saturating_add(cost_us) - window_us).min(ahead_us);
            let taken = share(ahead_us, most, window_us);
            let retry_after_s = excess_us.div_ceil(1_000_000).max(1);
            return Err(refusal(taken, Some(retry_after_s)));
        }
        self.allowed_us = now_us.saturating_add(ahead_us).saturating_add(cost_us);
        Ok(())
    }

    /// Takes so many now, if the limit, which is one of so many in a window, allows it.
    ///
    /// # Errors
    /// As [`Meter::take`].
    pub fn within(
        &mut self,
        limits: &Limits,
        (limit, window_ms): (Limit, Millis),
        count: u64,
        now: Millis,
    ) -> Result<(), Exceeded> {
        match limits.value(limit) {
            Some(most) => self.take(limit, count, (most, window_ms), now),
            None => Ok(()),
        }
    }

    /// Takes so many now, however many that are, where at most `most` may be taken in a
    /// window: what cannot be known before is paid for later.
    pub fn charge(&mut self, count: u64, (most, window_ms): (u64, Millis), now: Millis) {
        let cost_us = share(count, window_ms.saturating_mul(1_000), most);
        let from_us = self.allowed_us.max(now.saturating_mul(1_000));
        self.allowed_us = from_us.saturating_add(cost_us);
    }

    /// Whether nothing is left to remember.
    pub fn is_even(self, now: Millis) -> bool {
        self.allowed_us <= now.saturating_mul(1_000)
    }
}

/// `part` of `whole` of something, rounded up.
fn share(part: u64, of: u64, whole: u64) -> u64 {
    let share = (u128::from(part) * u128::from(of)).div_ceil(u128::from(whole.max(1)));
    u64::try_from(share).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::SECOND;

    const TEN_A_SECOND: (u64, Millis) = (10, SECOND);

    fn take(meter: &mut Meter, count: u64, now: Millis) -> Result<(), Exceeded> {
        meter.take(Limit::EventsPerSecond, count, TEN_A_SECOND, now)
    }

    #[test]
    fn a_burst_of_a_window_passes_and_what_is_over_comes_again() {
        let mut meter = Meter::default();
        for _ in 0..10 {
            assert_eq!(take(&mut meter, 1, 5_000), Ok(()));
        }
        let refused = take(&mut meter, 1, 5_000).unwrap_err();
        assert_eq!((refused.most, refused.wanted, refused.retry_after_s), (10, 11, Some(1)));
        assert!(take(&mut meter, 1, 5_099).is_err());
        assert_eq!(take(&mut meter, 1, 5_100), Ok(()));
        assert!(take(&mut meter, 1, 5_100).is_err(), "nothing was saved up");
    }

    #[test]
    fn more_than_a_window_holds_gets_through_alone() {
        let mut meter = Meter::default();
        assert_eq!(take(&mut meter, 35, 5_000), Ok(()));
        assert_eq!(take(&mut meter, 1, 5_000).unwrap_err().retry_after_s, Some(3));
        assert_eq!(take(&mut meter, 20, 8_000).unwrap_err().retry_after_s, Some(1));
        assert_eq!(take(&mut meter, 20, 8_500), Ok(()));
        assert!(meter.is_even(10_500) && !meter.is_even(10_499));
    }

    #[test]
    fn what_was_taken_without_asking_is_paid_for_later() {
        let mut meter = Meter::default();
        assert_eq!(take(&mut meter, 1, 5_000), Ok(()));
        meter.charge(24, TEN_A_SECOND, 5_000);
        let refused = take(&mut meter, 1, 5_000).unwrap_err();
        assert_eq!((refused.used, refused.retry_after_s), (25, Some(2)));
        assert_eq!(take(&mut meter, 1, 6_600), Ok(()));
        meter.charge(1, TEN_A_SECOND, 60_000);
        assert!(meter.is_even(60_100), "long after, nothing of it is left");
    }

    #[test]
    fn where_nothing_may_be_taken_no_time_helps() {
        let mut meter = Meter::default();
        let refused = meter.take(Limit::CallsPerMinute, 1, (0, SECOND), 1).unwrap_err();
        assert_eq!(refused.retry_after_s, None);
    }

    proptest! {
        /// No stretch of a window has more than two windows' worth: the burst and the
        /// rate. Whoever comes again when told to is let in.
        #[test]
        fn the_rate_holds(asks in prop::collection::vec((0_u64..400, 1_u64..5), 1..200)) {
            let mut meter = Meter::default();
            let (mut now, mut taken) = (10_000, Vec::new());
            for (pause, count) in asks {
                now += pause;
                match take(&mut meter, count, now) {
                    Ok(()) => taken.push((now, count)),
                    Err(refused) => {
                        let after = refused.retry_after_s.unwrap();
                        let mut later = meter;
                        prop_assert!(take(&mut later, count, now + after * SECOND).is_ok());
                    }
                }
            }
            for (from, _) in &taken {
                let within = taken.iter().filter(|(at, _)| (*from..from + SECOND).contains(at));
                prop_assert!(within.map(|(_, count)| count).sum::<u64>() <= 20);
            }
        }

        #[test]
        fn no_number_is_too_large(count: u64, most: u64, window: u64, now: u64, again: u64) {
            let mut meter = Meter::default();
            let _ = meter.take(Limit::Bots, count, (most, window), now);
            let _ = meter.take(Limit::Bots, count, (most, window), now.saturating_add(again));
            meter.charge(count, (most, window), again);
        }
    }
}
