//! Bots and channels out of the settings.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use botyard_kernel::id::{BotId, ChannelId, Digest};
use botyard_kernel::share::TenantRate;
use botyard_runtime::{CompileCommand, Runtime, RuntimeConfig, Version};

use super::key_file::{self, Purpose};
use crate::config::{self, Config};
use crate::registry::{Bot, Channel, connect, relays};

/// The runtime. Its compiler is this very program, in a process of its own.
pub(super) fn runtime(
    config: &Config,
    keys: &Path,
    artefacts: PathBuf,
) -> anyhow::Result<Arc<Runtime>> {
    let program = std::env::current_exe().context("cannot find the host's own program")?;
    let key = key_file::read_or_make(keys, Purpose::Artefacts)?;
    let compiler = CompileCommand::new(program, ["compile"]);
    let mut runtime = RuntimeConfig::new(artefacts, key, compiler);
    runtime.layout = config.runtime.layout;
    runtime.native = config.runtime.native;
    runtime.interpreted = config.runtime.interpreted;
    let rates = config.tenants.iter().map(|(name, tenant)| (name.clone(), tenant.rate));
    runtime.rates = rates.filter(|(_, rate)| *rate != TenantRate::default()).collect();
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

/// Every channel with its bot, which is compiled where that was not done before.
pub(super) async fn channels(
    config: &Config,
    runtime: &Arc<Runtime>,
) -> anyhow::Result<(Vec<Arc<Channel>>, Vec<Component>)> {
    let (mut channels, mut components) = (Vec::new(), Vec::new());
    for (tenant_name, tenant) in &config.tenants {
        let mut bots = HashMap::new();
        for (name, settings) in &tenant.bots {
            let loaded = bot(name, settings, runtime).await;
            let (bot, component) =
                loaded.with_context(|| format!("bot `{name}` of tenant `{tenant_name}`"))?;
            bots.insert(name, Arc::new(bot));
            components.push(component);
        }
        let relays =
            relays(tenant).with_context(|| format!("an external bot of tenant `{tenant_name}`"))?;
        let mut accounts: HashMap<Digest, ChannelId> = HashMap::new();
        for (name, settings) in &tenant.channels {
            let bot = bots.get(&settings.bot).context("a channel without a bot")?;
            let connected = connect(name, settings, Arc::clone(bot), &relays);
            let (vendor, mut setup) =
                connected.with_context(|| format!("channel `{name}` of tenant `{tenant_name}`"))?;
            if let Some(account) = vendor.account() {
                setup.account = accounts.entry(account).or_insert_with(|| name.clone()).clone();
            }
            let id = (tenant_name.clone(), name.clone());
            channels.push(Arc::new(Channel::new(id, vendor, Arc::new(setup))));
        }
    }
    Ok((channels, components))
}

async fn bot(
    name: &BotId,
    settings: &config::FileBot,
    runtime: &Arc<Runtime>,
) -> anyhow::Result<(Bot, Component)> {
    let path = &settings.component;
    let wasm = tokio::fs::read(path)
        .await
        .with_context(|| format!("cannot read the component {}", path.display()))?;
    let started = std::time::Instant::now();
    let version = runtime.load(&wasm).await.with_context(|| format!("{}", path.display()))?;
    let (digest, tier, took) = (version.digest(), version.tier().name(), started.elapsed());
    tracing::info!(bot = %name, %digest, tier, ?took, "bot loaded");
    let wished = version.manifest().map(|manifest| manifest.degrade);
    let bot = Bot::new(name.clone(), *digest, &settings.bot, wished);
    Ok((bot, Component { version, wasm }))
}
