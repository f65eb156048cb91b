//! The runtime: loads components, hands out permits, runs turns.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use botyard_kernel::id::TenantId;
use botyard_kernel::limits::TurnBounds;
use botyard_kernel::run::{RunInput, RunOutput};
use botyard_kernel::share::TenantRate;
use tokio::sync::Semaphore;

use crate::artefact::Artefacts;
use crate::blame;
use crate::compile::Task;
use crate::config::RuntimeConfig;
use crate::engine::{EngineSpec, compatibility};
use crate::executor::Executor;
use crate::limits::TurnLimits;
use crate::link::{Linked, TierLinker};
use crate::load::CompilerState;
use crate::permit::{Gate, Occupancy, Permit};
use crate::queue::Queue;
use crate::run::Rules;
use crate::services::Services;
use crate::slice::Processors;
use crate::ticker::Ticker;
use crate::tier::Tier;
use crate::version::Version;

/// Loads components, hands out permits, runs turns. One for a process.
pub struct Runtime {
    pub(crate) config: RuntimeConfig,
    native: TierRuntime,
    interpreted: TierRuntime,
    pub(crate) artefacts: Artefacts,
    pub(crate) task: Task,
    pub(crate) compiling: Queue,
    pub(crate) compiler: CompilerState,
    pub(crate) linked: Linked,
    /// Whoever reads a compiled component.
    pub(crate) reading: Semaphore,
    pub(crate) ticker: Ticker,
    pub(crate) executor: Executor,
    processors: Processors,
    /// What the turns of tenants are held to that may use less than others.
    turns: RwLock<HashMap<TenantId, TurnBounds>>,
}

/// What a tier has of its own.
pub(crate) struct TierRuntime {
    pub(crate) linker: TierLinker,
    pub(crate) rules: Rules,
    pub(crate) gate: Gate,
}

impl Runtime {
    /// Makes the engines and their pools and starts the threads.
    ///
    /// # Errors
    ///
    /// Where the directory of artefacts cannot be used, or the address space is
    /// too small for the pools: lower the slots, or take the hardened layout.
    pub fn new(config: RuntimeConfig) -> anyhow::Result<Arc<Self>> {
        let native = TierRuntime::new(&config, Tier::Native)?;
        let interpreted = TierRuntime::new(&config, Tier::Interpreted)?;
        let engines = [&native.linker.engine, &interpreted.linker.engine];
        let artefacts =
            Artefacts::open(&config.artefacts, config.artefact_key, compatibility(engines))?;
        let ticker = Ticker::start(engines.into_iter().cloned().collect())
            .context("cannot start the thread that interrupts bots")?;
        let executor =
            Executor::start(config.guest_threads).context("cannot start the threads of bots")?;
        let runtime = Arc::new(Self {
            task: Task::of(&config),
            compiling: Queue::new(config.compile.at_once),
            linked: Linked::new(config.linked_versions, config.linked_bytes),
            reading: Semaphore::new(config.guest_threads.max(2)),
            compiler: CompilerState::default(),
            native,
            interpreted,
            artefacts,
            ticker,
            processors: Processors::new(config.guest_threads),
            turns: RwLock::default(),
            executor,
            config,
        });
        let asked = runtime.clone();
        runtime.executor.spawn(async move { asked.ask_compiler().await });
        Ok(runtime)
    }

    /// Changes what a tenant may use in a second, from now on; with the default rate
    /// it may use all that it can get. Turns that run are not touched.
    pub fn set_rate(&self, tenant: &TenantId, rate: TenantRate) {
        for tier in Tier::ALL {
            self.tier(tier).gate.set_rate(tenant, rate);
        }
    }

    /// Changes how many turns of a tenant run at once, of each tier, and what each of its later
    /// turns may use where that is less than others may.
    pub fn set_turns(&self, tenant: &TenantId, at_once: Option<usize>, bounds: TurnBounds) {
        for tier in Tier::ALL {
            self.tier(tier).gate.set_at_once(tenant, at_once);
        }
        let mut turns = self.turns.write().unwrap_or_else(PoisonError::into_inner);
        match bounds == TurnBounds::default() {
            true => drop(turns.remove(tenant)),
            false => drop(turns.insert(tenant.clone(), bounds)),
        }
    }

    /// What a turn of a tenant is held to.
    fn rules(&self, tier: &TierRuntime, tenant: &TenantId) -> Rules {
        let turns = self.turns.read().unwrap_or_else(PoisonError::into_inner);
        turns.get(tenant).map_or(tier.rules, |bounds| tier.rules.lowered(bounds))
    }

    /// A permit to run a version, if the tenant may have one now.
    pub fn try_permit(&self, version: &Version, tenant: &TenantId) -> Option<Permit> {
        self.tier(version.tier).gate.try_permit(tenant)
    }

    /// A permit to run a version, as soon as the tenant may have one: while others
    /// wait it gets at most a quarter of all, and over its rate it waits.
    pub async fn permit(&self, version: &Version, tenant: &TenantId) -> Permit {
        self.tier(version.tier).gate.permit(tenant).await
    }

    /// How many turns of each tier may run at the same time, and do.
    pub fn occupancy(&self) -> [(Tier, Occupancy); 2] {
        Tier::ALL.map(|tier| (tier, self.tier(tier).gate.occupancy()))
    }

    /// Runs a turn in a fresh instance. Every failure is a value with its blame.
    ///
    /// A turn that was begun runs to its end, also where this future is dropped.
    pub async fn run(
        self: &Arc<Self>,
        version: &Version,
        permit: Permit,
        input: RunInput,
        services: Services,
    ) -> RunOutput {
        let (this, tenant, paces) = (self.clone(), permit.tenant().clone(), version.paces.clone());
        let (version, mut permit) = (version.clone(), permit);
        let turn = async move {
            let tier = this.tier(version.tier);
            let rules = this.rules(tier, permit.tenant());
            let output = match this.linked(&version).await {
                Ok(pre) => {
                    let (engine, digest) = (&tier.linker.engine, version.digest);
                    rules.run(engine, &pre, digest, input, services).await
                }
                Err(error) => {
                    RunOutput::failed(blame::host(format!("the version cannot be linked: {error}")))
                }
            };
            permit.used(output.cost.cpu_us);
            output
        };
        match self.executor.run(self.processors.share(tenant, &paces, turn)).await {
            Ok(output) => output,
            // What the panic says is in the log of the process, with its place.
            Err(_) => {
                RunOutput::failed(blame::host("the host panicked while it ran the turn".to_owned()))
            }
        }
    }

    pub(crate) fn tier(&self, tier: Tier) -> &TierRuntime {
        match tier {
            Tier::Native => &self.native,
            Tier::Interpreted => &self.interpreted,
        }
    }
}

impl TierRuntime {
    fn new(config: &RuntimeConfig, tier: Tier) -> anyhow::Result<Self> {
        let settings = config.tier(tier);
        let engine = EngineSpec::of(config, tier)
            .runner(tier, settings.slots, settings.limits.table_elements)
            .map_err(anyhow::Error::from)
            .with_context(|| format!("cannot make the engine for {tier} bots: lower its slots"))?;
        let linker = TierLinker::new(engine)?;
        let limits = TurnLimits::of(tier, settings.limits);
        let rules = Rules { limits, features: config.features };
        let gate = Gate::new(settings.permits());
        Ok(Self { linker, rules, gate })
    }
}
