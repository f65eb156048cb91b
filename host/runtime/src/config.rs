//! What the operator can set.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::TierLimits;
use crate::tier::Tier;

/// Everything that the runtime needs to know at its start.
#[derive(Clone, Debug)]
pub struct RuntimeConfig {
    /// Where compiled components are kept: a directory of the host's own, made
    /// with mode 0700. Its contents can always be rebuilt.
    pub artefacts: PathBuf,
    /// Authenticates what lies in `artefacts`: a file there becomes machine
    /// code, so the key must be secret and must not lie beside it. With
    /// another key everything is compiled again.
    pub artefact_key: [u8; 32],
    /// The program that compiles components.
    pub compiler: CompileCommand,
    /// What one compilation may use.
    pub compile: CompileLimits,
    /// How memory accesses are checked.
    pub layout: Layout,
    /// Rust, C and Go bots.
    pub native: TierConfig,
    /// JavaScript and Python bots.
    pub interpreted: TierConfig,
    /// Bots that compute at once, each on a thread that does nothing else; by default one
    /// for each CPU. There are as many threads again for turns that take long.
    pub guest_threads: usize,
    /// Versions that stay linked in memory, the most recently used ones: about
    /// 64 KiB and 3 memory mappings each (Linux allows 65,530 in all).
    pub linked_versions: usize,
    /// What they may take together, in bytes; 512 MiB by default. One whose modules
    /// export thousands of names takes megabytes.
    pub linked_bytes: u64,
    /// Features that a measurement may switch off.
    pub features: Features,
}

impl RuntimeConfig {
    /// The default limits, for a directory, its key and a compiler.
    pub fn new(artefacts: PathBuf, artefact_key: [u8; 32], compiler: CompileCommand) -> Self {
        Self {
            artefacts,
            artefact_key,
            compiler,
            compile: CompileLimits::default(),
            layout: Layout::Hardened,
            native: TierConfig::native(),
            interpreted: TierConfig::interpreted(),
            guest_threads: std::thread::available_parallelism().map_or(2, usize::from),
            linked_versions: 4_096,
            linked_bytes: 512 << 20,
            features: Features::default(),
        }
    }

    /// The settings of a tier.
    pub fn tier(&self, tier: Tier) -> &TierConfig {
        match tier {
            Tier::Native => &self.native,
            Tier::Interpreted => &self.interpreted,
        }
    }
}

/// The program that compiles components: it must call
/// [`compile_main`](crate::compile_main) and nothing else.
#[derive(Clone, Debug)]
pub struct CompileCommand {
    /// The program; the host's own binary as a rule.
    pub program: PathBuf,
    /// Its arguments, for example `compile`.
    pub arguments: Vec<OsString>,
}

impl CompileCommand {
    /// A program with its arguments.
    pub fn new(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Self {
        Self { program: program.into(), arguments: arguments.into_iter().map(Into::into).collect() }
    }
}

/// What one compilation may use. A component that needs more is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileLimits {
    /// Address space in bytes; 3 GiB by default.
    pub memory_bytes: u64,
    /// CPU seconds; 120 by default.
    pub cpu_seconds: u64,
    /// Wall time; 180 s by default.
    pub wall: Duration,
    /// Compilations at the same time; 1 by default.
    pub at_once: usize,
    /// Nothing is compiled where a part of the compiler's jail is missing, as on
    /// kernels without Landlock; true by default.
    pub require_jail: bool,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 3 << 30,
            cpu_seconds: 120,
            wall: Duration::from_secs(180),
            at_once: 1,
            require_jail: true,
        }
    }
}

/// How memory accesses of bots are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Explicit bounds checks that also hold under speculation, and a small
    /// address space. The default, for bots of strangers.
    Hardened,
    /// Guard pages: a few percent faster, 4 GiB of address space a slot, and
    /// open to Spectre-style reads. Only for bots that the operator wrote.
    Fast,
}

/// The settings of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierConfig {
    /// What one turn may use.
    pub limits: TierLimits,
    /// Instances that the pool can hold at the same time.
    pub slots: u32,
    /// Memory that all running bots of the tier may use together, in bytes.
    pub memory_budget_bytes: usize,
}

impl TierConfig {
    /// 128 slots and 2 GiB, so 64 bots at the same time.
    pub fn native() -> Self {
        Self { limits: TierLimits::native(), slots: 128, memory_budget_bytes: 2 << 30 }
    }

    /// 16 slots and 1 GiB, so 8 bots at the same time.
    pub fn interpreted() -> Self {
        Self { limits: TierLimits::interpreted(), slots: 16, memory_budget_bytes: 1 << 30 }
    }

    /// Bots that may run at the same time: as many as slots (each has a stack)
    /// and the memory budget allow, at least 1.
    pub fn permits(&self) -> usize {
        let by_memory = self.memory_budget_bytes / self.limits.memory_bytes.max(1);
        by_memory.min(self.slots as usize).max(1)
    }
}

/// Features that a measurement may switch off, to know what each costs. A host
/// that serves strangers leaves them all on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// Instances come from a pool that was mapped at the start.
    pub pooling: bool,
    /// Used slots are reset page by page (`PAGEMAP_SCAN`, Linux 6.7 or newer).
    pub pagemap_scan: bool,
    /// Bots can be interrupted; without it a loop runs for ever.
    pub epochs: bool,
    /// Fresh memories share the pages of their component until they write.
    pub copy_on_write: bool,
    /// Data that a bot hands to the host in one call is bounded.
    pub hostcall_fuel: bool,
    /// Memory is counted over all memories of an instance.
    pub memory_sum: bool,
    /// CPU time is measured and bounded.
    pub cpu_budget: bool,
}

impl Features {
    /// Every feature off: what is left is wasm itself.
    pub const NONE: Self = Self {
        pooling: false,
        pagemap_scan: false,
        epochs: false,
        copy_on_write: false,
        hostcall_fuel: false,
        memory_sum: false,
        cpu_budget: false,
    };
}

impl Default for Features {
    fn default() -> Self {
        Self {
            pooling: true,
            pagemap_scan: true,
            epochs: true,
            copy_on_write: true,
            hostcall_fuel: true,
            memory_sum: true,
            cpu_budget: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_the_smallest_of_slots_and_memory() {
        assert_eq!(TierConfig::native().permits(), 64);
        assert_eq!(TierConfig::interpreted().permits(), 8);
        let few_slots = TierConfig { slots: 3, ..TierConfig::native() };
        assert_eq!(few_slots.permits(), 3);
        let no_memory = TierConfig { memory_budget_bytes: 0, ..TierConfig::native() };
        assert_eq!(no_memory.permits(), 1);
    }
}
