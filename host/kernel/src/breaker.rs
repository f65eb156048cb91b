//! Circuit breakers: what keeps failing is left alone for a while, then tried
//! with a single probe.
//!
//! One machine serves two purposes: a destination that does not answer, and a
//! bot that fails on whatever it is given. It forgets at a restart, which does
//! no harm: a few failures more, and it knows again.

use std::collections::VecDeque;

use crate::time::{MINUTE, Millis, SECOND};

/// When a breaker trips, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What is looked at: outcomes of so long ago are forgotten.
    pub window_ms: Millis,
    /// It never trips before so many failures within the window.
    pub failures_min: usize,
    /// It trips when at least so many of a hundred outcomes are failures.
    pub failed_percent: usize,
    /// The first pause before a probe; it doubles with each probe that fails.
    pub pause_ms: Millis,
    /// The longest pause.
    pub pause_max_ms: Millis,
}

/// For destinations: a vendor or web service that does not answer.
pub const DESTINATION: Rules = Rules {
    window_ms: 30 * SECOND,
    failures_min: 10,
    failed_percent: 80,
    pause_ms: 2 * SECOND,
    pause_max_ms: MINUTE,
};

/// For bots: most of what it is given ends in its failure.
pub const BOT: Rules = Rules {
    window_ms: 5 * MINUTE,
    failures_min: 20,
    failed_percent: 80,
    pause_ms: 10 * SECOND,
    pause_max_ms: 5 * MINUTE,
};

/// At most so many outcomes are remembered.
const OUTCOMES_MAX: usize = 256;

/// A circuit breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    rules: Rules,
    outcomes: VecDeque<(Millis, bool)>,
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    since_ms: Millis,
    probe_at_ms: Millis,
    pause_ms: Millis,
    /// A probe is on its way.
    probing: bool,
}

/// Whether something may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may.
    Go,
    /// It may, alone, to see whether things are better.
    Probe,
    /// Not before this time.
    Wait(Millis),
}

/// What an outcome changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It has tripped, after so many failures within the window.
    Tripped {
        /// How many.
        failures: usize,
    },
    /// It has closed again, after so long.
    Closed {
        /// How long it was open.
        after_ms: Millis,
    },
}

impl Breaker {
    /// A closed breaker.
    pub fn new(rules: Rules) -> Self {
        Self { rules, outcomes: VecDeque::new(), open: None }
    }

    /// Whether something may be tried now. A probe that is never heard of again
    /// is followed by another one a pause later.
    pub fn admit(&mut self, now: Millis) -> Admission {
        match &mut self.open {
            None => Admission::Go,
            Some(open) if now < open.probe_at_ms => Admission::Wait(open.probe_at_ms),
            Some(open) => {
                open.probe_at_ms = now.saturating_add(open.pause_ms);
                open.probing = true;
                Admission::Probe
            }
        }
    }

    /// Until when nothing may be tried, if that is so. Asking takes no probe.
    pub fn closed_until(&self, now: Millis) -> Option<Millis> {
        self.open.map(|open| open.probe_at_ms).filter(|at| now < *at)
    }

    /// Something that was tried ended. While the breaker is open, a single good
    /// outcome closes it: whoever was on the way when it tripped counts, too.
    pub fn ended(&mut self, good: bool, now: Millis) -> Option<Change> {
        if let Some(open) = &mut self.open {
            if good {
                let after_ms = now.saturating_sub(open.since_ms);
                self.open = None;
                self.outcomes.clear();
                return Some(Change::Closed { after_ms });
            }
            // Only a probe's failure lengthens the pause: whoever was on the way
            // when it tripped says nothing new.
            if std::mem::take(&mut open.probing) {
                open.pause_ms = open.pause_ms.saturating_mul(2).min(self.rules.pause_max_ms);
                open.probe_at_ms = now.saturating_add(open.pause_ms);
            }
            return None;
        }
        self.note(good, now);
        let failures = self.outcomes.iter().filter(|(_, good)| !good).count();
        let most = failures * 100 >= self.outcomes.len() * self.rules.failed_percent;
        if good || failures < self.rules.failures_min || !most {
            return None;
        }
        let pause_ms = self.rules.pause_ms;
        let probe_at_ms = now.saturating_add(pause_ms);
        self.open = Some(Open { since_ms: now, probe_at_ms, pause_ms, probing: false });
        Some(Change::Tripped { failures })
    }

    /// Since when it is open, if it is.
    pub fn open_since(&self) -> Option<Millis> {
        self.open.map(|open| open.since_ms)
    }

    fn note(&mut self, good: bool, now: Millis) {
        let oldest = now.saturating_sub(self.rules.window_ms);
        self.outcomes.retain(|(at, _)| *at > oldest);
        if self.outcomes.len() == OUTCOMES_MAX {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back((now, good));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules {
        window_ms: 1_000,
        failures_min: 3,
        failed_percent: 50,
        pause_ms: 100,
        pause_max_ms: 400,
    };

    fn tripped() -> Breaker {
        let mut breaker = Breaker::new(RULES);
        assert_eq!(breaker.ended(false, 1_000), None);
        assert_eq!(breaker.ended(false, 1_001), None);
        assert_eq!(breaker.ended(false, 1_002), Some(Change::Tripped { failures: 3 }));
        breaker
    }

    #[test]
    fn it_trips_at_enough_failures_and_lets_one_probe_through_a_pause() {
        let mut breaker = tripped();
        assert_eq!(breaker.admit(1_050), Admission::Wait(1_102));
        assert_eq!(breaker.admit(1_102), Admission::Probe);
        assert_eq!(breaker.admit(1_103), Admission::Wait(1_202));
        assert_eq!(breaker.open_since(), Some(1_002));
    }

    #[test]
    fn a_good_probe_closes_it_and_the_past_is_forgotten() {
        let mut breaker = tripped();
        assert_eq!(breaker.admit(1_102), Admission::Probe);
        assert_eq!(breaker.ended(true, 1_110), Some(Change::Closed { after_ms: 108 }));
        assert_eq!(breaker.admit(1_110), Admission::Go);
        assert_eq!(breaker.ended(false, 1_111), None, "one failure is not three");
    }

    #[test]
    fn each_failed_probe_doubles_the_pause_up_to_a_bound() {
        let mut breaker = tripped();
        let mut now = 1_002;
        let mut pauses = Vec::new();
        for _ in 0..4 {
            let Admission::Wait(at) = breaker.admit(now) else { panic!("it is open") };
            pauses.push(at - now);
            assert_eq!(breaker.admit(at), Admission::Probe);
            assert_eq!(breaker.ended(false, at), None);
            now = at;
        }
        assert_eq!(pauses, [100, 200, 400, 400]);
    }

    #[test]
    fn stragglers_that_fail_after_it_tripped_do_not_lengthen_the_pause() {
        let mut breaker = tripped();
        for _ in 0..9 {
            assert_eq!(breaker.ended(false, 1_001), None);
        }
        assert_eq!(breaker.admit(1_102), Admission::Probe);
    }

    #[test]
    fn failures_among_many_good_outcomes_trip_nothing() {
        let mut breaker = Breaker::new(RULES);
        for n in 0..300 {
            assert_eq!(breaker.ended(n % 3 != 0, 1_000 + n), None);
        }
    }

    #[test]
    fn failures_that_are_long_past_count_no_more() {
        let mut breaker = Breaker::new(RULES);
        for n in 0..9 {
            assert_eq!(breaker.ended(false, 1_000 + n * 600), None, "two within a second");
        }
    }

    proptest! {
        /// Whatever happens: it is never closed to everybody for longer than the
        /// longest pause, and a good outcome always opens the way.
        #[test]
        fn nobody_waits_for_ever(steps in prop::collection::vec((0_u64..500, 0_u8..3), 1..200)) {
            let mut breaker = Breaker::new(RULES);
            let mut now = 10_000;
            for (pause, what) in steps {
                now += pause;
                match what {
                    0 => drop(breaker.ended(false, now)),
                    1 => {
                        breaker.ended(true, now);
                        prop_assert_eq!(breaker.admit(now), Admission::Go);
                    }
                    _ => {
                        if let Admission::Wait(at) = breaker.admit(now) {
                            prop_assert!(at > now && at <= now + RULES.pause_max_ms);
                        }
                    }
                }
            }
        }
    }
}
