//! Where calls go: whether one more may leave now, by what the vendor states,
//! by what its answers have taught, and by whether it answers at all.
//!
//! One machine for each destination, shared by all conversations that call it.
//! It is asked before a call is claimed, so that a vendor that is down costs no
//! writes. It forgets at a restart.

use crate::breaker::{self, Breaker, Change};
use crate::profile::Rate;
use crate::rate;
use crate::time::{MINUTE, Millis, SECOND};

/// The pause after a vendor said "too many" without saying for how long.
const LIMITED_MS: Millis = SECOND;
/// The longest pause that a vendor may ask for.
const LIMITED_MAX_MS: Millis = 10 * MINUTE;
/// A place in the line is kept for so long after its time.
const PLACE_KEPT_MS: Millis = MINUTE;
/// The shortest distance between calls that a "too many" teaches.
const SPACING_MS: Millis = 50;
/// The longest one.
const SPACING_MAX_MS: Millis = 30 * SECOND;

/// A place that calls go to.
#[derive(Clone, Debug)]
pub struct Destination {
    breaker: Breaker,
    /// What the vendor states for all calls with one token.
    rate: Option<Rate>,
    called_ms: Vec<Millis>,
    /// What its answers have taught: calls keep this distance. 0 where nothing
    /// was taught.
    spacing_ms: Millis,
    /// The next place in the line of calls.
    next_ms: Millis,
    /// "Too many" was said for so long: places before then are void.
    closed_until_ms: Millis,
}

/// What a vendor is called for: at some vendors, each by another service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// To deliver actions.
    Delivery,
    /// To acknowledge events.
    Acknowledgement,
}

/// Whether a call may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Now.
    Go,
    /// Ask again at this time. Where a place in the line was kept for the call,
    /// show its time as the ticket.
    Wait {
        /// When.
        until_ms: Millis,
        /// A place in the line is kept for then.
        ticket: bool,
    },
}

/// How a call ended, as far as its destination is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It answered, whatever it said: it is there.
    Answered,
    /// It answered "too many" for the token as a whole.
    Limited {
        /// For how long, where it said so.
        after_ms: Option<Millis>,
    },
    /// It did not answer, or with a failure of its own (5xx).
    Failed,
}

impl Destination {
    /// A destination of which nothing is known but the rate that the vendor states.
    pub fn new(rate: Option<Rate>) -> Self {
        Self {
            breaker: Breaker::new(breaker::DESTINATION),
            rate,
            called_ms: Vec::new(),
            spacing_ms: 0,
            next_ms: 0,
            closed_until_ms: 0,
        }
    }

    /// Whether a call may leave now. `ticket` is the time that an earlier answer
    /// kept a place for.
    pub fn admit(&mut self, ticket: Option<Millis>, now: Millis) -> Admission {
        let closed = self.breaker.closed_until(now).unwrap_or(0).max(self.closed_until_ms);
        if now < closed {
            return Admission::Wait { until_ms: closed, ticket: false };
        }
        // A place is kept for a while only, and not over a pause.
        let void = self.closed_until_ms.max(now.saturating_sub(PLACE_KEPT_MS));
        let kept = ticket.is_some_and(|at| (void..=now).contains(&at));
        if !kept {
            let place = self.place(now);
            if place > now {
                return Admission::Wait { until_ms: place, ticket: true };
            }
        }
        match self.breaker.admit(now) {
            breaker::Admission::Go | breaker::Admission::Probe => Admission::Go,
            breaker::Admission::Wait(until_ms) => Admission::Wait { until_ms, ticket: false },
        }
    }

    /// A call ended.
    pub fn ended(&mut self, ended: Ended, now: Millis) -> Option<Change> {
        match ended {
            Ended::Answered => {
                // Slowly back to full speed: a tenth at a time.
                self.spacing_ms = self.spacing_ms * 9 / 10;
                self.breaker.ended(true, now)
            }
            Ended::Limited { after_ms } => {
                let pause = after_ms.unwrap_or(LIMITED_MS).min(LIMITED_MAX_MS);
                // Calls that left together are told together: that is one lesson.
                if now >= self.closed_until_ms {
                    self.spacing_ms = (self.spacing_ms * 2).clamp(SPACING_MS, SPACING_MAX_MS);
                }
                self.closed_until_ms = self.closed_until_ms.max(now.saturating_add(pause));
                self.next_ms = self.next_ms.max(self.closed_until_ms);
                // Whoever says "too many" is there.
                self.breaker.ended(true, now)
            }
            Ended::Failed => self.breaker.ended(false, now),
        }
    }

    /// Since when nothing is sent there, if that is so.
    pub fn open_since(&self) -> Option<Millis> {
        self.breaker.open_since()
    }

    /// Takes the next free place in the line.
    fn place(&mut self, now: Millis) -> Millis {
        let free = match self.rate {
            Some(rate) => rate::free_at(&self.called_ms, rate, now),
            None => now,
        };
        let place = free.max(self.next_ms).max(now);
        self.next_ms = place.saturating_add(self.spacing_ms);
        if let Some(rate) = self.rate {
            self.called_ms.retain(|at| at.saturating_add(rate.window_ms) > now);
            self.called_ms.push(place);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wait(admission: Admission) -> Millis {
        let Admission::Wait { until_ms, ticket: true } = admission else {
            panic!("no place was kept: {admission:?}")
        };
        until_ms
    }

    #[test]
    fn nothing_known_holds_nothing_back() {
        let mut destination = Destination::new(None);
        for now in 0..1_000 {
            assert_eq!(destination.admit(None, now / 10), Admission::Go);
        }
    }

    #[test]
    fn whoever_is_told_to_slow_down_keeps_a_distance_and_speeds_up_again() {
        let mut destination = Destination::new(None);
        for _ in 0..10 {
            // They left together.
            destination.ended(Ended::Limited { after_ms: Some(5_000) }, 1_000);
        }
        let pause = Admission::Wait { until_ms: 6_000, ticket: false };
        assert_eq!(destination.admit(None, 1_000), pause);
        assert_eq!(destination.admit(Some(900), 5_999), pause, "a place from before is void");
        assert_eq!(destination.admit(None, 6_000), Admission::Go);
        assert_eq!(wait(destination.admit(Some(900), 6_000)), 6_050);
        assert_eq!(wait(destination.admit(None, 6_000)), 6_100);
        assert_eq!(destination.admit(Some(6_050), 6_050), Admission::Go);
        for n in 0..60 {
            destination.ended(Ended::Answered, 6_000 + n);
        }
        assert_eq!(destination.admit(None, 20_000), Admission::Go);
        assert_eq!(destination.admit(None, 20_000), Admission::Go);
    }

    #[test]
    fn too_many_without_a_time_means_a_second() {
        let mut destination = Destination::new(None);
        destination.ended(Ended::Limited { after_ms: None }, 1_000);
        let pause = Admission::Wait { until_ms: 2_000, ticket: false };
        assert_eq!(destination.admit(None, 1_000), pause);
    }

    #[test]
    fn a_destination_that_is_down_is_left_alone_but_for_a_probe() {
        let mut destination = Destination::new(None);
        for n in 1_000..1_010 {
            assert_eq!(destination.admit(None, n), Admission::Go);
            destination.ended(Ended::Failed, n);
        }
        let Admission::Wait { until_ms, ticket: false } = destination.admit(None, 1_010) else {
            panic!("it is left alone")
        };
        assert_eq!(destination.admit(None, until_ms), Admission::Go);
        assert!(matches!(destination.admit(None, until_ms), Admission::Wait { .. }));
        let change = destination.ended(Ended::Answered, until_ms + 5);
        assert!(matches!(change, Some(Change::Closed { .. })));
        assert_eq!(destination.admit(None, until_ms + 5), Admission::Go);
    }

    proptest! {
        #[test]
        fn tickets_keep_the_stated_rate(
            calls in 1_usize..5,
            window_ms in 1_u64..200,
            asks in prop::collection::vec(0_u64..60, 1..80),
        ) {
            let rate = Rate { calls, window_ms };
            let mut destination = Destination::new(Some(rate));
            let (mut now, mut gone) = (0, Vec::new());
            for pause in asks {
                now += pause;
                match destination.admit(None, now) {
                    Admission::Go => gone.push(now),
                    Admission::Wait { until_ms, .. } => {
                        prop_assert_eq!(
                            destination.admit(Some(until_ms), until_ms), Admission::Go
                        );
                        gone.push(until_ms);
                    }
                }
            }
            for start in &gone {
                let within = gone.iter().filter(|at| (*start..start + window_ms).contains(at));
                prop_assert!(within.count() <= calls);
            }
        }
    }
}
