//! What bots may do: what they are granted, what they wish for, and what they use of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use botyard_kernel::access::Permission;
use botyard_kernel::grants::{
    Approver, Diff, Pending, Policy, Powers, Use, Used, Wish, used_against_granted,
};
use botyard_kernel::id::BotId;
use botyard_kernel::time::Millis;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::{Caller, OfTenant};
use super::deployments::{self, Deployment};
use super::page::Json;
use super::problem::Problem;
use crate::app::App;
use crate::send::HostPattern;
use crate::tenancy::Approved;

/// Something that a bot can be granted.
#[derive(Serialize, ToSchema)]
pub(super) struct Power {
    /// `host` or `import`.
    what: &'static str,
    /// As `shop.example.com`, `*.example.com`, `http`.
    name: String,
}

/// A wish that waits for somebody.
#[derive(Serialize, ToSchema)]
pub(super) struct Missing {
    #[serde(flatten)]
    power: Power,
    /// Who may let the bot have it: `tenant`, `operator`, or `both`.
    #[schema(value_type = String)]
    approver: Approver,
    /// The same in words.
    text: String,
}

/// How what a version wants differs from what the one that answers wants.
#[derive(Serialize, ToSchema)]
pub(super) struct Changes {
    /// It wants these, too.
    added: Vec<Power>,
    /// It does without these.
    removed: Vec<Power>,
}

/// Hosts and imports.
#[derive(Serialize, ToSchema)]
pub(super) struct Set {
    hosts: Vec<String>,
    imports: Vec<String>,
}

/// A deployment that waits for a grant.
#[derive(Serialize, ToSchema)]
pub(super) struct Waiting {
    /// What is to answer.
    version: String,
    /// Only in so many of a hundred conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<u8>,
    asked_ms: Millis,
    asked_by: String,
    /// What is missing. Empty: nothing any more, approve it.
    pending: Vec<Missing>,
}

/// What a bot may do.
#[derive(Serialize, ToSchema)]
pub(super) struct Grants {
    /// What it is granted: the `hosts` of its settings, and those that the operator grants
    /// to every bot.
    granted: Set,
    /// What the version that answers may do: what it imports and wishes for, is granted and
    /// is allowed by the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective: Option<Set>,
    /// What that one wishes for and may not have.
    pending: Vec<Missing>,
    /// The deployment that waits for a grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<Waiting>,
}

/// What is approved.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Approval {
    /// The version whose wishes are granted: its digest.
    version: String,
}

/// What came of an approval.
#[derive(Serialize, ToSchema)]
pub(super) struct Outcome {
    /// What was granted by it.
    granted: Vec<Power>,
    /// What is still missing.
    pending: Vec<Missing>,
    /// The deployment that had waited for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment: Option<Deployment>,
}

/// How often something was used.
#[derive(Serialize, ToSchema)]
pub(super) struct Usage {
    #[serde(flatten)]
    power: Power,
    count: u64,
    last_ms: Millis,
}

/// What a bot uses of what it is granted.
#[derive(Serialize, ToSchema)]
pub(super) struct Report {
    /// Counted from then on; absent where nothing was. What was not used for 90 days is
    /// forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    since_ms: Option<Millis>,
    /// What it is granted and uses.
    used: Vec<Usage>,
    /// What it is granted and has not used since: it can be taken away.
    unused: Vec<Power>,
    /// Which hosts it called, each by itself.
    hosts: Vec<Usage>,
    /// Which hosts it wanted to call and might not.
    denied: Vec<Usage>,
    /// What would have been enough.
    enough: Set,
}

/// The policy for all bots.
#[derive(Serialize, ToSchema)]
pub(super) struct Policies {
    /// What was set by `PUT`: it narrows what the settings file says.
    #[schema(value_type = Object)]
    set: Policy,
    /// What holds.
    #[schema(value_type = Object)]
    effective: Policy,
}

/// What a bot is granted, what it wishes for, and what waits for a grant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}/grants", tag = "grants",
    params(("tenant" = String, Path), ("bot" = String, Path)),
    responses((status = 200, body = Grants), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
) -> Result<Json<Grants>, Problem> {
    let allowed = of.may(Permission::ReadObjects, Some(&bot))?;
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    let standing = tenancy.standing(tenant, &bot).await?;
    let waiting = tenancy.waiting(tenant, &bot).await?.map(|(waiting, pending)| Waiting {
        version: waiting.version.to_string(),
        percent: waiting.percent,
        asked_ms: waiting.asked_ms,
        asked_by: waiting.asked_by,
        pending: missing(pending),
    });
    let running = standing.running.as_ref().map(|(_, asks)| asks);
    Ok(Json(Grants {
        effective: running.map(|asks| set(&standing.effective(asks))),
        pending: missing(running.map(|asks| standing.pending(asks)).unwrap_or_default()),
        granted: set(&standing.grant),
        waiting,
    }))
}

/// Grant what a version wishes for, as far as it is the tenant's to grant. A deployment of
/// it that has waited for that goes ahead.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/bots/{bot}/grants", tag = "grants",
    params(("tenant" = String, Path), ("bot" = String, Path)), request_body = Approval,
    responses((status = 200, body = Outcome), (status = "4XX", body = Problem)))]
pub(super) async fn approve(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    Json(Approval { version }): Json<Approval>,
) -> Result<Json<Outcome>, Problem> {
    let allowed = of.may(Permission::ApproveGrants, Some(&bot))?;
    let version = deployments::digest(&version)?;
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    let approved = tenancy.approve(tenant, &bot, &version, &allowed.stamp).await?;
    let Approved { granted, pending, deployment } = approved;
    Ok(Json(Outcome {
        granted: granted.iter().map(power).collect(),
        pending: missing(pending),
        deployment: deployment.map(deployments::shown),
    }))
}

/// Grant nothing: the deployment that has waited for it is forgotten.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/bots/{bot}/grants", tag = "grants",
    params(("tenant" = String, Path), ("bot" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(super) async fn decline(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
) -> Result<StatusCode, Problem> {
    let allowed = of.may(Permission::ApproveGrants, Some(&bot))?;
    allowed.tenancy().decline(&allowed.tenant, &bot, &allowed.stamp).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a bot uses of what it is granted.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}/grants/used", tag = "grants",
    params(("tenant" = String, Path), ("bot" = String, Path)),
    responses((status = 200, body = Report), (status = "4XX", body = Problem)))]
pub(super) async fn used(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
) -> Result<Json<Report>, Problem> {
    let allowed = of.may(Permission::ReadObjects, Some(&bot))?;
    let standing = allowed.tenancy().standing(&allowed.tenant, &bot).await?;
    let record = allowed.app.work.used(&allowed.tenant, &bot).await?;
    let used = Used { hosts: record.hosts, imports: record.imports };
    let report = used_against_granted(&standing.grant, &used);
    let each = |(wish, of): &(Wish, Use)| usage(power(wish), *of);
    let host = |(host, of): (&HostPattern, &Use)| usage(named("host", host), *of);
    Ok(Json(Report {
        since_ms: (record.since_ms > 0).then_some(record.since_ms),
        used: report.used.iter().map(each).collect(),
        unused: report.unused.iter().map(power).collect(),
        hosts: used.hosts.iter().map(host).collect(),
        denied: record.denied.iter().map(host).collect(),
        enough: set(&report.enough),
    }))
}

/// The policy for all bots of this host.
#[utoipa::path(get, path = "/v1/policy", tag = "grants",
    responses((status = 200, body = Policies), (status = "4XX", body = Problem)))]
pub(super) async fn policy(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Policies>, Problem> {
    caller.may(Permission::ManageHost)?;
    policies(&app).await
}

/// Set the policy for all bots: `hosts` (only these), `forbidden-hosts` (never these) and
/// `imports` (only these). It holds at once, and narrows what the settings file says.
#[utoipa::path(put, path = "/v1/policy", tag = "grants",
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, body = Policies), (status = "4XX", body = Problem)))]
pub(super) async fn set_policy(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(policy): Json<Value>,
) -> Result<Json<Policies>, Problem> {
    caller.may(Permission::ManageHost)?;
    app.tenancy.set_policy(policy, &caller.stamp()).await?;
    policies(&app).await
}

async fn policies(app: &App) -> Result<Json<Policies>, Problem> {
    let effective = Policy::clone(&app.work.registry().operator().policy());
    Ok(Json(Policies { set: app.tenancy.policy().await?, effective }))
}

fn named(what: &'static str, name: &impl ToString) -> Power {
    Power { what, name: name.to_string() }
}

fn power(wish: &Wish) -> Power {
    match wish {
        Wish::Host(host) => named("host", host),
        Wish::Import(import) => named("import", import),
    }
}

fn usage(power: Power, Use { count, last_ms }: Use) -> Usage {
    Usage { power, count, last_ms }
}

fn set(powers: &Powers) -> Set {
    let texts = |host: &HostPattern| host.to_string();
    Set {
        hosts: powers.hosts.iter().map(texts).collect(),
        imports: powers.imports.iter().cloned().collect(),
    }
}

/// Wishes that wait, each with who may let the bot have it.
pub(super) fn missing(pending: Vec<Pending>) -> Vec<Missing> {
    let one = |pending: Pending| Missing {
        power: power(&pending.wish),
        approver: pending.approver,
        text: pending.to_string(),
    };
    pending.into_iter().map(one).collect()
}

/// What changes against the version that answers.
pub(super) fn changes(diff: &Diff) -> Changes {
    let all = |wishes: &[Wish]| wishes.iter().map(power).collect();
    Changes { added: all(&diff.added), removed: all(&diff.removed) }
}
