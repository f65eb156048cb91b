//! The one place where wasmtime is configured, for the host and for the
//! compiling child alike: what one compiles the other must accept.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    Strategy, WasmBacktraceDetails, WasmFeatures,
};

use botyard_kernel::id::Digest;

use crate::config::{Features, Layout, RuntimeConfig};
use crate::tier::Tier;

/// The features of WebAssembly that are on, each by its name: what the standard
/// targets of Rust, C, Go, JavaScript and Python use. A newer wasmtime adds none.
///
/// Left out: what two machines may compute differently (relaxed SIMD, threads),
/// what needs a collector of garbage, and what nobody's toolchain asks for.
pub(crate) const WASM: WasmFeatures = WasmFeatures::MUTABLE_GLOBAL
    .union(WasmFeatures::FLOATS)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::BULK_MEMORY_OPT)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::COMPONENT_MODEL);
/// Stack that host functions may use on top of a bot's own.
const HOST_STACK_BYTES: usize = 512 << 10;
/// Memories of one component; more than one only where several core modules are linked.
const MEMORIES_A_COMPONENT: u32 = 2;
/// Core instances of one component: Python links one for each of its libraries.
const CORE_INSTANCES_A_COMPONENT: u32 = 64;
/// Tables of one component.
const TABLES_A_COMPONENT: u32 = 16;

/// What decides about the machine code of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EngineSpec {
    pub(crate) layout: Layout,
    pub(crate) features: Features,
    pub(crate) memory_bytes: usize,
    pub(crate) stack_bytes: usize,
}

impl EngineSpec {
    /// The specification of a tier.
    pub(crate) fn of(config: &RuntimeConfig, tier: Tier) -> Self {
        let limits = &config.tier(tier).limits;
        Self {
            layout: config.layout,
            features: config.features,
            memory_bytes: limits.memory_bytes,
            stack_bytes: limits.stack_bytes,
        }
    }

    /// An engine that compiles. It maps no pool, so it fits into a small address space.
    pub(crate) fn compiler(&self) -> wasmtime::Result<Engine> {
        Engine::new(&self.base())
    }

    /// An engine that runs bots, with room for `slots` of them.
    pub(crate) fn runner(
        &self,
        tier: Tier,
        slots: u32,
        table_elements: usize,
    ) -> wasmtime::Result<Engine> {
        let mut config = self.base();
        if self.features.pooling {
            let pool = self.pool(tier, slots, table_elements);
            config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        }
        Engine::new(&config)
    }

    fn base(&self) -> Config {
        let mut config = Config::new();
        config.strategy(Strategy::Cranelift);
        config.cranelift_opt_level(OptLevel::Speed);
        // A turn is one plain call; the machinery for concurrent ones costs 60 % of it.
        config.concurrency_support(false);
        config.epoch_interruption(self.features.epochs);
        config.consume_fuel(false);
        config.max_wasm_stack(self.stack_bytes);
        config.async_stack_size(self.stack_bytes + HOST_STACK_BYTES);
        config.async_stack_zeroing(true);
        config.memory_init_cow(self.features.copy_on_write);
        config.table_lazy_init(true);
        if self.layout == Layout::Hardened {
            config.memory_reservation(self.memory_bytes as u64);
            config.memory_guard_size(64 << 10);
            config.guard_before_linear_memory(true);
        }
        config.shared_memory(false);
        config.wasm_features(WasmFeatures::all(), false);
        config.wasm_features(WASM, true);
        // The same bits on every machine: NaN payloads may differ.
        config.cranelift_nan_canonicalization(true);
        // Function names are enough for blame; addresses and lines make artefacts larger.
        config.wasm_backtrace_details(WasmBacktraceDetails::Disable);
        config.generate_address_map(false);
        config
    }

    fn pool(&self, tier: Tier, slots: u32, table_elements: usize) -> PoolingAllocationConfig {
        let keep_resident = match tier {
            Tier::Native => 256 << 10,
            Tier::Interpreted => 16 << 20,
        };
        let scan =
            self.features.pagemap_scan && PoolingAllocationConfig::is_pagemap_scan_available();
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(slots)
            .total_core_instances(slots * CORE_INSTANCES_A_COMPONENT)
            .total_memories(slots * MEMORIES_A_COMPONENT)
            .total_tables(slots * TABLES_A_COMPONENT)
            .total_stacks(slots)
            .max_core_instances_per_component(CORE_INSTANCES_A_COMPONENT)
            .max_memories_per_component(MEMORIES_A_COMPONENT)
            .max_tables_per_component(TABLES_A_COMPONENT)
            .max_memory_size(self.memory_bytes)
            .table_elements(table_elements)
            .max_core_instance_size(1 << 20)
            .max_component_instance_size(1 << 20)
            // The default of 100 would give up the affinity of slots to hot bots.
            .max_unused_warm_slots(slots * MEMORIES_A_COMPONENT)
            // Without the scan, everything that is kept is written anew for every turn.
            .linear_memory_keep_resident(if scan { keep_resident } else { 0 })
            .table_keep_resident(16 << 10)
            .async_stack_keep_resident(16 << 10)
            .pagemap_scan(if scan { Enabled::Yes } else { Enabled::No })
            .decommit_batch_size(1);
        pool
    }
}

/// Which checks decide what a component is, its tier among it. Whoever changes them counts
/// on: what was compiled before is looked at again.
const CHECKS: u8 = 2;

/// Names a set of engines: artefacts of another set are not accepted.
pub(crate) fn compatibility<'a>(engines: impl IntoIterator<Item = &'a Engine>) -> Digest {
    let mut hasher = ShaHasher(Sha256::new());
    for engine in engines {
        std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
    }
    hasher.0.update([CHECKS]);
    let bytes: [u8; 32] = hasher.0.finalize().into();
    Digest::of(&bytes)
}

/// Feeds what wasmtime hashes into SHA-256, whose result may be kept on disk.
struct ShaHasher(Sha256);

impl std::hash::Hasher for ShaHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use wasmparser::Validator;

    use super::*;
    use crate::config::CompileCommand;

    /// Of each kind one that uses a feature, and whether that is on.
    const FEATURES: [(&str, bool); 12] = [
        ("(memory i64 1)", false),
        ("(memory 1) (memory 1)", false),
        ("(memory 1 1 shared)", false),
        ("(tag)", false),
        ("(type (struct (field i32)))", false),
        ("(table 1 externref)", false),
        ("(memory 1 (pagesize 1))", false),
        (
            "(func (param i64) (drop (i64.add128 (local.get 0) (local.get 0) (local.get 0)
            (local.get 0))) (drop))",
            false,
        ),
        ("(func $f (return_call $f))", true),
        ("(func (param v128) (result v128) (v128.not (local.get 0)))", true),
        ("(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))", true),
        ("(global i32 (i32.add (i32.const 1) (i32.const 2)))", true),
    ];

    #[test]
    fn what_is_checked_before_is_what_the_engines_accept() {
        let compiler = CompileCommand::new("/nowhere", std::iter::empty::<&str>());
        let config = RuntimeConfig::new(PathBuf::new(), [0; 32], compiler);
        for tier in Tier::ALL {
            let engine = EngineSpec::of(&config, tier).compiler().expect("an engine");
            for (fields, on) in FEATURES {
                let bytes = wat::parse_str(format!("(module {fields})")).expect("valid text");
                let checked = Validator::new_with_features(WASM).validate_all(&bytes).is_ok();
                let accepted = engine.precompile_module(&bytes).is_ok();
                assert_eq!((checked, accepted), (on, on), "{fields}");
            }
        }
    }
}
