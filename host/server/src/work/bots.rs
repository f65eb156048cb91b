//! Bots that keep failing, over all their conversations: a version that fails on
//! most of what it is given is left alone, but for probes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use botyard_kernel::breaker::{self, Admission, Breaker, Change};
use botyard_kernel::deployment::canary::Reason;
use botyard_kernel::id::{BotId, Digest, TenantId};
use botyard_kernel::log::{Outcome, Turn};
use botyard_kernel::run::{Blame, Cost, FailureKind, RunFailure, RunOutput};
use botyard_kernel::time::Millis;
use metrics::counter;
use tokio::time::Instant;

use super::Work;
use crate::alerts::{Alert, AlertKind};
use crate::clock;
use crate::registry::{Channel, Deployed};

/// What is counted together. Another version begins anew.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct BotVersion {
    tenant: TenantId,
    bot: BotId,
    version: Digest,
}

/// The breakers of the bots that ran since the start.
#[derive(Debug, Default)]
pub(super) struct Bots(Mutex<HashMap<BotVersion, Breaker>>);

impl Bots {
    fn with<T>(&self, bot: BotVersion, act: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(known.entry(bot).or_insert_with(|| Breaker::new(breaker::BOT)))
    }

    /// Bots that are left alone, as `tenant/bot`, with the time since when.
    pub(super) fn open(&self) -> Vec<(String, Millis)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = known.iter().filter_map(|(bot, breaker)| {
            Some((format!("{}/{}", bot.tenant, bot.bot), breaker.open_since()?))
        });
        open.collect()
    }
}

impl Work {
    /// What a run comes to that is not made, because the bot has failed too often.
    /// Nothing where it may run.
    pub(super) fn suspended(&self, channel: &Channel, version: Digest) -> Option<RunOutput> {
        let bot = counted(channel, version);
        match self.bots.with(bot, |breaker| breaker.admit(clock::now())) {
            Admission::Go | Admission::Probe => None,
            Admission::Wait(_) => {
                let message = "the bot keeps failing: it is not run for a while".to_owned();
                let kind = FailureKind::Suspended;
                Some(RunOutput::failed(RunFailure { blame: Blame::Bot, kind, message }))
            }
        }
    }

    /// Counts how a run ended. Failures that are not the bot's say nothing of it.
    pub(super) fn count_run(&self, channel: &Channel, turn: &Turn) {
        let (good, version) = match &turn.outcome {
            Outcome::Ran { version, .. } => (true, *version),
            Outcome::Failed { failure, version } => {
                if failure.blame != Blame::Bot || failure.kind == FailureKind::Suspended {
                    return;
                }
                (false, *version)
            }
            Outcome::Skipped(_) => return,
        };
        let now = clock::now();
        let change = self.bots.with(counted(channel, version), |bot| bot.ended(good, now));
        let answers = channel.bot();
        let (tenant, bot) = (&channel.tenant, &answers.id);
        let alert = Alert {
            tenant: Some(tenant.clone()),
            bot: Some(bot.clone()),
            version: Some(version.to_string()),
            ..Alert::new(AlertKind::BotRuns, Blame::Bot, now, "nothing: the bot runs again")
        };
        match change {
            Some(Change::Tripped { failures }) => {
                counter!("botyard_breaker_trips_total", "what" => "bot").increment(1);
                tracing::error!(
                    %tenant, %bot, %version, failures,
                    "bot {bot} keeps failing: its events end in the failure outcome without a \
                     run, but for probes; its author must act"
                );
                let what_to_do = "look into the bot's log and deploy a version that works, or \
                                  pause it: `botyard pause bot`";
                let kind = AlertKind::BotSuspended;
                self.alerts.raise(&Alert { kind, failures: Some(failures), what_to_do, ..alert });
            }
            Some(Change::Closed { after_ms }) => {
                tracing::info!(%tenant, %bot, %version, after_ms, "bot {bot} runs again");
                self.alerts.raise(&alert);
            }
            None => {}
        }
    }
}

/// What a run has cost. How long it waited for its turn, or for the processor, is not in
/// it: that is the host's and would make a version look slow because others were at work.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// Of the processor and of memory.
    pub(super) cost: Cost,
    /// Until the calls that it made were answered (microseconds).
    called_us: u64,
    /// A call is under way since then.
    since: Option<Instant>,
}

impl Spent {
    /// A run begins anew: whatever was called before is not its own.
    pub(super) fn begins(&mut self) {
        (self.called_us, self.since) = (0, None);
    }

    /// A call begins.
    pub(super) fn calls(&mut self) {
        self.since = Some(Instant::now());
    }

    /// It has ended.
    pub(super) fn called(&mut self) {
        let took = self.since.take().map_or(0, |since| since.elapsed().as_micros());
        self.called_us += u64::try_from(took).unwrap_or_default();
    }

    /// What whoever waited for the run waited because of the bot (microseconds).
    pub(super) fn took_us(&self) -> u64 {
        self.cost.cpu_us.saturating_add(self.called_us)
    }
}

impl Work {
    /// Compares versions by how their runs end, and by what these took. One that does worse
    /// is rolled back.
    pub(super) fn watch_run(&self, channel: &Channel, turn: &Turn, took_us: u64) {
        let deployed = Arc::clone(&channel.bot().deployed);
        let (ended, now) = ((&turn.outcome, took_us), clock::now());
        let others_run_it = |tenant: &TenantId| {
            let runs_it = |it: &Channel| Arc::ptr_eq(&it.bot().deployed, &deployed);
            self.registry.has_channel(|it| it.tenant != *tenant && runs_it(it))
        };
        let noted = deployed.note(&channel.tenant, ended, others_run_it, now);
        if let Some((reason, revision)) = noted {
            // Nobody listens where the host is not yet, or no longer, serving.
            let _ = self.worse.send(Worse { deployed, reason, revision });
        }
    }
}

/// A version that does worse than the one before.
#[derive(Clone, Debug)]
pub struct Worse {
    /// Of which bot.
    pub deployed: Arc<Deployed>,
    /// In what.
    pub reason: Reason,
    /// Of which deployment that is said.
    pub revision: u64,
}

fn counted(channel: &Channel, version: Digest) -> BotVersion {
    BotVersion { tenant: channel.tenant.clone(), bot: channel.bot().id.clone(), version }
}
