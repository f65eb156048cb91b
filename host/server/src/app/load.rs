//! Bots and channels out of the settings.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use botyard_kernel::id::{BotId, ChannelId, Digest, TenantId};
use botyard_kernel::lane::Rules;
use botyard_kernel::plan::Policy;
use botyard_kernel::share::TenantRate;
use botyard_runtime::{CompileCommand, Runtime, RuntimeConfig};
use botyard_vendors::external;

use super::key_file::{self, Purpose};
use crate::channel::{Bot, Channel};
use crate::config::{self, Config};
use crate::relays::Relays;

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

/// Every channel with its bot, which is compiled where that was not done before.
pub(super) async fn channels(
    config: &Config,
    runtime: &Arc<Runtime>,
) -> anyhow::Result<Vec<Arc<Channel>>> {
    let mut channels = Vec::new();
    for (tenant_name, tenant) in &config.tenants {
        let mut bots = HashMap::new();
        for (name, settings) in &tenant.bots {
            let loaded = bot(name, settings, runtime).await;
            let loaded =
                loaded.with_context(|| format!("bot `{name}` of tenant `{tenant_name}`"))?;
            bots.insert(name, Arc::new(loaded));
        }
        let relays =
            relays(tenant).with_context(|| format!("an external bot of tenant `{tenant_name}`"))?;
        let mut accounts: HashMap<Digest, ChannelId> = HashMap::new();
        for (name, settings) in &tenant.channels {
            let bot = bots.get(&settings.bot).context("a channel without a bot")?;
            let connected = channel(name, settings, tenant_name, Arc::clone(bot), &relays);
            let mut connected =
                connected.with_context(|| format!("channel `{name}` of tenant `{tenant_name}`"))?;
            if let Some(account) = connected.vendor().account() {
                connected.account = accounts.entry(account).or_insert_with(|| name.clone()).clone();
            }
            channels.push(Arc::new(connected));
        }
    }
    Ok(channels)
}

fn relays(tenant: &config::Tenant) -> anyhow::Result<Relays> {
    let connect = |(name, relay): (&String, &config::Relay)| {
        let bot = external::connect_external(&relay.vendor, relay.settings.clone());
        Ok((name.clone(), bot.with_context(|| format!("`relays.{name}`"))?))
    };
    tenant.relays.iter().map(connect).collect()
}

async fn bot(name: &BotId, settings: &config::Bot, runtime: &Arc<Runtime>) -> anyhow::Result<Bot> {
    let path = &settings.component;
    let wasm = tokio::fs::read(path)
        .await
        .with_context(|| format!("cannot read the component {}", path.display()))?;
    let started = std::time::Instant::now();
    let version = runtime.load(&wasm).await.with_context(|| format!("{}", path.display()))?;
    let (digest, tier, took) = (version.digest(), version.tier().name(), started.elapsed());
    tracing::info!(bot = %name, %digest, tier, ?took, "bot loaded");
    let wished = version.manifest().map(|manifest| manifest.degrade);
    let degrading = settings.degrading.or(wished).unwrap_or_default();
    Ok(Bot {
        id: name.clone(),
        version,
        config: settings.config.clone(),
        hosts: settings.hosts.clone(),
        overlap: settings.overlap,
        degrading,
        http_headers: settings.http_headers.clone(),
    })
}

fn channel(
    name: &ChannelId,
    settings: &config::Channel,
    tenant: &TenantId,
    bot: Arc<Bot>,
    relays: &Relays,
) -> anyhow::Result<Channel> {
    let vendor = botyard_vendors::connect(&settings.vendor, settings.settings.clone())?;
    let mut policy = Policy::new(vendor.name(), bot.id.clone());
    policy.failure_texts = settings.failure_texts.clone();
    policy.failure_hand_off = settings.failure_hand_off;
    policy.session_idle_ms = settings.session_idle_ms;
    policy.overlap = bot.overlap;
    policy.degrading = bot.degrading;
    policy.relays = relays.keys().cloned().collect();
    let delivery = vendor.delivery();
    policy.sends_start = delivery.sends_start;
    policy.reopens = delivery.reopens;
    if settings.session_timeout.is_some() && delivery.ends_silent_sessions {
        anyhow::bail!(
            "`session-timeout-ms` is not for {}: it ends silent sessions by itself; set the time \
             there and leave the key out here",
            vendor.name()
        );
    }
    if settings.desk_token.is_some() && vendor.states_owner() {
        anyhow::bail!(
            "`desk-token` is not for {}: its agents answer in its own desk, and it says who has a \
             conversation; leave the key out",
            vendor.name()
        );
    }
    if let Some(why) = vendor.returns_in_vain().filter(|_| settings.returns_after_ms.is_some()) {
        anyhow::bail!("`returns-after-ms` is not for {}: {why}", vendor.name());
    }
    policy.takes_back = vendor.takes_back();
    policy.has_desk = settings.desk_token.is_some();
    policy.session_timeout = settings.session_timeout;
    policy.returns_after_ms = settings.returns_after_ms;
    let rules = Arc::new(Rules { policy, delivery });
    let id = (tenant.clone(), name.clone());
    let (signal_token, desk_token) = (settings.signal_token.clone(), settings.desk_token.clone());
    let mut channel = Channel::new(id, vendor, rules, bot, signal_token, desk_token);
    channel.relays.clone_from(relays);
    Ok(channel)
}
