//! Which version of a bot answers.

use axum::extract::Path;
use botyard_kernel::access::Permission;
use botyard_kernel::deployment::Deployment as Deployed;
use botyard_kernel::id::{BotId, Digest};
use botyard_kernel::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::OfTenant;
use super::page::Json;
use super::problem::{Code, Problem};
use crate::tenancy::Step;

/// Which version of a bot answers.
#[derive(Serialize, ToSchema)]
pub(super) struct Deployment {
    /// Sessions begin with it.
    current: String,
    /// What answered before: `roll-back` goes there.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    /// A version on trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<Canary>,
    /// What must not run any more.
    withdrawn: Vec<String>,
    deployed_ms: Millis,
    /// Counts the changes: send it back to change just what you have seen.
    revision: u64,
}

/// A version on trial.
#[derive(Serialize, ToSchema)]
pub(super) struct Canary {
    version: String,
    /// So many of a hundred conversations begin with it.
    percent: u8,
    since_ms: Millis,
}

/// A change of which version answers.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Change {
    /// This version answers from now on, at once. Sessions that have begun go on with the
    /// version that they began with.
    Deploy {
        version: String,
        #[serde(default)]
        revision: Option<u64>,
    },
    /// This version is tried with so many of a hundred conversations. It is rolled back by
    /// itself where it does worse than the one that answers.
    StartCanary {
        version: String,
        percent: u8,
        #[serde(default)]
        revision: Option<u64>,
    },
    /// The canary is tried with so many of a hundred conversations.
    SetPercent {
        percent: u8,
        #[serde(default)]
        revision: Option<u64>,
    },
    /// The canary answers from now on.
    Promote {
        #[serde(default)]
        revision: Option<u64>,
    },
    /// Back to what answered before: its sessions go on with that at once.
    RollBack {
        #[serde(default)]
        revision: Option<u64>,
    },
    /// This version runs no more, also in sessions that began with it.
    Withdraw {
        version: String,
        #[serde(default)]
        revision: Option<u64>,
    },
}

/// Which version of a bot answers.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}/deployment", tag = "deployments",
    params(("tenant" = String, Path), ("bot" = String, Path)),
    responses((status = 200, body = Deployment), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
) -> Result<Json<Deployment>, Problem> {
    let allowed = of.may(Permission::ReadObjects, Some(&bot))?;
    let deployed = allowed.tenancy().deployed(&allowed.tenant, &bot).await?;
    let nothing = || Problem::new(Code::NotFound, "no version of this bot was deployed yet");
    Ok(Json(shown(deployed.ok_or_else(nothing)?)))
}

/// Change which version of a bot answers. A version that wishes for more than its bot may
/// is refused with `grant-pending`, and deployed when that is approved.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/bots/{bot}/deployment", tag = "deployments",
    params(("tenant" = String, Path), ("bot" = String, Path)), request_body = Change,
    responses((status = 200, body = Deployment), (status = "4XX", body = Problem)))]
pub(super) async fn change(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    Json(change): Json<Change>,
) -> Result<Json<Deployment>, Problem> {
    let allowed = of.may(Permission::Deploy, Some(&bot))?;
    let (step, revision) = match change {
        Change::Deploy { version, revision } => (Step::Deploy(digest(&version)?), revision),
        Change::StartCanary { version, percent, revision } => {
            (Step::StartCanary(digest(&version)?, percent), revision)
        }
        Change::SetPercent { percent, revision } => (Step::SetPercent(percent), revision),
        Change::Promote { revision } => (Step::Promote, revision),
        Change::RollBack { revision } => (Step::RollBack, revision),
        Change::Withdraw { version, revision } => (Step::Withdraw(digest(&version)?), revision),
    };
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    Ok(Json(shown(tenancy.deploy(tenant, &bot, step, revision, &allowed.stamp).await?)))
}

pub(super) fn digest(text: &str) -> Result<Digest, Problem> {
    let wrong = || Problem::bad("`version` is the digest of an upload: 64 hexadecimal digits");
    Digest::from_hex(text).ok_or_else(wrong)
}

pub(super) fn shown(deployed: Deployed) -> Deployment {
    let text = |digest: Digest| digest.to_string();
    Deployment {
        current: text(deployed.current),
        previous: deployed.previous.map(text),
        canary: deployed.canary.map(|canary| Canary {
            version: text(canary.version),
            percent: canary.percent,
            since_ms: canary.since_ms,
        }),
        withdrawn: deployed.withdrawn.into_iter().map(text).collect(),
        deployed_ms: deployed.deployed_ms,
        revision: deployed.revision,
    }
}
