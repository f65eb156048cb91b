//! Pairs of halves as a table.

use std::time::Duration;

use super::{Outcome, median};

/// Halves that were measured in turn.
#[derive(Clone, Debug)]
pub struct Pairs {
    title: String,
    halves: Vec<(Outcome, Outcome)>,
}

impl Pairs {
    /// None yet, under this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), halves: Vec::new() }
    }

    /// One more pair.
    pub fn add(&mut self, without: Outcome, with: Outcome) {
        self.halves.push((without, with));
    }

    /// Prints the pairs and answers whether the median of the ratios of their
    /// 99th percentiles is within the aim.
    pub fn print(&self, aim: f64) -> bool {
        println!("\n{}\n", self.title);
        println!(
            "| pair | p50 without | p50 with | p99 without | p99 with | p99 ratio | refused |"
        );
        println!("|---|---|---|---|---|---|---|");
        let mut ratios = Vec::new();
        for (number, (without, with)) in self.halves.iter().enumerate() {
            let [p50, p50_with] = [without, with].map(|half| half.taken.quantile(0.5));
            let [p99, p99_with] = [without, with].map(|half| half.taken.quantile(0.99));
            let ratio = p99_with.as_secs_f64() / p99.as_secs_f64();
            ratios.push(ratio);
            println!(
                "| {} | {} | {} | {} | {} | {ratio:.2} | {} |",
                number + 1,
                ms(p50),
                ms(p50_with),
                ms(p99),
                ms(p99_with),
                without.refused + with.refused,
            );
        }
        let ratio = median(&ratios);
        let reached = ratio <= aim;
        let verdict = if reached { "reached" } else { "NOT reached" };
        println!("\nmedian of the p99 ratios: {ratio:.2}; aim: at most {aim:.2}: {verdict}");
        reached
    }
}

/// A time as people read it.
pub fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
