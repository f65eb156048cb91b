//! How much a tenant may use of a host in a second. Over it nothing is dropped:
//! its turns begin later.

use crate::time::{Millis, SECOND};

/// What a tenant did not use within this time is not saved up for later.
const BURST_US: u64 = 1_000_000;

/// What a tenant may use in a second; absent parts are not bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TenantRate {
    /// Turns that begin.
    pub turns: Option<u32>,
    /// CPU time of its bots, in milliseconds.
    pub cpu_ms: Option<u32>,
}

/// How far ahead of its rate a tenant is, for one resource: the time at which it
/// would have been allowed what it has used.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pacer {
    allowed_us: u64,
}

impl Pacer {
    /// The earliest time at which more may be used.
    pub(super) fn free_at(self) -> Millis {
        self.allowed_us.saturating_sub(BURST_US).div_ceil(1_000)
    }

    /// Notes that so much was used, of which so much a second is allowed.
    pub(super) fn note(&mut self, used: u64, per_second: u64, now: Millis) {
        let cost_us = used.saturating_mul(1_000 * SECOND) / per_second.max(1);
        let now_us = now.saturating_mul(1_000);
        self.allowed_us = self.allowed_us.max(now_us).saturating_add(cost_us);
    }

    /// Whether nothing is left to remember.
    pub(super) fn is_even(self, now: Millis) -> bool {
        self.allowed_us <= now.saturating_mul(1_000)
    }
}
