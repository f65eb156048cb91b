//! How bots run.

use std::path::PathBuf;

use botyard_runtime::{CompileLimits, Layout, TierConfig, TierLimits};

use super::error::Wrong;
use super::section::Section;
use super::store::{self, Store};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
const MINUTE_MS: u64 = 60_000;

/// How bots run.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// How memory accesses are checked.
    pub layout: Layout,
    /// Where compiled components are kept.
    pub artefact_directory: PathBuf,
    /// What compiling a component may use.
    pub compile: CompileLimits,
    /// Threads that run bots and nothing else; 0 stands for one for each CPU.
    pub executor_threads: usize,
    /// Rust, C and Go bots.
    pub native: TierConfig,
    /// JavaScript and Python bots.
    pub interpreted: TierConfig,
}

impl Runtime {
    pub(super) fn read(mut section: Section<'_>, store: &Store) -> Result<Self, Wrong> {
        let artefacts = section.optional("artefact-directory");
        let mut runtime = Self {
            layout: section
                .required("layout")?
                .word(&[("hardened", Layout::Hardened), ("fast", Layout::Fast)])?,
            artefact_directory: match artefacts {
                Some(entry) => entry.parsed("a path", store::path)?,
                None => store.directory.join("artefacts"),
            },
            compile: compile(section.section("compile")?)?,
            executor_threads: section.required("executor-threads")?.size(0..=1024, "threads")?,
            native: tier(section.section("native")?, TierLimits::native())?,
            interpreted: tier(section.section("interpreted")?, TierLimits::interpreted())?,
        };
        let log_bytes = section.required("turn-log-bytes")?.size(KIB..=64 * KIB, "bytes")?;
        for tier in [&mut runtime.native, &mut runtime.interpreted] {
            tier.limits.log_bytes = log_bytes;
        }
        section.finish()?;
        Ok(runtime)
    }
}

fn compile(mut section: Section<'_>) -> Result<CompileLimits, Wrong> {
    let limits = CompileLimits {
        memory_bytes: section.required("memory-bytes")?.number(64 * MIB..=1024 * GIB, "bytes")?,
        cpu_seconds: section.required("cpu-seconds")?.number(1..=3_600, "seconds")?,
        wall: section.required("wall-ms")?.millis(1_000..=120 * MINUTE_MS)?,
        at_once: section.required("at-once")?.size(1..=256, "compilations")?,
        require_jail: section.required("require-jail")?.flag()?,
    };
    section.finish()?;
    Ok(limits)
}

/// Limits that are no settings stay those of the contract.
fn tier(mut section: Section<'_>, limits: TierLimits) -> Result<TierConfig, Wrong> {
    let limits = TierLimits {
        cpu: section.required("cpu-ms")?.millis(1..=MINUTE_MS)?,
        wall: section.required("wall-ms")?.millis(1..=10 * MINUTE_MS)?,
        wall_with_calls: section.required("wall-with-calls-ms")?.millis(1..=10 * MINUTE_MS)?,
        memory_bytes: section.required("memory-bytes")?.size(MIB..=4 * GIB, "bytes")?,
        table_elements: section.required("table-elements")?.size(1..=1_000_000, "elements")?,
        stack_bytes: section.required("stack-bytes")?.size(64 * KIB..=8 * MIB, "bytes")?,
        component_bytes: section.required("component-bytes")?.size(KIB..=64 * MIB, "bytes")?,
        ..limits
    };
    let slots = section.required("slots")?;
    let too_many = slots.wrong("is more than a pool can hold".to_owned());
    let tier = TierConfig {
        limits,
        slots: u32::try_from(slots.number(1..=10_000, "instances")?).map_err(|_| too_many)?,
        memory_budget_bytes: section
            .required("memory-budget-bytes")?
            .size(MIB..=1024 * GIB, "bytes")?,
    };
    section.finish()?;
    Ok(tier)
}
