//! How much unfinished work a host takes. What is over a bound is refused before
//! it is accepted, and told when to come again; what was accepted is never.

mod meter;

use crate::limits::Limit;
use crate::time::{Millis, SECOND};
pub use meter::Meter;

/// The longest time, in seconds, after which the refused are asked to come again.
pub const RETRY_AFTER_MAX_S: u64 = 300;

/// Unfinished work: of one tenant, or of the whole host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Requests that have no answer yet.
    pub requests: usize,
    /// Events that wait for their turns, accepted or not.
    pub events: usize,
    /// What both take in memory, about, in bytes.
    pub bytes: usize,
}

/// Work is refused while there is so much of it, or as much as would be with it.
pub type Bounds = Load;

/// Whose bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The tenant's own: others are served.
    Tenant,
    /// The host's.
    Host,
}

/// Work is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whose bound is reached.
    pub whose: Whose,
    /// Which: `requests`, `events` or `bytes`.
    pub what: &'static str,
    /// When there should be room again, in seconds from now, at least 1 and at
    /// most [`RETRY_AFTER_MAX_S`].
    pub retry_after_s: u64,
}

impl Refusal {
    /// The limit of the table whose bound is reached.
    pub fn limit(&self) -> Limit {
        match self.what {
            "requests" => Limit::BacklogRequests,
            "events" => Limit::BacklogEvents,
            _ => Limit::BacklogBytes,
        }
    }
}

/// What is known of one who has bounds.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// What is unfinished.
    pub load: Load,
    /// What may be.
    pub bounds: Bounds,
    /// Events that have their turns in a second.
    pub drained_per_second: u64,
}

/// Whether a request with a body of so many bytes is taken. The tenant's own
/// bound is looked at first: who is over it must not read of the host's.
///
/// # Errors
/// Whose bound is reached, and when to come again.
pub fn admit(tenant: &Account, host: &Account, bytes: usize) -> Result<(), Refusal> {
    for (whose, account) in [(Whose::Tenant, tenant), (Whose::Host, host)] {
        if let Some(what) = account.load.reaches(&account.bounds, bytes) {
            return Err(Refusal { whose, what, retry_after_s: account.retry_after_s() });
        }
    }
    Ok(())
}

impl Load {
    fn reaches(&self, bounds: &Self, bytes: usize) -> Option<&'static str> {
        if self.requests >= bounds.requests {
            Some("requests")
        } else if self.events >= bounds.events {
            Some("events")
        } else if self.bytes.saturating_add(bytes) > bounds.bytes && *self != Self::default() {
            // A single body is bounded elsewhere and must get through some time.
            Some("bytes")
        } else {
            None
        }
    }
}

impl Account {
    /// Until a quarter of what waits is done: whoever comes back sooner would only
    /// be refused again.
    fn retry_after_s(&self) -> u64 {
        let quarter = (self.load.events.max(self.load.requests) as u64).div_ceil(4);
        let seconds = quarter.div_ceil(self.drained_per_second.max(1));
        seconds.clamp(1, RETRY_AFTER_MAX_S)
    }
}

/// How many events have their turns in a second, of late.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drain {
    since_ms: Millis,
    count: u64,
    per_second: u64,
}

impl Drain {
    /// An event had its turn.
    pub fn note(&mut self, now: Millis) {
        self.roll(now);
        self.count += 1;
    }

    /// So many in a second.
    pub fn per_second(&mut self, now: Millis) -> u64 {
        self.roll(now);
        self.per_second
    }

    fn roll(&mut self, now: Millis) {
        let passed = now.saturating_sub(self.since_ms);
        if passed >= SECOND {
            let rate = self.count * SECOND / passed;
            // The first second has nothing before it to be averaged with.
            let before = if self.since_ms == 0 { rate } else { self.per_second };
            *self = Self { since_ms: now, count: 0, per_second: (before + rate).div_ceil(2) };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { requests: 10, events: 100, bytes: 1_000 };

    fn account(requests: usize, events: usize, bytes: usize) -> Account {
        let load = Load { requests, events, bytes };
        Account { load, bounds: BOUNDS, drained_per_second: 5 }
    }

    fn refused(tenant: Account, host: Account, bytes: usize) -> Option<(Whose, &'static str)> {
        admit(&tenant, &host, bytes).err().map(|refusal| (refusal.whose, refusal.what))
    }

    #[test]
    fn every_bound_is_one() {
        let free = account(0, 0, 0);
        assert_eq!(refused(account(9, 99, 900), account(9, 99, 900), 100), None);
        for (full, what) in [
            (account(10, 0, 0), "requests"),
            (account(0, 100, 0), "events"),
            (account(1, 1, 901), "bytes"),
        ] {
            assert_eq!(refused(full, free, 100), Some((Whose::Tenant, what)));
            assert_eq!(refused(free, full, 100), Some((Whose::Host, what)));
            assert_eq!(refused(full, full, 100), Some((Whose::Tenant, what)));
        }
    }

    #[test]
    fn a_body_that_is_larger_than_the_bound_gets_through_when_nothing_else_is_there() {
        assert_eq!(refused(account(0, 0, 0), account(0, 0, 0), 5_000), None);
        assert_eq!(refused(account(1, 0, 0), account(0, 0, 0), 5_000).map(|r| r.1), Some("bytes"));
    }

    #[test]
    fn who_is_refused_comes_again_when_a_quarter_is_done() {
        let after = |events, drained_per_second| {
            let tenant = Account { drained_per_second, ..account(0, events, 0) };
            admit(&tenant, &account(0, 0, 0), 0).unwrap_err().retry_after_s
        };
        assert_eq!(after(100, 5), 5);
        assert_eq!(after(100, 1_000), 1);
        assert_eq!(after(100_000, 0), RETRY_AFTER_MAX_S);
    }

    #[test]
    fn the_drain_follows_what_happens() {
        let mut drain = Drain::default();
        assert_eq!(drain.per_second(10_000), 0);
        for turn in 0..200 {
            drain.note(10_000 + turn * 10);
        }
        assert_eq!(drain.per_second(12_000), 75, "half of a second ago, half of before");
        assert_eq!(drain.per_second(60_000), 38);
    }

    proptest! {
        #[test]
        fn the_time_to_come_again_is_always_within_its_bounds(
            requests: usize, events: usize, bytes: usize, asked: usize, drained_per_second: u64,
        ) {
            let tenant = Account { drained_per_second, ..account(requests, events, bytes) };
            if let Err(refusal) = admit(&tenant, &account(0, 0, 0), asked) {
                prop_assert!((1..=RETRY_AFTER_MAX_S).contains(&refusal.retry_after_s));
            }
        }

        #[test]
        fn more_work_is_never_admitted_where_less_is_refused(
            load in (0_usize..12, 0_usize..120, 0_usize..1_200),
            more in (0_usize..12, 0_usize..120, 0_usize..1_200),
            asked in 1_usize..200,
        ) {
            let less = account(load.0, load.1, load.2);
            let larger = account(load.0 + more.0, load.1 + more.1, load.2 + more.2);
            let nothing = account(0, 0, 0);
            if admit(&less, &nothing, asked).is_err() {
                prop_assert!(admit(&larger, &nothing, asked).is_err());
            }
        }
    }
}
