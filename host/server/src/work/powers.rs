//! What a bot's version may do, where it wants to do it.

use async_trait::async_trait;
use botyard_kernel::call::{Ask, CallAnswer, CallError};
use botyard_kernel::grants::Refusal;
use botyard_kernel::id::{Digest, TenantId};
use botyard_runtime::HttpCalls;
use metrics::counter;

use super::Work;
use crate::clock;
use crate::registry::{Bot, VersionError};
use crate::send::HostPattern;

/// Where a version's calls may go, if this one may be made. It is counted as used, or as
/// denied.
pub(super) async fn hosts(
    work: &Work,
    (tenant, bot): (&TenantId, &Bot),
    version: &Digest,
    url: &str,
    by_import: bool,
) -> Result<Vec<HostPattern>, NotMade> {
    let owner = &bot.deployed.owner;
    let version = work.registry.versions().get(owner, version).await?;
    let powered = bot.powered(&version, work.registry.operator());
    let url = url::Url::parse(url).ok();
    let Some(host) = url.as_ref().and_then(HostPattern::of) else {
        // The door says what is wrong with the address.
        return Ok(powered.hosts.clone());
    };
    let now = clock::now();
    if let Some(refusal) = powered.refusal(&host) {
        count(refusal);
        work.used.denied(tenant, &bot.id, host.clone(), now);
        return Err(NotMade::Refused(host, refusal));
    }
    work.used.called((tenant, &bot.id), host, by_import, now);
    Ok(powered.hosts.clone())
}

/// Why a call is not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotMade {
    /// The bot may not make it.
    #[error("{0} may not be called: {1}")]
    Refused(HostPattern, Refusal),
    /// The host's fault.
    #[error("{0}")]
    Version(#[from] VersionError),
}

/// The import `http` of a version that does not have it: it is there, and denies.
pub(super) struct Denied(pub(super) Refusal);

#[async_trait]
impl HttpCalls for Denied {
    async fn call(&self, _ask: Ask) -> anyhow::Result<CallAnswer> {
        count(self.0);
        let why = format!("the import `http` is not the bot's to use: {}", self.0);
        Ok(Err(CallError::Denied(why)))
    }
}

fn count(refusal: Refusal) {
    let (why, blame) = (refusal.name(), refusal.blame().name());
    counter!("botyard_powers_denied_total", "why" => why, "blame" => blame).increment(1);
}
