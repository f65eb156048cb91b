//! Whether a new version does worse than the one before, so that it is rolled back
//! without anybody watching.
//!
//! A canary is compared with what answers besides it, from its beginning to its end. A
//! version that was deployed whole is compared for an hour with the one before. Both
//! need 50 turns of the new version before anything is said, and 50 of the old one
//! before times are compared. Where the old one has fewer turns, its failures are what
//! is known of it: none, if it has had no turn at all, so that more than 2 failures of
//! a hundred turns are too many.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Deployment;
use super::latency::Latency;
use crate::id::Digest;
use crate::log::Outcome;
use crate::run::Blame;
use crate::time::{HOUR, Millis};

/// Nothing is said of a version before so many turns.
pub const TURNS_MIN: u64 = 50;
/// A new version fails too often at over so many times the rate of the old one...
pub const FAILED_TIMES: u64 = 3;
/// ...and over so many of a hundred turns more.
pub const FAILED_POINTS: u64 = 2;
/// A new version is too slow at over so many times the old one's 95th percentile.
pub const SLOW_TIMES: u64 = 2;
/// For so long a full deployment is watched.
pub const WATCHED_MS: Millis = HOUR;
/// Beyond so many turns older ones count less and less: what goes wrong late is seen.
const REMEMBERED_TURNS: u64 = 4_096;

/// What is known of one version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Turns that the bot had, or would have had if it did not keep failing.
    pub turns: u64,
    /// Those of them that failed by its fault.
    pub failures: u64,
    /// How long they took.
    pub latency: Latency,
}

impl Tally {
    /// A turn ended so, after so many microseconds. What is not the bot's fault says
    /// nothing of the version; that it is left alone because it keeps failing does.
    pub fn note(&mut self, outcome: &Outcome, took_us: u64) {
        let failed = match outcome {
            Outcome::Ran { .. } => false,
            Outcome::Failed { failure, .. } if failure.blame == Blame::Bot => true,
            Outcome::Failed { .. } | Outcome::Skipped(_) => return,
        };
        self.turns += 1;
        self.failures += u64::from(failed);
        self.latency.note(took_us);
        if self.turns >= REMEMBERED_TURNS {
            self.turns /= 2;
            self.failures /= 2;
            self.latency.halve();
        }
    }
}

/// The versions of a bot, as its turns show them. It forgets at a restart: then a
/// version has its turns to show itself once more.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    tallies: BTreeMap<Digest, Tally>,
    seen: Option<(Digest, Option<Digest>)>,
}

impl Watch {
    /// Notes a turn of the bot that answers by this deployment.
    pub fn note(&mut self, deployment: &Deployment, outcome: &Outcome, took_us: u64) {
        self.follow(deployment);
        let (Outcome::Ran { version, .. } | Outcome::Failed { version, .. }) = outcome else {
            return;
        };
        if let Some(tally) = self.tallies.get_mut(version) {
            tally.note(outcome, took_us);
        }
    }

    /// Why the newest change is to be rolled back, if it is.
    pub fn verdict(&mut self, deployment: &Deployment, now: Millis) -> Option<Reason> {
        self.follow(deployment);
        let (new, old) = match (deployment.canary, deployment.previous) {
            (Some(canary), _) => (canary.version, deployment.current),
            (None, Some(before)) if now < deployment.deployed_ms.saturating_add(WATCHED_MS) => {
                (deployment.current, before)
            }
            (None, _) => return None,
        };
        let worse = worse(self.tallies.get(&new)?, self.tallies.get(&old)?)?;
        Some(Reason { version: new, before: old, worse })
    }

    /// What is known of a version that answers.
    pub fn tally(&self, version: &Digest) -> Option<&Tally> {
        self.tallies.get(version)
    }

    /// Whoever is on trial is compared from the beginning of it; whoever is deployed
    /// whole, with all that is known of the version before.
    fn follow(&mut self, deployment: &Deployment) {
        let canary = deployment.canary.map(|canary| canary.version);
        let now = Some((deployment.current, canary));
        if self.seen == now {
            return;
        }
        let answering = [Some(deployment.current), deployment.previous, canary];
        self.tallies.retain(|version, _| answering.contains(&Some(*version)));
        for version in answering.into_iter().flatten() {
            self.tallies.entry(version).or_default();
        }
        let before = self.seen.and_then(|(_, canary)| canary);
        if canary.is_some() && canary != before {
            self.tallies.values_mut().for_each(|tally| *tally = Tally::default());
        } else if self.seen.is_some_and(|(current, _)| current != deployment.current) {
            self.tallies.insert(deployment.current, Tally::default());
        }
        self.seen = now;
    }
}

/// Why a version is rolled back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The version that does worse.
    pub version: Digest,
    /// The version that it is compared with.
    pub before: Digest,
    /// In what.
    pub worse: Worse,
}

/// What a version does worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worse {
    /// It fails too often: failures and turns of the new and of the old version.
    Fails {
        /// Of the new one.
        new: (u64, u64),
        /// Of the old one.
        old: (u64, u64),
    },
    /// It is too slow: the 95th percentiles in microseconds.
    Slow {
        /// Of the new one.
        new_us: u64,
        /// Of the old one.
        old_us: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (new_one, old_one) = (self.version.short(), self.before.short());
        match self.worse {
            Worse::Fails { new: (failed, of), old: (failed_before, of_before) } => write!(
                f,
                "version {new_one} failed in {failed} of {of} turns ({:.1} %), version {old_one} \
                 in {failed_before} of {of_before} ({:.1} %): over {FAILED_TIMES} times as often \
                 and over {FAILED_POINTS} points more",
                percent(failed, of),
                percent(failed_before, of_before)
            ),
            Worse::Slow { new_us, old_us } => write!(
                f,
                "version {new_one} needs up to {:.1} ms for 95 of 100 turns, version {old_one} \
                 {:.1} ms: over {SLOW_TIMES} times as long",
                milliseconds(new_us),
                milliseconds(old_us)
            ),
        }
    }
}

/// What the new version does worse, if anything is known of it and it does.
fn worse(new: &Tally, old: &Tally) -> Option<Worse> {
    if new.turns < TURNS_MIN {
        return None;
    }
    fails(new, old).or_else(|| slow(new, old))
}

fn fails(new: &Tally, old: &Tally) -> Option<Worse> {
    let wide = u128::from;
    // Both rates over the same number; an old one without turns has failed in none.
    let (turns, turns_before) = (wide(new.turns), wide(old.turns.max(1)));
    let rate = wide(new.failures) * turns_before;
    let rate_before = wide(old.failures) * turns;
    let more = rate.saturating_sub(rate_before) * 100 > wide(FAILED_POINTS) * turns * turns_before;
    let often = rate > wide(FAILED_TIMES) * rate_before;
    let (new, old) = ((new.failures, new.turns), (old.failures, old.turns));
    (more && often).then_some(Worse::Fails { new, old })
}

fn slow(new: &Tally, old: &Tally) -> Option<Worse> {
    if old.turns < TURNS_MIN {
        return None;
    }
    let (new_us, old_us) = (new.latency.percentile_us(95)?, old.latency.percentile_us(95)?);
    (new_us > old_us.saturating_mul(SLOW_TIMES)).then_some(Worse::Slow { new_us, old_us })
}

fn percent(part: u64, of: u64) -> f64 {
    part as f64 * 100.0 / of.max(1) as f64
}

fn milliseconds(us: u64) -> f64 {
    us as f64 / 1_000.0
}

#[cfg(test)]
mod tests;
