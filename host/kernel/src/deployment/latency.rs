//! How long turns take, in buckets: about 9 % wide, so that a doubling is told from
//! chance, and never more than a few hundred of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Each doubling is cut into so many buckets.
const STEPS: u64 = 8;

/// A histogram of durations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency(BTreeMap<u16, u64>);

impl Latency {
    /// Something took so many microseconds.
    pub fn note(&mut self, took_us: u64) {
        *self.0.entry(bucket(took_us)).or_default() += 1;
    }

    /// The time within which so many of a hundred ended, in microseconds; absent where
    /// nothing was noted. It is off by the width of a bucket at most.
    pub fn percentile_us(&self, percent: u64) -> Option<u64> {
        let count: u64 = self.0.values().sum();
        let rank = (count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let reaches = |(_, count): &(&u16, &u64)| {
            seen += **count;
            seen >= rank
        };
        let (bucket, _) = self.0.iter().find(reaches)?;
        Some(begin(*bucket))
    }

    /// How many took longer than so many microseconds, but for the width of a bucket.
    pub(super) fn over(&self, us: u64) -> u64 {
        let over = self.0.iter().filter(|(bucket, _)| begin(**bucket) > us);
        over.map(|(_, count)| count).sum()
    }

    /// This without a part of it.
    pub(super) fn without(&self, part: &Self) -> Self {
        let rest = |(bucket, count): (&u16, &u64)| {
            let part = part.0.get(bucket).copied().unwrap_or_default();
            (*bucket, count.saturating_sub(part))
        };
        Self(self.0.iter().map(rest).filter(|(_, count)| *count > 0).collect())
    }

    /// Forgets half of everything.
    pub(super) fn halve(&mut self) {
        self.0.values_mut().for_each(|count| *count /= 2);
        self.0.retain(|_, count| *count > 0);
    }
}

/// Small numbers have buckets of their own.
fn bucket(value: u64) -> u16 {
    if value < STEPS {
        return value as u16;
    }
    // At least 3: the value has 4 bits or more.
    let exponent = value.ilog2();
    let step = (value >> (exponent - STEPS.ilog2())) & (STEPS - 1);
    ((u64::from(exponent) - 2) * STEPS + step) as u16
}

/// The least value in a bucket.
fn begin(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < STEPS {
        return bucket;
    }
    let (exponent, step) = (bucket / STEPS + 2, bucket % STEPS);
    (STEPS + step) << (exponent - u64::from(STEPS.ilog2()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_percentile_is_that_of_what_was_noted() {
        let mut latency = Latency::default();
        assert_eq!(latency.percentile_us(95), None);
        (1..=100).for_each(|n| latency.note(n * 1_000));
        let p95 = latency.percentile_us(95).unwrap();
        assert!((86_000..=95_000).contains(&p95), "{p95}");
        assert!(latency.percentile_us(100).unwrap() > p95);
        assert!(latency.percentile_us(0).unwrap() <= 1_000);
    }

    proptest! {
        #[test]
        fn a_bucket_is_at_most_an_eighth_wide(value: u64) {
            let begin = begin(bucket(value));
            prop_assert!(begin <= value && value - begin <= begin / 8, "{} in {}", value, begin);
        }

        #[test]
        fn larger_values_are_in_no_earlier_bucket(one: u64, other: u64) {
            prop_assert_eq!(bucket(one).cmp(&bucket(other)).is_lt() && one > other, false);
        }

        #[test]
        fn memory_is_bounded(values in prop::collection::vec(any::<u64>(), 0..2_000)) {
            let mut latency = Latency::default();
            values.iter().for_each(|value| latency.note(*value));
            prop_assert!(latency.0.len() <= 512);
            prop_assert_eq!(latency.0.values().sum::<u64>(), values.len() as u64);
        }
    }
}
