//! Compiling a component, in a process of its own: wasm that makes a compiler
//! eat memory or time is cheap to write, and a compiler has bugs.
//!
//! The child gets its task on its standard input. On its standard output it says
//! what it could take away from itself, and only then gets the component. It says
//! that the component passed the checks, then what came of it, and the artefact
//! follows.
//! Each of these is JSON with its length before it, 4 bytes, little endian.

use std::borrow::Cow;
use std::io::{Read, Write};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::config::RuntimeConfig;
use crate::engine::EngineSpec;
use crate::inspect::{Inspection, inspect};
use crate::jail::{Bar, Jail, JailLimits, gaps};
use crate::load_error::{LoadError, WORDS_BYTES, short};
use crate::manifest::Manifest;
use crate::tier::Tier;

/// The largest header, in bytes.
pub(crate) const HEADER_BYTES: usize = 256 << 10;

/// What the child is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) native: TierTask,
    pub(crate) interpreted: TierTask,
    pub(crate) jail: JailLimits,
    /// Nothing is compiled where a part of the jail is missing.
    pub(crate) require_jail: bool,
}

/// What decides about a component of a tier.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct TierTask {
    pub(crate) engine: EngineSpec,
    pub(crate) component_bytes: usize,
}

/// What the child says, in this order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// Before it reads the component: what its jail consists of.
    Jailed(Vec<Bar>),
    /// The component may be compiled.
    Checked,
    /// The artefact follows, and nothing behind it.
    Compiled {
        /// What is known of the component.
        facts: Box<Facts>,
        /// How many bytes the artefact has.
        artefact_bytes: u64,
    },
    /// Nothing follows.
    Refused(LoadError),
}

/// What is known of a compiled component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) tier: Tier,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) component_bytes: usize,
    /// What it asks of the host, as [`Version::imports`](crate::Version::imports).
    pub(crate) imports: Vec<String>,
    /// What it takes in memory while it is linked, about, in bytes.
    pub(crate) linked_bytes: u64,
}

impl Task {
    /// The task of a configuration.
    pub(crate) fn of(config: &RuntimeConfig) -> Self {
        let tier = |tier| TierTask {
            engine: EngineSpec::of(config, tier),
            component_bytes: config.tier(tier).limits.component_bytes,
        };
        Self {
            native: tier(Tier::Native),
            interpreted: tier(Tier::Interpreted),
            jail: JailLimits::of(&config.compile),
            require_jail: config.compile.require_jail,
        }
    }

    /// Why nothing may be compiled in this jail, if so.
    pub(crate) fn open_jail(&self, bars: &[Bar]) -> Option<LoadError> {
        let gaps = gaps(bars).filter(|_| self.require_jail)?;
        Some(LoadError::Host(format!(
            "the jail of the compiler lacks {gaps}; mend that, or set \
             `runtime.compile.require-jail` to false, and whoever uploads a component that \
             takes over the compiler can do what it does not hold up"
        )))
    }

    fn tier(&self, tier: Tier) -> &TierTask {
        match tier {
            Tier::Native => &self.native,
            Tier::Interpreted => &self.interpreted,
        }
    }
}

/// The whole work of a compiling child: jails itself, reads a component,
/// compiles it and answers. It exits with 0 also when it refuses the component;
/// any other code means that the host called it wrongly or that it broke.
///
/// Call it before this process starts a thread: the jail is for all of it.
pub fn compile_main(input: impl Read, output: impl Write) -> ExitCode {
    let jail = Jail::enter();
    match serve(jail, input, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot compile: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(jail: Jail, mut input: impl Read, mut output: impl Write) -> anyhow::Result<()> {
    // Written by the host; what a stranger wrote comes behind it.
    let task: Task = read_header(&mut input)?;
    let bars = jail.close(&task.jail);
    say(&mut output, &Said::Jailed(bars.clone()))?;
    if let Some(refusal) = task.open_jail(&bars) {
        return say(&mut output, &Said::Refused(refusal));
    }
    let mut component = Vec::new();
    input.read_to_end(&mut component)?;
    let compiled = check(&task, &component).and_then(|checked| {
        say(&mut output, &Said::Checked).map_err(LoadError::host)?;
        checked.compile()
    });
    match compiled {
        Ok((facts, artefact)) => {
            let artefact_bytes = artefact.len() as u64;
            say(&mut output, &Said::Compiled { facts: Box::new(facts), artefact_bytes })?;
            output.write_all(&artefact)?;
        }
        Err(refusal) => say(&mut output, &Said::Refused(refusal))?,
    }
    output.flush()?;
    Ok(())
}

/// At once: whoever waits wants to know how far this is.
fn say(output: &mut impl Write, said: &Said) -> anyhow::Result<()> {
    output.write_all(&header(said)?)?;
    output.flush()?;
    Ok(())
}

/// A component that may be compiled.
struct Checked<'a> {
    engine: EngineSpec,
    component: Cow<'a, [u8]>,
    facts: Facts,
}

/// Inspects and compiles a component in this very process.
pub(crate) fn compile(task: &Task, component: &[u8]) -> Result<(Facts, Vec<u8>), LoadError> {
    check(task, component)?.compile()
}

fn check<'a>(task: &Task, uploaded: &'a [u8]) -> Result<Checked<'a>, LoadError> {
    let Inspection { component, tier, manifest, imports, linked_bytes } = inspect(uploaded)?;
    let TierTask { engine, component_bytes: limit } = *task.tier(tier);
    let bytes = component.len().max(uploaded.len());
    if bytes > limit {
        return Err(LoadError::TooLarge { bytes, limit, tier });
    }
    let component_bytes = uploaded.len();
    let facts = Facts { tier, manifest, component_bytes, imports, linked_bytes };
    Ok(Checked { engine, component, facts })
}

impl Checked<'_> {
    fn compile(self) -> Result<(Facts, Vec<u8>), LoadError> {
        let engine = self.engine.compiler().map_err(LoadError::host)?;
        let artefact = engine
            .precompile_component(&self.component)
            .map_err(|error| LoadError::Unsupported(short(&format!("{error:#}"), WORDS_BYTES)))?;
        Ok((self.facts, artefact))
    }
}

/// A header with its length before it.
pub(crate) fn header(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let json = serde_json::to_vec(value)?;
    let length = u32::try_from(json.len())?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(&json);
    Ok(bytes)
}

fn read_header<T: for<'de> Deserialize<'de>>(input: &mut impl Read) -> anyhow::Result<T> {
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length) as usize;
    anyhow::ensure!(length <= HEADER_BYTES, "the header claims {length} bytes");
    let mut json = vec![0; length];
    input.read_exact(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}
