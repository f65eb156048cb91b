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
    let is_chosen = is_bound(pinned, &version, &calls) || bot.deployed.owner == tenant;
    let loaded = work.registry.versions().loaded(&version);
    let is_chosen =
        is_chosen || loaded.as_ref().is_some_and(|loaded| is_granted(&work, &bot, loaded));
    if is_chosen && let Some(output) = work.suspended(&driver.channel, version) {
        let output = Box::new(output);
        return (false, future::ready(Input::Ran { run, output, version, profile }).boxed());
    }
    let ready = loaded.filter(|_| is_chosen).and_then(|version| {
        let permit = work.runtime.try_permit(&version, &tenant)?;
        Some((version, permit))
    });
    let waits = ready.is_none();
    let channel = Arc::clone(&driver.channel);
    let future = async move {
        let granted = if is_chosen { Ok(version) } else { granted(&work, &bot, version).await };
        let version = match granted {
            Ok(granted) => granted,
            Err(error) => {
                let output = Box::new(failed(error.to_string()));
                return Input::Ran { run, output, version, profile };
            }
        };
        if !is_chosen && let Some(output) = work.suspended(&channel, version) {
            return Input::Ran { run, output: Box::new(output), version, profile };
        }
        let ready = match ready {
            Some(ready) => Ok(ready),
            None => load(&work, &bot.deployed.owner, &version, &tenant).await,
        };
        let mut output = match ready {
            Ok((loaded, permit)) => {
                let powered = bot.powered(&loaded, work.registry.operator());
                let http: Arc<dyn HttpCalls> = match powered.without_http() {
                    None => Arc::new(Calls { run, lane }),
                    Some(refusal) => Arc::new(Denied(refusal)),
                };
                let values = Values { store: work.store.tenant(&tenant), bot: bot.id.clone() };
                let services = Services { values: Arc::new(values), http };
                let config = bot.config.clone();
                let input = RunInput { event, session, conversation_kv, config, calls };
                pass(Point::RunBegins);
                let output = work.runtime.run(&loaded, permit, input, services).await;
                cut(&work, &tenant, output)
            }
            Err(error) => failed(error.to_string()),
        };
        pass(Point::RunEnded);
        if let Some(redactor) = work.redactors.of(&tenant) {
            redactor.output(&mut output);
        }
        Input::Ran { run, output: Box::new(output), version, profile }
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

/// Whether a version is that of the session, or of an earlier try whose recorded answers are
/// for no other: nothing else is chosen. A try that failed before it asked for anything binds
/// nobody.
fn is_bound(pinned: Option<Pinned>, version: &Digest, calls: &[Call]) -> bool {
    match pinned {
        Some(Pinned::Event { .. }) => !calls.is_empty(),
        Some(Pinned::Session { version: own, .. }) => own == *version,
        None => false,
    }
}

fn is_granted(work: &Work, bot: &Bot, version: &Version) -> bool {
    !bot.powered(version, work.registry.operator()).lacks_grant
}

/// The version that a tenant has granted of a bot that it shares. The operator deploys it
/// for all of them: a tenant that has not granted what the new version wishes for goes on
/// with the newest of those that answered before which lacks nothing. Where there is none,
/// the new one runs without. A tenant's own deployments wait instead.
///
/// # Errors
///
/// Where a version cannot be read just now: to choose another one for that would bind the
/// session to it.
async fn granted(work: &Work, bot: &Bot, chosen: Digest) -> Result<Digest, VersionError> {
    let (versions, owner) = (work.registry.versions(), &bot.deployed.owner);
    if is_granted(work, bot, &versions.get(owner, &chosen).await?) {
        return Ok(chosen);
    }
    let deployment = bot.deployed.now();
    let earlier = deployment.iter().flat_map(|now| now.before(chosen));
    for digest in earlier.take(EARLIER_MAX) {
        match versions.get(owner, &digest).await {
            Ok(version) if is_granted(work, bot, &version) => return Ok(digest),
            Err(error @ VersionError::Store(_)) => return Err(error),
            Err(VersionError::Load(error)) if error.blame() == Blame::Host => {
                return Err(error.into());
            }
            // What can never run is passed over.
            Ok(_) | Err(VersionError::Gone(_) | VersionError::Load(_)) => {}
        }
    }
    Ok(chosen)
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

#[cfg(test)]
mod tests {
    use botyard_kernel::call::Journal;
    use botyard_kernel::id::EventId;

    use super::*;

    #[test]
    fn a_session_and_recorded_answers_bind_to_a_version_and_a_failed_try_does_not() {
        let [one, other] = [b"1", b"2"].map(|bytes| Digest::of(bytes));
        let call = Call {
            event: EventId::from("e"),
            of_start: false,
            index: 0,
            request: Digest::of(b"request"),
            answer: String::new(),
            journal: Journal::default(),
        };
        let session = |version| Some(Pinned::Session { version, active_ms: 0 });
        assert!(is_bound(session(one), &one, &[]));
        assert!(!is_bound(session(one), &other, &[]), "it was withdrawn");
        let tried = Some(Pinned::Event { version: one });
        assert!(is_bound(tried, &one, &[call]));
        assert!(!is_bound(tried, &one, &[]));
        assert!(!is_bound(None, &one, &[]));
    }
}
