//! For measurements only: parts of a turn, on the thread of the caller.
//!
//! A reused instance keeps its state from turn to turn, which the runtime never
//! does; it is here to know what a fresh one costs.

use botyard_kernel::id::Digest;
use botyard_kernel::run::{RunInput, RunOutput};
use wasmtime::Store;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::bindings::v1::{Bot, BotPre, Convert as _};
use crate::compile::{Facts, Task, compile};
use crate::config::RuntimeConfig;
use crate::engine::EngineSpec;
use crate::limits::TurnLimits;
use crate::link::TierLinker;
use crate::load_error::LoadError;
use crate::run::Rules;
use crate::services::Services;
use crate::ticker::Ticker;
use crate::tier::Tier;
use crate::turn::{Given, Turn};

/// An engine with everything that turns need, but without threads for them.
pub struct Bench {
    linker: TierLinker,
    rules: Rules,
    _ticker: Option<Ticker>,
}

/// A linked bot.
pub struct BenchBot(BotPre<Turn>);

/// A linked component without imports.
pub struct EmptyBot(InstancePre<()>);

/// A bot whose instance is kept.
pub struct ReusedBot {
    store: Store<Turn>,
    bot: Bot,
}

/// Compiles a component in this very process, with the settings of a
/// configuration. The host itself uses a child for that.
///
/// # Errors
///
/// As [`Runtime::load`](crate::Runtime::load).
pub fn compile_here(config: &RuntimeConfig, wasm: &[u8]) -> Result<(Tier, Vec<u8>), LoadError> {
    let (Facts { tier, .. }, artefact) = compile(&Task::of(config), wasm)?;
    Ok((tier, artefact))
}

impl Bench {
    /// The engine of a tier.
    ///
    /// # Errors
    ///
    /// Where the engine or its ticker cannot be made.
    pub fn new(config: &RuntimeConfig, tier: Tier) -> anyhow::Result<Self> {
        let settings = config.tier(tier);
        let engine = EngineSpec::of(config, tier).runner(
            tier,
            settings.slots,
            settings.limits.table_elements,
        )?;
        let ticker = match config.features.epochs {
            true => Some(Ticker::start(vec![engine.clone()])?),
            false => None,
        };
        let limits = TurnLimits::of(tier, settings.limits);
        let rules = Rules { limits, features: config.features };
        Ok(Self { linker: TierLinker::new(engine)?, rules, _ticker: ticker })
    }

    /// Links what [`compile_here`] compiled in this process.
    ///
    /// # Errors
    ///
    /// Where it was compiled for another configuration.
    pub fn link(&self, artefact: &[u8]) -> anyhow::Result<BenchBot> {
        // SAFETY: a measurement passes on what this very process compiled.
        #[expect(unsafe_code, reason = "machine code can be loaded in no other way")]
        let component = unsafe { Component::deserialize(&self.linker.engine, artefact) }?;
        Ok(BenchBot(self.linker.link_component(&component)?))
    }

    /// A component without imports, compiled and linked.
    ///
    /// # Errors
    ///
    /// Where it cannot be compiled or imports something.
    pub fn empty(&self, wasm: &[u8]) -> anyhow::Result<EmptyBot> {
        let component = Component::new(&self.linker.engine, wasm)?;
        let linker = Linker::new(&self.linker.engine);
        Ok(EmptyBot(linker.instantiate_pre(&component)?))
    }

    /// A whole turn in a fresh instance.
    pub async fn fresh(&self, bot: &BenchBot, input: RunInput, services: Services) -> RunOutput {
        let version = Digest::of(b"measured");
        self.rules.run(&self.linker.engine, &bot.0, version, input, services).await
    }

    /// An instance to keep.
    ///
    /// # Errors
    ///
    /// Where no instance can be made.
    pub async fn reuse(&self, bot: &BenchBot) -> anyhow::Result<ReusedBot> {
        let turn = Turn::new(Given::nothing(), Services::default(), &self.rules.limits);
        let mut store = self.rules.store(&self.linker.engine, turn);
        let bot = bot.0.instantiate_async(&mut store).await?;
        Ok(ReusedBot { store, bot })
    }

    /// An instance of a component without imports, made and dropped.
    ///
    /// # Errors
    ///
    /// Where no instance can be made.
    pub async fn make_empty(&self, empty: &EmptyBot) -> anyhow::Result<()> {
        let mut store = Store::new(&self.linker.engine, ());
        if self.rules.features.epochs {
            store.set_epoch_deadline(1_000_000);
        }
        empty.0.instantiate_async(&mut store).await?;
        Ok(())
    }
}

impl ReusedBot {
    /// Lets the kept instance handle an event; says how many actions it wants.
    ///
    /// # Errors
    ///
    /// Where the bot traps.
    pub async fn handle(&mut self, input: RunInput) -> anyhow::Result<usize> {
        let (event, session) = (input.event.convert(), input.session.convert());
        let handler = self.bot.botyard_bot_handler();
        let answer = handler.call_handle(&mut self.store, &event, &session).await?;
        Ok(answer.map_or(0, |actions| actions.len()))
    }
}
