//! The runtime: loads components, hands out permits, runs turns.

use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use botyard_kernel::id::{Digest, TenantId};
use botyard_kernel::run::{RunInput, RunOutput};
use tokio::sync::Semaphore;

use crate::artefact::Artefacts;
use crate::blame;
use crate::child::compile_in_child;
use crate::compile::{Facts, Task};
use crate::config::RuntimeConfig;
use crate::engine::{EngineSpec, compatibility};
use crate::executor::Executor;
use crate::link::{Linked, TierLinker};
use crate::load_error::LoadError;
use crate::permit::{Gate, Permit};
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
    artefacts: Artefacts,
    task: Task,
    compiling: Semaphore,
    linked: Linked,
    pub(crate) ticker: Ticker,
    executor: Executor,
    processors: Processors,
    pub(crate) compiler: Mutex<CompilerState>,
}

/// What a tier has of its own.
pub(crate) struct TierRuntime {
    pub(crate) linker: TierLinker,
    pub(crate) rules: Rules,
    gate: Gate,
}

/// What is known of the compiling child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CompilerState {
    /// Nothing was compiled so far.
    Unknown,
    /// The last compilation got an answer.
    Answers,
    /// The last compilation failed by the host's fault.
    Fails(String),
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
        Ok(Arc::new(Self {
            task: Task::of(&config),
            compiling: Semaphore::new(config.compile.at_once.max(1)),
            linked: Linked::new(config.linked_versions),
            compiler: Mutex::new(CompilerState::Unknown),
            native,
            interpreted,
            artefacts,
            ticker,
            processors: Processors::new(config.guest_threads),
            executor,
            config,
        }))
    }

    /// Checks a component, compiles it where that was not done before, links it
    /// and makes one instance, so that its first turn is as quick and as sure
    /// as the others.
    ///
    /// The tier is decided by what the component is: interpreted where a tool
    /// that embeds an interpreter signed it (its `producers` sections) or where
    /// it has more than 8 MiB, native otherwise.
    ///
    /// # Errors
    ///
    /// A sentence for who uploaded it; [`LoadError::blame`] says who must act.
    pub async fn load(self: &Arc<Self>, wasm: &[u8]) -> Result<Version, LoadError> {
        let most = self.config.native.limits.component_bytes;
        let limit = self.config.interpreted.limits.component_bytes.max(most);
        if wasm.len() > limit {
            let tier = Tier::Interpreted;
            return Err(LoadError::TooLarge { bytes: wasm.len(), limit, tier });
        }
        let (this, wasm) = (self.clone(), wasm.to_vec());
        let loading = self.executor.spawn(async move { this.load_here(wasm).await });
        loading.await.map_err(LoadError::host)?
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
        let (this, version, tenant) = (self.clone(), version.clone(), permit.tenant().clone());
        let turn = async move {
            let tier = this.tier(version.tier);
            match this.linked.get(&version, &tier.linker) {
                Ok(pre) => {
                    let (engine, digest) = (&tier.linker.engine, version.digest);
                    tier.rules.run(engine, &pre, digest, input, services).await
                }
                Err(error) => RunOutput::failed(blame::host(format!(
                    "the version cannot be linked: {error:#}"
                ))),
            }
        };
        let mut permit = permit;
        let turn = self.processors.share(tenant, turn);
        let turn = async move {
            let output = turn.await;
            permit.used(output.cpu_us);
            output
        };
        match self.executor.spawn(turn).await {
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

    /// Loads on the runtime's own threads, so that any caller may wait for it.
    async fn load_here(self: Arc<Self>, wasm: Vec<u8>) -> Result<Version, LoadError> {
        let digest = Digest::of(&wasm);
        let version = match self.find(digest).await? {
            Some(version) => version,
            None => self.compile(digest, wasm).await?,
        };
        let tier = self.tier(version.tier);
        let pre = self.linked.get(&version, &tier.linker).map_err(wrong_type)?;
        // An instance takes a slot, and slots belong to who has a permit.
        let _permit = tier.gate.permit(&TenantId::from("the host itself")).await;
        tier.rules.rehearse(&tier.linker.engine, &pre).await?;
        Ok(version)
    }

    /// A version that was compiled before.
    async fn find(self: &Arc<Self>, digest: Digest) -> Result<Option<Version>, LoadError> {
        let this = self.clone();
        let find = move || this.artefacts.get(&digest);
        let found = self.executor.spawn_blocking(find).await.map_err(LoadError::host)?;
        Ok(found.map(|(facts, code)| version_of(digest, facts, code)))
    }

    async fn compile(
        self: &Arc<Self>,
        digest: Digest,
        wasm: Vec<u8>,
    ) -> Result<Version, LoadError> {
        let _turn = self.compiling.acquire().await.map_err(LoadError::host)?;
        // Somebody else may have uploaded the same bytes meanwhile.
        if let Some(version) = self.find(digest).await? {
            return Ok(version);
        }
        let (command, limits) = (&self.config.compiler, &self.config.compile);
        let compiled = compile_in_child(command, limits, &self.task, &wasm).await;
        self.remember(&compiled);
        let (facts, artefact) = compiled?;
        let this = self.clone();
        let keep = move || {
            let code = this.artefacts.put(&digest, &facts, &artefact).map_err(LoadError::host)?;
            Ok(version_of(digest, facts, code))
        };
        self.executor.spawn_blocking(keep).await.map_err(LoadError::host)?
    }

    fn remember(&self, compiled: &Result<(Facts, Vec<u8>), LoadError>) {
        let state = match compiled {
            Err(LoadError::Host(why)) => CompilerState::Fails(why.clone()),
            Ok(_) | Err(_) => CompilerState::Answers,
        };
        *self.compiler.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = state;
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
        let rules = Rules { limits: settings.limits, features: config.features };
        let gate = Gate::new(settings.permits(), config.rates.clone());
        Ok(Self { linker, rules, gate })
    }
}

fn version_of(digest: Digest, facts: Facts, code: std::fs::File) -> Version {
    Version {
        digest,
        tier: facts.tier,
        manifest: facts.manifest.map(Arc::new),
        component_bytes: facts.component_bytes,
        code: Arc::new(code),
    }
}

/// A type that does not fit shows only when it meets the host's own.
fn wrong_type(error: wasmtime::Error) -> LoadError {
    LoadError::WrongType(format!("{error:#}"))
}
