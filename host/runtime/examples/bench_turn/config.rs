//! The settings that are compared.

use std::path::PathBuf;
use std::time::Duration;

use botyard_runtime::{CompileCommand, Features, Layout, RuntimeConfig};

/// What differs between two subjects.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    features: Features,
    layout: Layout,
}

impl Default for Setting {
    fn default() -> Self {
        Self { features: Features::default(), layout: Layout::Hardened }
    }
}

impl Setting {
    /// A configuration for measurements: nothing is written or started by it.
    pub(crate) fn config(&self) -> RuntimeConfig {
        let compiler = CompileCommand::new("unused", std::iter::empty::<&str>());
        let mut config = RuntimeConfig::new(PathBuf::from("unused"), [0; 32], compiler);
        config.features = self.features;
        config.layout = self.layout;
        config.native.slots = 64;
        config.interpreted.slots = 4;
        // A reused instance sums its CPU time over all turns.
        config.native.limits.cpu = Duration::from_secs(3_600);
        config.interpreted.limits.cpu = Duration::from_secs(3_600);
        config
    }
}

/// Everything on, each feature off in turn, everything off.
pub(crate) fn variants() -> Vec<(&'static str, Setting)> {
    let on = Features::default();
    let off = |features| Setting { features, layout: Layout::Hardened };
    vec![
        ("everything on", Setting::default()),
        ("no hardened layout", Setting { features: on, layout: Layout::Fast }),
        ("no epochs, no CPU budget", off(Features { epochs: false, cpu_budget: false, ..on })),
        ("no CPU budget", off(Features { cpu_budget: false, ..on })),
        ("no memory sum", off(Features { memory_sum: false, ..on })),
        ("no hostcall fuel", off(Features { hostcall_fuel: false, ..on })),
        ("no pagemap scan", off(Features { pagemap_scan: false, ..on })),
        ("no copy on write", off(Features { copy_on_write: false, ..on })),
        ("no pooling", off(Features { pooling: false, ..on })),
        ("all checks off", Setting { features: unchecked(on), layout: Layout::Fast }),
    ]
}

/// Without what protects; what only makes things fast stays.
fn unchecked(on: Features) -> Features {
    Features { epochs: false, cpu_budget: false, memory_sum: false, hostcall_fuel: false, ..on }
}
