//! Whether a new version does worse than the one before, so that it is rolled back
//! without anybody watching.
//!
//! A canary is compared with what answers besides it, from its beginning to its end. A
//! version that was deployed whole is compared for an hour with the one before. Both
//! need 50 turns of the new version before anything is said, and 50 of the old one
//! before times are compared. Where the old one has fewer turns, its failures are what
//! is known of it: none, if it has had no turn at all, so that more than 2 failures of
//! a hundred turns are too many.
//!
//! Turns of all tenants that run the bot count. But what one of them says to its bot, how
//! it has set it up and what it lets it use is its own, so none of them but the owner
//! decides alone: without the one that does worst, the others must see the same.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Deployment;
use super::latency::Latency;
use crate::id::{Digest, TenantId};
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
/// So many turns of the new version the others must have had, where it does worse above all
/// with one tenant.
pub const OTHERS_TURNS_MIN: u64 = 10;
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
    }

    /// Forgets half of everything.
    fn halve(&mut self) {
        self.turns /= 2;
        self.failures /= 2;
        self.latency.halve();
    }

    /// This without a part of it.
    fn without(&self, part: &Self) -> Self {
        Self {
            turns: self.turns.saturating_sub(part.turns),
            failures: self.failures.saturating_sub(part.failures),
            latency: self.latency.without(&part.latency),
        }
    }
}

/// What is known of one version: of all tenants that run it, and of each.
#[derive(Clone, Debug, Default)]
struct Shown {
    all: Tally,
    tenants: BTreeMap<TenantId, Tally>,
}

impl Shown {
    fn note(&mut self, tenant: &TenantId, outcome: &Outcome, took_us: u64) {
        self.all.note(outcome, took_us);
        self.tenants.entry(tenant.clone()).or_default().note(outcome, took_us);
        if self.all.turns >= REMEMBERED_TURNS {
            self.all.halve();
            self.tenants.values_mut().for_each(Tally::halve);
            self.tenants.retain(|_, tally| tally.turns > 0);
        }
    }

    /// What all others show.
    fn without(&self, tenant: &TenantId) -> Tally {
        self.tenants.get(tenant).map_or_else(|| self.all.clone(), |own| self.all.without(own))
    }
}

/// The versions of a bot, as its turns show them. It forgets at a restart: then a
/// version has its turns to show itself once more.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    versions: BTreeMap<Digest, Shown>,
    seen: Option<(Digest, Option<Digest>)>,
}

impl Watch {
    /// Notes a turn of the bot that answers by this deployment, with a tenant that runs it.
    pub fn note(
        &mut self,
        deployment: &Deployment,
        tenant: &TenantId,
        outcome: &Outcome,
        took_us: u64,
    ) {
        self.follow(deployment);
        let (Outcome::Ran { version, .. } | Outcome::Failed { version, .. }) = outcome else {
            return;
        };
        if let Some(shown) = self.versions.get_mut(version) {
            shown.note(tenant, outcome, took_us);
        }
    }

    /// Why the newest change of a bot of this owner's is to be rolled back, if it is.
    /// `others_run_it` says whether tenants besides this one run the bot, of which nothing
    /// may have been seen yet.
    pub fn verdict(
        &mut self,
        deployment: &Deployment,
        owner: &TenantId,
        others_run_it: impl Fn(&TenantId) -> bool,
        now: Millis,
    ) -> Option<Reason> {
        self.follow(deployment);
        let (new, old) = match (deployment.canary, deployment.previous) {
            (Some(canary), _) => (canary.version, deployment.current),
            (None, Some(before)) if now < deployment.deployed_ms.saturating_add(WATCHED_MS) => {
                (deployment.current, before)
            }
            (None, _) => return None,
        };
        let (shown, before) = (self.versions.get(&new)?, self.versions.get(&old)?);
        let nothing = Tally::default();
        let own = shown.tenants.get(owner).unwrap_or(&nothing);
        let own_before = before.tenants.get(owner).unwrap_or(&nothing);
        let worse = worse(own, own_before).or_else(|| all(shown, before, others_run_it))?;
        Some(Reason { version: new, before: old, worse })
    }

    /// What is known of a version that answers.
    pub fn tally(&self, version: &Digest) -> Option<&Tally> {
        self.versions.get(version).map(|shown| &shown.all)
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
        self.versions.retain(|version, _| answering.contains(&Some(*version)));
        for version in answering.into_iter().flatten() {
            self.versions.entry(version).or_default();
        }
        let before = self.seen.and_then(|(_, canary)| canary);
        if canary.is_some() && canary != before {
            self.versions.values_mut().for_each(|shown| *shown = Shown::default());
        } else if self.seen.is_some_and(|(current, _)| current != deployment.current) {
            self.versions.insert(deployment.current, Shown::default());
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

/// What the new version does worse with all tenants together, if it does so without the one
/// with which it does worst. A tenant with which everything fails hides no slowness of others.
fn all(new: &Shown, old: &Shown, others_run_it: impl Fn(&TenantId) -> bool) -> Option<Worse> {
    if new.all.turns < TURNS_MIN {
        return None;
    }
    let mut seen = new.tenants.keys().chain(old.tenants.keys());
    let first = seen.next()?;
    if seen.all(|tenant| tenant == first) && !others_run_it(first) {
        return worse(&new.all, &old.all);
    }
    let kinds = [fails(&new.all, &old.all), slow(&new.all, &old.all)];
    kinds.into_iter().flatten().find(|worse| is_so_for_others(worse, new, old))
}

fn is_so_for_others(worse: &Worse, new: &Shown, old: &Shown) -> bool {
    let bad = |tally: &Tally| match worse {
        Worse::Fails { .. } => tally.failures,
        Worse::Slow { old_us, .. } => tally.latency.over(old_us.saturating_mul(SLOW_TIMES)),
    };
    let worst = new.tenants.iter().max_by_key(|(_, tally)| bad(tally));
    let Some((worst, _)) = worst else { return false };
    let (new, old) = (new.without(worst), old.without(worst));
    let same = match worse {
        Worse::Fails { .. } => fails(&new, &old),
        Worse::Slow { .. } => slower(&new, &old),
    };
    new.turns >= OTHERS_TURNS_MIN && same.is_some()
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
    if old.turns < TURNS_MIN { None } else { slower(new, old) }
}

fn slower(new: &Tally, old: &Tally) -> Option<Worse> {
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
