//! Which safety features are really active, as opposed to configured.

use std::time::Duration;

use wasmtime::{Enabled, Engine, PoolingAllocationConfig, Store};

use crate::jail::Part;
use crate::runtime::Runtime;
use crate::tier::Tier;

/// How late a tick may be on a busy machine before it counts as missing.
const TICKER_PATIENCE: Duration = Duration::from_secs(2);

/// A safety feature and whether it is really active. A host that serves
/// strangers should refuse to call itself ready where one is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafetyFeature {
    /// Its name, for a report.
    pub name: &'static str,
    /// Whether it is active.
    pub active: bool,
    /// What was found, and what to do where it is not active.
    pub detail: String,
}

impl Runtime {
    /// Which safety features are really active, read from the running engines.
    pub fn safety(&self) -> Vec<SafetyFeature> {
        let mut features = vec![
            self.pooling(),
            self.pagemap_scan(),
            self.hardened_layout(),
            self.copy_on_write(),
            self.epochs(),
            self.cpu_budget(),
            self.memory_sum(),
            self.hostcall_fuel(),
            self.compile_child(),
        ];
        features.extend(self.compile_jail());
        features
    }

    fn pooling(&self) -> SafetyFeature {
        let pools = self.engines().map(Engine::pooling_allocator_metrics);
        let active = pools.iter().all(Option::is_some);
        let running: u64 = pools.iter().flatten().map(|pool| pool.component_instances()).sum();
        feature("pooling", active, format!("{running} instances at the moment"))
    }

    fn pagemap_scan(&self) -> SafetyFeature {
        let kernel = PoolingAllocationConfig::is_pagemap_scan_available();
        let detail = if kernel {
            "the kernel has it"
        } else {
            "the kernel lacks PAGEMAP_SCAN: slots are reset more slowly; use Linux 6.7 or newer"
        };
        let pools = self.engines().map(Engine::get_pooling_config);
        let scans = |pool: &PoolingAllocationConfig| pool.get_pagemap_scan() == Enabled::Yes;
        let on = pools.iter().all(|pool| pool.is_some_and(scans));
        feature("pagemap_scan", kernel && on, detail.to_owned())
    }

    fn hardened_layout(&self) -> SafetyFeature {
        let reservations = self.engines().map(|engine| engine.get_memory_reservation());
        let active = reservations.iter().all(|&bytes| bytes < 4 << 30);
        let mib = reservations.map(|bytes| (bytes >> 20).to_string()).join(" and ");
        feature("hardened_layout", active, format!("{mib} MiB are reserved for a memory"))
    }

    fn copy_on_write(&self) -> SafetyFeature {
        let active = self.engines().iter().all(|engine| engine.get_memory_init_cow());
        feature("copy_on_write", active, "memories share their component's pages".to_owned())
    }

    fn epochs(&self) -> SafetyFeature {
        let on = self.engines().iter().all(|engine| engine.get_epoch_interruption());
        let silence = self.ticker.silence();
        let ticking = silence < TICKER_PATIENCE;
        let ms = silence.as_millis();
        let detail = if ticking {
            format!("the clock of the engines ticked {ms} ms ago")
        } else {
            format!("the clock of the engines stands still for {ms} ms: restart the host")
        };
        feature("epochs", on && ticking, detail)
    }

    fn cpu_budget(&self) -> SafetyFeature {
        let budgets = Tier::ALL.map(|tier| self.tier(tier).rules.limits.tier.cpu);
        let bounded = budgets.iter().all(|budget| *budget < Duration::from_secs(10));
        let features = self.config.features;
        let ms = budgets.map(|budget| budget.as_millis().to_string()).join(" and ");
        feature("cpu_budget", features.epochs && features.cpu_budget && bounded, format!("{ms} ms"))
    }

    fn memory_sum(&self) -> SafetyFeature {
        let limits = Tier::ALL.map(|tier| self.tier(tier).rules.limits.tier.memory_bytes >> 20);
        let mib = limits.map(|limit| limit.to_string()).join(" and ");
        feature("memory_sum", self.config.features.memory_sum, format!("{mib} MiB an instance"))
    }

    /// Asks a store that is made like that of a turn.
    fn hostcall_fuel(&self) -> SafetyFeature {
        let unbounded = Store::new(&self.tier(Tier::Native).linker.engine, ()).hostcall_fuel();
        let bytes = self.tier(Tier::Native).rules.limits.tier.call_bytes;
        let active = self.config.features.hostcall_fuel && bytes < unbounded;
        feature("hostcall_fuel", active, format!("{} KiB a call", bytes >> 10))
    }

    fn compile_child(&self) -> SafetyFeature {
        let program = &self.config.compiler.program;
        let (active, detail) = match self.compiler.report().answers {
            Some(Ok(())) => (true, format!("{} answers", program.display())),
            Some(Err(why)) => (false, why),
            None if program.is_file() => {
                (true, format!("{} is there and is being asked", program.display()))
            }
            None => (false, format!("{} is not there: set the compile command", program.display())),
        };
        feature("compile_child", active, detail)
    }

    /// What the child itself could take away from itself when it last ran.
    fn compile_jail(&self) -> impl Iterator<Item = SafetyFeature> {
        let bars = self.compiler.report().jail;
        Part::ALL.into_iter().map(move |part| match bars.iter().find(|bar| bar.part == part) {
            Some(bar) => feature(part.name(), bar.active, bar.detail.clone()),
            None => feature(part.name(), false, "the compiler has not said so far".to_owned()),
        })
    }

    fn engines(&self) -> [&Engine; 2] {
        Tier::ALL.map(|tier| &self.tier(tier).linker.engine)
    }
}

fn feature(name: &'static str, active: bool, detail: String) -> SafetyFeature {
    SafetyFeature { name, active, detail }
}
