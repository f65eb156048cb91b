//! Compiling a component, in a process of its own: wasm that makes a compiler
//! eat memory or time is cheap to write, and a compiler has bugs.
//!
//! The child gets a header and the component on its standard input and writes
//! an answer and the artefact to its standard output. Each header is JSON with
//! its length before it, 4 bytes, little endian.

use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, nice, setrlimit};
use serde::{Deserialize, Serialize};

use crate::config::RuntimeConfig;
use crate::engine::EngineSpec;
use crate::inspect::{Inspection, inspect};
use crate::load_error::LoadError;
use crate::manifest::Manifest;
use crate::tier::Tier;

/// The largest header, in bytes.
pub(crate) const HEADER_BYTES: usize = 256 << 10;

/// What the child is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) native: TierTask,
    pub(crate) interpreted: TierTask,
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_seconds: u64,
}

/// What decides about a component of a tier.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct TierTask {
    pub(crate) engine: EngineSpec,
    pub(crate) component_bytes: usize,
}

/// What the child answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// The artefact follows.
    Compiled(Facts),
    /// Nothing follows.
    Refused(LoadError),
}

/// What is known of a compiled component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) tier: Tier,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) component_bytes: usize,
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
            memory_bytes: config.compile.memory_bytes,
            cpu_seconds: config.compile.cpu_seconds,
        }
    }

    fn tier(&self, tier: Tier) -> &TierTask {
        match tier {
            Tier::Native => &self.native,
            Tier::Interpreted => &self.interpreted,
        }
    }
}

/// The whole work of a compiling child: reads a component, bounds itself,
/// compiles, answers. It exits with 0 also when it refuses the component; any
/// other code means that the host called it wrongly or that it broke.
pub fn compile_main(input: impl Read, output: impl Write) -> ExitCode {
    match serve(input, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot compile: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(mut input: impl Read, mut output: impl Write) -> anyhow::Result<()> {
    let task: Task = read_header(&mut input)?;
    confine(&task)?;
    let mut component = Vec::new();
    input.read_to_end(&mut component)?;
    let (answer, artefact) = match compile(&task, &component) {
        Ok((facts, artefact)) => (Answer::Compiled(facts), artefact),
        Err(refusal) => (Answer::Refused(refusal), Vec::new()),
    };
    output.write_all(&header(&answer)?)?;
    output.write_all(&artefact)?;
    output.flush()?;
    Ok(())
}

/// Takes away what a compilation does not need. The host could not do this from
/// outside without `unsafe`, and nothing of the component was read so far.
fn confine(task: &Task) -> anyhow::Result<()> {
    let limit = |resource, value| {
        setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })
    };
    limit(Resource::As, task.memory_bytes)?;
    limit(Resource::Cpu, task.cpu_seconds)?;
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    // A nicer priority is a courtesy, not a limit.
    let _ = nice(10);
    Ok(())
}

/// Inspects and compiles a component in this very process.
pub(crate) fn compile(task: &Task, component: &[u8]) -> Result<(Facts, Vec<u8>), LoadError> {
    let Inspection { tier, manifest } = inspect(component)?;
    let TierTask { engine, component_bytes: limit } = *task.tier(tier);
    if component.len() > limit {
        return Err(LoadError::TooLarge { bytes: component.len(), limit, tier });
    }
    let engine = engine.compiler().map_err(LoadError::host)?;
    let artefact = engine
        .precompile_component(component)
        .map_err(|error| LoadError::Unsupported(format!("{error:#}")))?;
    Ok((Facts { tier, manifest, component_bytes: component.len() }, artefact))
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
