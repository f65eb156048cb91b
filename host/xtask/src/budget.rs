//! How long each suite may take: `budgets.toml`, compiled in.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;

const TABLE: &str = include_str!("../budgets.toml");

/// Minutes by suite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Budgets {
    /// What all suites without `--full` may take together, in minutes.
    pub(crate) total: f64,
    /// Suites that always run.
    pub(crate) suites: BTreeMap<String, f64>,
    /// Suites of `--full`.
    pub(crate) full: BTreeMap<String, f64>,
}

impl Budgets {
    /// The checked-in table.
    pub(crate) fn read() -> Result<Self> {
        toml::from_str(TABLE).context("host/xtask/budgets.toml is not readable")
    }

    /// The time of a suite; a suite without one is a mistake of its author.
    pub(crate) fn of(&self, suite: &str) -> Result<Duration> {
        let minutes =
            self.suites.get(suite).or_else(|| self.full.get(suite)).with_context(|| {
                format!("host/xtask/budgets.toml has no line for the suite `{suite}`: add one")
            })?;
        Ok(Duration::from_secs_f64(minutes * 60.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites;

    #[test]
    fn every_suite_has_a_budget_and_every_budget_a_suite() {
        let budgets = Budgets::read().unwrap();
        let mut names = suites::NAMES.to_vec();
        names.sort_unstable();
        assert_eq!(budgets.suites.keys().collect::<Vec<_>>(), names);
        let mut names = suites::FULL_NAMES.to_vec();
        names.sort_unstable();
        assert_eq!(budgets.full.keys().collect::<Vec<_>>(), names);
    }

    #[test]
    fn the_budgets_together_stay_within_the_total() {
        let budgets = Budgets::read().unwrap();
        let sum: f64 = budgets.suites.values().sum();
        assert!(sum <= budgets.total, "{sum} minutes are more than {}", budgets.total);
    }
}
