//! The runtime, and bots out of the settings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use botyard_kernel::id::{BotId, TenantId};
use botyard_runtime::{CompileCommand, Runtime, RuntimeConfig, Version};

use super::key_file::{self, Purpose};
use crate::config::{self, Config};
use crate::registry::Wishes;
use crate::tenancy::{DefinedBot, Definition};

/// The runtime, which keeps so many versions linked. Its compiler is this very program,
/// in a process of its own.
pub(super) fn runtime(
    config: &Config,
    keys: &Path,
    artefacts: PathBuf,
    linked_versions: usize,
) -> anyhow::Result<Arc<Runtime>> {
    let program = std::env::current_exe().context("cannot find the host's own program")?;
    let key = key_file::read_or_make(keys, Purpose::Artefacts)?;
    let compiler = CompileCommand::new(program, ["compile"]);
    let mut runtime = RuntimeConfig::new(artefacts, key, compiler);
    runtime.linked_versions = linked_versions;
    runtime.layout = config.runtime.layout;
    runtime.compile = config.runtime.compile;
    runtime.native = config.runtime.native;
    runtime.interpreted = config.runtime.interpreted;
    if config.runtime.executor_threads > 0 {
        runtime.guest_threads = config.runtime.executor_threads;
    }
    Runtime::new(runtime).context("cannot start the runtime")
}

/// A component that was read and loaded.
pub(super) struct Component {
    pub(super) version: Version,
    pub(super) wasm: Vec<u8>,
}

/// The components of a tenant's bots, which are compiled where that was not done before.
pub(super) async fn components(
    id: &TenantId,
    tenant: &config::Tenant,
    runtime: &Arc<Runtime>,
) -> anyhow::Result<BTreeMap<BotId, Component>> {
    let mut components = BTreeMap::new();
    for (name, bot) in &tenant.bots {
        let loaded = component((id, name), &bot.component, runtime).await;
        let loaded = loaded.with_context(|| format!("bot `{name}`"))?;
        components.insert(name.clone(), loaded);
    }
    Ok(components)
}

/// What the settings file says of a tenant.
pub(super) fn definition(
    id: &TenantId,
    tenant: &config::Tenant,
    components: &BTreeMap<BotId, Component>,
) -> Definition {
    let bot = |(name, bot): (&BotId, &config::FileBot)| {
        let manifest = components.get(name).and_then(|component| component.version.manifest());
        let defined = DefinedBot {
            settings: bot.bot.clone(),
            of: (id.clone(), name.clone()),
            wishes: Wishes {
                degrade: manifest.map(|manifest| manifest.degrade),
                choices: manifest.map(|manifest| manifest.choices),
            },
        };
        (name.clone(), defined)
    };
    Definition {
        own: tenant.own.clone(),
        bots: tenant.bots.iter().map(bot).collect(),
        relays: tenant.relays.clone(),
        channels: tenant.channels.clone(),
    }
}

async fn component(
    (tenant, name): (&TenantId, &BotId),
    path: &Path,
    runtime: &Arc<Runtime>,
) -> anyhow::Result<Component> {
    let wasm = tokio::fs::read(path)
        .await
        .with_context(|| format!("cannot read the component {}", path.display()))?;
    let started = std::time::Instant::now();
    let version = runtime.load(&wasm, tenant, &|_| {}).await;
    let version = version.with_context(|| format!("{}", path.display()))?;
    let (digest, tier, took) = (version.digest(), version.tier().name(), started.elapsed());
    tracing::info!(bot = %name, %digest, tier, ?took, "bot loaded");
    Ok(Component { version, wasm })
}
