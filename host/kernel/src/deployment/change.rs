//! The changes of a deployment: each makes a new one, or says why not.

use std::collections::BTreeSet;

use super::{ANSWERED_MAX, Canary, Deployment};
use crate::id::Digest;
use crate::time::Millis;

/// Why a deployment is not changed. All of them are for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is what sessions begin with already.
    #[error("version {0} answers already: there is nothing to change")]
    AnswersAlready(Digest),
    /// Another version is on trial.
    #[error("version {0} is on trial as a canary: promote it or roll it back first")]
    CanaryRuns(Digest),
    /// No version is on trial.
    #[error("no canary is on trial: start one first")]
    NoCanary,
    /// Not a share of conversations.
    #[error("a canary takes 1 to 100 of a hundred conversations, not {0}")]
    BadPercent(u8),
    /// Nothing answered before, or it was withdrawn.
    #[error("no version is left to go back to: deploy one by its digest instead")]
    NothingBefore,
    /// It is all that can answer.
    #[error("version {0} is all that can answer: deploy another one before you withdraw it")]
    NothingElse(Digest),
    /// It was never deployed.
    #[error("version {0} has never answered: there is nothing to withdraw")]
    NeverAnswered(Digest),
    /// It was withdrawn before.
    #[error("version {0} is withdrawn already: there is nothing to change")]
    WithdrawnAlready(Digest),
}

impl Refusal {
    /// The stable name, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AnswersAlready(_) => "answers-already",
            Self::CanaryRuns(_) => "canary-runs",
            Self::NoCanary => "no-canary",
            Self::BadPercent(_) => "bad-percent",
            Self::NothingBefore => "nothing-before",
            Self::NothingElse(_) => "nothing-else",
            Self::NeverAnswered(_) => "never-answered",
            Self::WithdrawnAlready(_) => "withdrawn-already",
        }
    }
}

impl Deployment {
    /// The first deployment of a bot.
    pub fn first(version: Digest, now: Millis) -> Self {
        Self {
            current: version,
            previous: None,
            canary: None,
            withdrawn: BTreeSet::new(),
            answered: vec![version],
            deployed_ms: now,
            revision: 1,
        }
    }

    /// Sessions begin with this version from now on. Deploying the canary promotes it.
    ///
    /// # Errors
    /// It answers already, or another version is on trial.
    pub fn deploy(&self, version: Digest, now: Millis) -> Result<Self, Refusal> {
        match self.canary {
            Some(canary) if canary.version != version => {
                return Err(Refusal::CanaryRuns(canary.version));
            }
            Some(_) | None => {}
        }
        if version == self.current {
            return Err(Refusal::AnswersAlready(version));
        }
        let mut next = self.next();
        next.canary = None;
        next.previous = Some(self.current);
        next.answer(version, now);
        Ok(next)
    }

    /// So many of a hundred conversations begin with this version from now on.
    ///
    /// # Errors
    /// It answers already, another version is on trial, or the share is none.
    pub fn start_canary(&self, version: Digest, percent: u8, now: Millis) -> Result<Self, Refusal> {
        if let Some(canary) = self.canary {
            return Err(Refusal::CanaryRuns(canary.version));
        }
        if version == self.current {
            return Err(Refusal::AnswersAlready(version));
        }
        let percent = share(percent)?;
        let mut next = self.next();
        next.previous = self.previous.filter(|previous| *previous != version);
        next.canary = Some(Canary { version, percent, since_ms: now });
        next.allow(version);
        Ok(next)
    }

    /// Another share of the conversations begins with the canary.
    ///
    /// # Errors
    /// There is no canary, or the share is none.
    pub fn set_percent(&self, percent: u8) -> Result<Self, Refusal> {
        let canary = self.canary.ok_or(Refusal::NoCanary)?;
        let percent = share(percent)?;
        Ok(Self { canary: Some(Canary { percent, ..canary }), ..self.next() })
    }

    /// All sessions begin with the canary from now on.
    ///
    /// # Errors
    /// There is no canary.
    pub fn promote(&self, now: Millis) -> Result<Self, Refusal> {
        let canary = self.canary.ok_or(Refusal::NoCanary)?;
        self.deploy(canary.version, now)
    }

    /// Back to what answered before: a canary is dropped, else the version before
    /// answers again. What is rolled back counts as withdrawn, so its sessions go on
    /// with the other one at once.
    ///
    /// # Errors
    /// Nothing is left to go back to.
    pub fn roll_back(&self, now: Millis) -> Result<Self, Refusal> {
        let mut next = self.next();
        if let Some(canary) = next.canary.take() {
            next.withdrawn.insert(canary.version);
            return Ok(next);
        }
        let before = next.previous.take().ok_or(Refusal::NothingBefore)?;
        next.withdrawn.insert(self.current);
        next.answer(before, now);
        Ok(next)
    }

    /// This version runs no more. Where it answers now, the one before does again; where
    /// it is the canary, that is dropped.
    ///
    /// # Errors
    /// It is all that can answer, has never answered, or is withdrawn.
    pub fn withdraw(&self, version: Digest, now: Millis) -> Result<Self, Refusal> {
        if self.withdrawn.contains(&version) {
            return Err(Refusal::WithdrawnAlready(version));
        }
        if !self.answered.contains(&version) {
            return Err(Refusal::NeverAnswered(version));
        }
        let mut next = self.next();
        next.withdrawn.insert(version);
        next.canary = self.canary.filter(|canary| canary.version != version);
        next.previous = self.previous.filter(|previous| *previous != version);
        if version == self.current {
            let before = next.previous.take().ok_or(Refusal::NothingElse(version))?;
            next.answer(before, now);
        }
        Ok(next)
    }

    /// The same again, as the next change.
    fn next(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }

    fn answer(&mut self, version: Digest, now: Millis) {
        self.current = version;
        self.deployed_ms = now;
        self.allow(version);
    }

    /// Lets a version run. What answers besides is as new as that, so that it is never
    /// forgotten; what is forgotten does not go on and needs no mark.
    fn allow(&mut self, version: Digest) {
        self.withdrawn.remove(&version);
        for newest in [self.previous, Some(self.current), Some(version)].into_iter().flatten() {
            self.answered.retain(|known| *known != newest);
            self.answered.push(newest);
        }
        let excess = self.answered.len().saturating_sub(ANSWERED_MAX);
        for forgotten in self.answered.drain(..excess) {
            self.withdrawn.remove(&forgotten);
        }
    }
}

fn share(percent: u8) -> Result<u8, Refusal> {
    if (1..=100).contains(&percent) { Ok(percent) } else { Err(Refusal::BadPercent(percent)) }
}
