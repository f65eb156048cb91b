//! What tenants and bots have used: meters that add up, by the hour.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::log::Outcome;
use crate::run::{Blame, Cost, LogLine};
use crate::time::{HOUR, Millis};

/// Those of the meters of which the highest counts, and not the sum.
pub const PEAKS: [&str; 1] = ["memory_peak_bytes"];

/// What was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Events that were accepted.
    #[serde(skip_serializing_if = "is_zero")]
    pub events: u64,
    /// Turns that a bot had.
    #[serde(skip_serializing_if = "is_zero")]
    pub turns: u64,
    /// Those of them that failed by the bot's fault.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_by_bot: u64,
    /// By the tenant's, by a wrong setting.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_by_tenant: u64,
    /// By the vendor's.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_by_vendor: u64,
    /// By the host's.
    #[serde(skip_serializing_if = "is_zero")]
    pub failed_by_host: u64,
    /// CPU time of bots, in microseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub cpu_us: u64,
    /// The most memory that any of these turns held, in bytes.
    #[serde(skip_serializing_if = "is_zero")]
    pub memory_peak_bytes: u64,
    /// Turns of versions that were tried: they are no traffic.
    #[serde(skip_serializing_if = "is_zero")]
    pub trial_turns: u64,
    /// Their CPU time, in microseconds.
    #[serde(skip_serializing_if = "is_zero")]
    pub trial_cpu_us: u64,
    /// Calls to web services, within turns and after them.
    #[serde(skip_serializing_if = "is_zero")]
    pub calls: u64,
    /// Bytes of bots' logs.
    #[serde(skip_serializing_if = "is_zero")]
    pub log_bytes: u64,
}

impl Usage {
    /// What a turn used. What its run has cost is given for failures, too, whose outcome
    /// does not keep it; calls are counted where they leave.
    pub fn of_turn(outcome: &Outcome, log: &[LogLine], cost: Cost) -> Self {
        let log_bytes = log.iter().map(|line| line.message.len() as u64).sum();
        let Cost { cpu_us, memory_bytes: memory_peak_bytes } = cost;
        let ran = Self { turns: 1, cpu_us, memory_peak_bytes, log_bytes, ..Self::default() };
        match outcome {
            Outcome::Ran { .. } => ran,
            Outcome::Failed { failure, .. } => match failure.blame {
                Blame::Bot => Self { failed_by_bot: 1, ..ran },
                Blame::Tenant => Self { failed_by_tenant: 1, ..ran },
                Blame::Vendor => Self { failed_by_vendor: 1, ..ran },
                Blame::Host => Self { failed_by_host: 1, ..ran },
            },
            Outcome::Skipped(_) => Self { log_bytes, ..Self::default() },
        }
    }

    /// What a turn used in which a version was tried.
    pub fn of_trial(cost: Cost) -> Self {
        Self { trial_turns: 1, trial_cpu_us: cost.cpu_us, ..Self::default() }
    }

    /// Both together. Meters stop at their end instead of beginning anew.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let Self { events, turns, cpu_us, memory_peak_bytes, calls, log_bytes, .. } = self;
        let Self { failed_by_bot, failed_by_tenant, failed_by_vendor, failed_by_host, .. } = self;
        let Self { trial_turns, trial_cpu_us, .. } = self;
        Self {
            events: events.saturating_add(other.events),
            turns: turns.saturating_add(other.turns),
            failed_by_bot: failed_by_bot.saturating_add(other.failed_by_bot),
            failed_by_tenant: failed_by_tenant.saturating_add(other.failed_by_tenant),
            failed_by_vendor: failed_by_vendor.saturating_add(other.failed_by_vendor),
            failed_by_host: failed_by_host.saturating_add(other.failed_by_host),
            cpu_us: cpu_us.saturating_add(other.cpu_us),
            memory_peak_bytes: memory_peak_bytes.max(other.memory_peak_bytes),
            trial_turns: trial_turns.saturating_add(other.trial_turns),
            trial_cpu_us: trial_cpu_us.saturating_add(other.trial_cpu_us),
            calls: calls.saturating_add(other.calls),
            log_bytes: log_bytes.saturating_add(other.log_bytes),
        }
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What was used in each hour, by the number of the hour since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hours(BTreeMap<u64, Usage>);

impl Hours {
    /// So much was used now.
    pub fn add(&mut self, usage: Usage, now: Millis) {
        let hour = self.0.entry(now / HOUR).or_default();
        *hour = hour.plus(usage);
    }

    /// Takes in what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (hour, usage) in &other.0 {
            let own = self.0.entry(*hour).or_default();
            *own = own.plus(*usage);
        }
    }

    /// Each hour with the time of its beginning, oldest first.
    pub fn each(&self) -> impl Iterator<Item = (Millis, Usage)> + '_ {
        self.0.iter().map(|(hour, usage)| (hour * HOUR, *usage))
    }

    /// All of the hours that touch a stretch of time, its end left out.
    pub fn between(&self, from: Millis, to: Millis) -> Usage {
        if from >= to {
            return Usage::default();
        }
        let hours = self.0.range(from / HOUR..=(to - 1) / HOUR);
        hours.fold(Usage::default(), |sum, (_, usage)| sum.plus(*usage))
    }

    /// What was used in the running hour, and in how many seconds the next one begins:
    /// who is over a limit by the hour comes again then.
    pub fn this_hour(&self, now: Millis) -> (Usage, u64) {
        let usage = self.0.get(&(now / HOUR)).copied().unwrap_or_default();
        (usage, (HOUR - now % HOUR).div_ceil(1_000))
    }

    /// Forgets whole hours that ended before this.
    pub fn forget_before(&mut self, at: Millis) {
        self.0 = self.0.split_off(&(at / HOUR));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::Digest;
    use crate::log::SkipReason;
    use crate::run::{FailureKind, LogLevel, RunFailure};

    fn turns(turns: u64) -> Usage {
        Usage { turns, ..Usage::default() }
    }

    #[test]
    fn a_turn_counts_by_whose_fault_it_failed() {
        let version = Digest::of(b"v");
        let log = [LogLine { level: LogLevel::Info, message: "grüß".to_owned() }];
        let ran = Outcome::Ran { version, actions: Vec::new(), cpu_us: 1 };
        let cost = Cost { cpu_us: 9, memory_bytes: 70 };
        let used = Usage { cpu_us: 9, memory_peak_bytes: 70, ..Usage::default() };
        let expected = Usage { turns: 1, log_bytes: 6, ..used };
        assert_eq!(Usage::of_turn(&ran, &log, cost), expected);
        for (blame, counted) in [
            (Blame::Bot, Usage { failed_by_bot: 1, ..expected }),
            (Blame::Tenant, Usage { failed_by_tenant: 1, ..expected }),
            (Blame::Vendor, Usage { failed_by_vendor: 1, ..expected }),
            (Blame::Host, Usage { failed_by_host: 1, ..expected }),
        ] {
            let failure = RunFailure { blame, kind: FailureKind::Trap, message: String::new() };
            let failed = Outcome::Failed { version, failure };
            assert_eq!(Usage::of_turn(&failed, &log, cost), counted);
        }
        let skipped = Outcome::Skipped(SkipReason::NotOwner);
        let expected = Usage { log_bytes: 6, ..Usage::default() };
        assert_eq!(Usage::of_turn(&skipped, &log, cost), expected);
    }

    #[test]
    fn hours_are_kept_apart_and_forgotten_whole() {
        let mut hours = Hours::default();
        for (now, count) in [(HOUR - 1, 1), (HOUR, 2), (2 * HOUR - 1, 4), (2 * HOUR, 8)] {
            hours.add(turns(count), now);
        }
        let each: Vec<_> = hours.each().map(|(at, usage)| (at / HOUR, usage.turns)).collect();
        assert_eq!(each, [(0, 1), (1, 6), (2, 8)]);
        assert_eq!(hours.between(HOUR, 2 * HOUR).turns, 6);
        assert_eq!(hours.between(HOUR, 2 * HOUR + 1).turns, 14);
        assert_eq!(hours.between(5, 5), Usage::default());
        assert_eq!(hours.this_hour(2 * HOUR - 1_500), (turns(6), 2));
        hours.forget_before(HOUR + 5);
        assert_eq!(hours.each().count(), 2, "an hour that has not ended then stays");
        assert_eq!(serde_json::to_string(&hours).unwrap(), r#"{"1":{"turns":6},"2":{"turns":8}}"#);
    }

    #[test]
    fn meters_stop_at_their_end() {
        assert_eq!(turns(u64::MAX).plus(turns(1)), turns(u64::MAX));
    }

    /// Whatever is written down as a peak is merged as one.
    #[test]
    fn of_peaks_the_highest_counts() {
        let all = |count| usage([count; 12]);
        let both = serde_json::to_value(all(5).plus(all(7))).unwrap();
        for (name, count) in both.as_object().unwrap() {
            let expected = if PEAKS.contains(&name.as_str()) { 7 } else { 12 };
            assert_eq!(count, expected, "{name}");
        }
        assert!(PEAKS.iter().all(|name| both[name].is_u64()), "{both}");
    }

    fn usages() -> impl Strategy<Value = Usage> {
        any::<[u32; 12]>().prop_map(|counts| usage(counts.map(u64::from)))
    }

    #[test]
    fn trials_are_told_apart_from_traffic() {
        let tried = Usage::of_trial(Cost { cpu_us: 9, memory_bytes: 70 });
        assert_eq!(tried, Usage { trial_turns: 1, trial_cpu_us: 9, ..Usage::default() });
    }

    fn usage(counts: [u64; 12]) -> Usage {
        let [events, turns, failed_by_bot, failed_by_tenant, failed_by_vendor, ..] = counts;
        let [.., failed_by_host, cpu_us, memory_peak_bytes, calls, log_bytes, _, _] = counts;
        let [.., trial_turns, trial_cpu_us] = counts;
        Usage {
            events,
            turns,
            failed_by_bot,
            failed_by_tenant,
            failed_by_vendor,
            failed_by_host,
            cpu_us,
            memory_peak_bytes,
            trial_turns,
            trial_cpu_us,
            calls,
            log_bytes,
        }
    }

    proptest! {
        /// Nothing is lost, wherever it was counted.
        #[test]
        fn it_does_not_matter_where_something_was_counted(
            counted in prop::collection::vec((usages(), 0..50 * HOUR, any::<bool>()), 0..40),
        ) {
            let (mut one, mut left, mut right) = (Hours::default(), Hours::default(), Hours::default());
            for (usage, now, is_left) in counted {
                one.add(usage, now);
                if is_left { left.add(usage, now) } else { right.add(usage, now) }
            }
            left.merge(&right);
            prop_assert_eq!(&left, &one);
            let sum = one.each().fold(Usage::default(), |sum, (_, usage)| sum.plus(usage));
            prop_assert_eq!(one.between(0, 50 * HOUR), sum);
            let text = serde_json::to_string(&one).unwrap();
            prop_assert_eq!(serde_json::from_str::<Hours>(&text).unwrap(), one);
        }
    }
}
