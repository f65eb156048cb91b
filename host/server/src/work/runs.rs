//! Runs of bots.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use botyard_failpoints::{Point, pass};
use botyard_kernel::deployment::Pinned;
use botyard_kernel::event::Event;
use botyard_kernel::id::{BotId, Digest, TenantId};
use botyard_kernel::lane::Input;
use botyard_kernel::limits::Exceeded;
use botyard_kernel::log::Call;
use botyard_kernel::run::{Blame, FailureKind, LogLevel, LogLine, RunFailure, RunInput, RunOutput};
use botyard_kernel::session::Session;
use botyard_runtime::{BotValues, HttpCalls, Permit, Services, Version};
use botyard_store::TenantStore;
use futures_util::FutureExt as _;
use futures_util::future::{self, BoxFuture};
use tokio::sync::mpsc;

use super::driver::Driver;
use super::fetch::Calls;
use super::powers::Denied;
use super::{Message, Work};
use crate::clock;
use crate::registry::{Bot, VersionError};

/// So many versions that answered before are asked for what they wish.
const EARLIER_MAX: usize = 8;

/// What the lane gives to a run.
pub(super) struct Given {
    pub(super) event: Event,
    pub(super) session: Session,
    /// The conversation's values.
    pub(super) kv: BTreeMap<String, String>,
    /// Recorded calls.
    pub(super) calls: Vec<Call>,
    /// Which version it is bound to.
    pub(super) pinned: Option<Pinned>,
}

/// A run, and whether it has to wait for room.
pub(super) fn run(
    driver: &Driver,
    run: u64,
    given: Given,
    lane: mpsc::UnboundedSender<Message>,
) -> (bool, BoxFuture<'static, Input>) {
    let Given { event, mut session, kv: conversation_kv, calls, pinned } = given;
    let (work, bot) = (Arc::clone(&driver.work), driver.channel.bot());
    let tenant = driver.key.tenant.clone();
    let profile = Box::new(driver.profile(&session.facts.medium, &event.id));
    session.profile = profile.settings.clone();
    let chosen = bot.deployed.version_for(pinned, &driver.key, session.now_ms);
    let Some(version) = chosen else {
        let output = Box::new(failed("no version of the bot is deployed".to_owned()));
        let version = Digest::of(b"");
        return (false, future::ready(Input::Ran { run, output, version, profile }).boxed());
    };
    if let Some(output) = work.suspended(&driver.channel, version) {
        let output = Box::new(output);
        return (false, future::ready(Input::Ran { run, output, version, profile }).boxed());
    }
    let values = Values { store: work.store.tenant(&tenant), bot: bot.id.clone() };
    let loaded = work.registry.versions().loaded(&version);
    let ready = loaded.and_then(|version| {
        let permit = work.runtime.try_permit(&version, &tenant)?;
        Some((version, permit))
    });
    let waits = ready.is_none();
    let future = async move {
        let input = RunInput { event, session, conversation_kv, config: bot.config.clone(), calls };
        let ready = match ready {
            Some(ready) => Ok(ready),
            None => load(&work, &bot.deployed.owner, &version, &tenant).await,
        };
        let ready = match ready {
            Ok(ready) if pinned.is_none() => granted(&work, &bot, &tenant, ready).await,
            ready => ready,
        };
        let ran = ready.as_ref().map_or(version, |(version, _)| *version.digest());
        let mut output = match ready {
            Ok((version, permit)) => {
                let powered = bot.powered(&version, work.registry.operator());
                let http: Arc<dyn HttpCalls> = match powered.without_http() {
                    None => Arc::new(Calls { run, lane }),
                    Some(refusal) => Arc::new(Denied(refusal)),
                };
                let services = Services { values: Arc::new(values), http };
                pass(Point::RunBegins);
                let output = work.runtime.run(&version, permit, input, services).await;
                cut(&work, &tenant, output)
            }
            Err(error) => failed(error.to_string()),
        };
        pass(Point::RunEnded);
        if let Some(redactor) = work.redactors.of(&tenant) {
            redactor.output(&mut output);
        }
        Input::Ran { run, output: Box::new(output), version: ran, profile }
    };
    (waits, future.boxed())
}

/// What a tenant's bots write into their logs beyond its limit is not kept.
fn cut(work: &Work, tenant: &TenantId, mut output: RunOutput) -> RunOutput {
    let bytes = output.log.iter().map(|line| line.message.len() as u64).sum();
    if let Err(exceeded) = work.quotas.log(tenant, bytes, clock::now()) {
        output.log = exceeded.iter().map(left_out).collect();
        output.log_cut_bytes += bytes;
    }
    output
}

fn left_out(exceeded: &Exceeded) -> LogLine {
    let message = format!("lines of the log are left out, here and in later turns: {exceeded}");
    LogLine { level: LogLevel::Warn, message }
}

async fn load(
    work: &Work,
    owner: &TenantId,
    digest: &Digest,
    tenant: &TenantId,
) -> Result<(Version, Permit), VersionError> {
    let version = work.registry.versions().get(owner, digest).await?;
    let permit = work.runtime.permit(&version, tenant).await;
    Ok((version, permit))
}

/// A version with all that it wishes for. The operator deploys a bot for all tenants that
/// share it: one that has not granted what the new version wishes for goes on with the
/// newest of those that answered before which has everything, if there is one. A tenant's
/// own bot has none to look for: its deployment waited.
async fn granted(
    work: &Work,
    bot: &Bot,
    tenant: &TenantId,
    ready: (Version, Permit),
) -> Result<(Version, Permit), VersionError> {
    let is_whole = |version: &Version| bot.powered(version, work.registry.operator()).is_whole;
    if bot.deployed.owner == *tenant || is_whole(&ready.0) {
        return Ok(ready);
    }
    let deployment = bot.deployed.now();
    let earlier = deployment.iter().flat_map(|now| now.before(*ready.0.digest()));
    for digest in earlier.take(EARLIER_MAX) {
        let version = work.registry.versions().get(&bot.deployed.owner, &digest).await?;
        if is_whole(&version) {
            // Whoever waited for one permit with another in hand could wait for ever.
            drop(ready);
            let permit = work.runtime.permit(&version, tenant).await;
            return Ok((version, permit));
        }
    }
    Ok(ready)
}

/// What a run comes to that cannot be made by the host's fault: it may be tried again.
fn failed(message: String) -> RunOutput {
    RunOutput::failed(RunFailure { blame: Blame::Host, kind: FailureKind::Internal, message })
}

/// The bot's values as the committed turns left them.
#[derive(Clone)]
struct Values {
    store: TenantStore,
    bot: BotId,
}

#[async_trait]
impl BotValues for Values {
    async fn get(&self, key: &str) -> anyhow::Result<Option<String>> {
        Ok(self.store.bot_value(&self.bot, key).await?)
    }
}
