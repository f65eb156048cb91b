//! Many durations of the same thing.

use std::fmt;
use std::time::Duration;

/// Many durations of the same thing, in microseconds.
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// Nothing so far.
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a duration.
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e6);
    }

    /// The median in microseconds.
    pub(crate) fn p50(&self) -> f64 {
        self.part(0.50)
    }

    fn part(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let index = (sorted.len() as f64 * part) as usize;
        sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:>8.1} µs   p99 {:>8.1} µs", self.p50(), self.part(0.99))
    }
}
