//! Work that takes long: it is begun, answered with 202, and says how far it is.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::access::Permission;
use botyard_kernel::id::{BotId, TenantId};
use botyard_kernel::time::Millis;
use botyard_runtime::{Phase, Upload};
use http::header::{CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::Json;
use super::places::Place;
use super::problem::Problem;
use crate::app::App;
use crate::operations::{Begun, Kept, Progress, Report, Task};

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
const ASYNCHRONOUS: &str = "respond-async";
/// Nobody is waited for longer.
const WAIT_MAX_S: u64 = 60;

/// Something that takes long.
#[derive(Serialize, ToSchema)]
pub(crate) struct Operation {
    /// Its name.
    id: String,
    /// `upload` of a component, `erasure` of a person, `tenant-deletion` or `backup`.
    kind: &'static str,
    /// The bot that a version was uploaded for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    bot: Option<BotId>,
    /// The digest of the version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// The tenant that is taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    tenant: Option<TenantId>,
    /// The directory that the host is copied into.
    #[serde(skip_serializing_if = "Option::is_none")]
    into: Option<String>,
    /// `waiting`; of an upload `checking`, `compiling`, `rehearsing`; of an erasure `erasing`; of
    /// a tenant `stopping`, `deleting`; of a backup `copying`; at its end `done` or `failed`.
    phase: String,
    /// How far the phase is: conversations of a person, rows of a tenant, pages of the store.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Progress>,
    started_ms: Millis,
    /// When the phase began, or was seen to get on.
    changed_ms: Millis,
    /// What came of it: of an erasure `conversations`, so many; of a backup its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    /// Why it has failed, as the request would have been answered; where it has not, what it
    /// does not get past now: it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    problem: Option<Value>,
}

/// How far something is that was answered with 202. It can be asked for until a day after its
/// end. A tenant's deletion and backups are operations of the tenant `operator`.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/operations/{id}", tag = "operations",
    params(("tenant" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = Operation), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    of: OfTenant,
    Path((tenant, id)): Path<(TenantId, String)>,
) -> Result<Json<Operation>, Problem> {
    let found = app.operations.find(&tenant, &id).await?;
    let found = found.map(|kept| Operation::of(id, kept));
    // Whoever may not see the tenant is not told whether there is one.
    of.may(Permission::ReadObjects, found.as_ref().and_then(|it| it.bot.as_ref()))?;
    Ok(Json(found.ok_or_else(Problem::not_found)?))
}

/// Whether a request asks to be answered before it is done (RFC 7240).
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    preferences(headers).any(|preference| preference.eq_ignore_ascii_case(ASYNCHRONOUS))
}

/// Answers with an operation: at its end, where a request prefers to wait and it comes in time;
/// else with where it can be asked for.
pub(crate) async fn answer(begun: Begun, headers: &HeaderMap) -> Result<Response, Problem> {
    let location = format!("/v1/tenants/{}/operations/{}", begun.tenant, begun.id);
    let location = HeaderValue::try_from(location).map_err(|_| Problem::not_found())?;
    let (id, wait_s) = (begun.id.clone(), wait_s(headers));
    let kept = match wait_s {
        Some(seconds) => begun.within(Duration::from_secs(seconds)).await,
        None => begun.now(),
    };
    let waited = wait_s.is_some() && kept.is_ended();
    let mut answer = match &kept.problem {
        Some(problem) if waited && !kept.is_done() => refused(problem),
        Some(_) | None => {
            let status = if waited { StatusCode::OK } else { StatusCode::ACCEPTED };
            (status, Json(Operation::of(id, kept))).into_response()
        }
    };
    let applied = match wait_s {
        Some(seconds) => Some(format!("wait={seconds}")),
        None => is_asked_for(headers).then(|| ASYNCHRONOUS.to_owned()),
    };
    let applied = applied.and_then(|applied| HeaderValue::try_from(applied).ok());
    answer.headers_mut().insert(LOCATION, location);
    answer.headers_mut().extend(applied.map(|applied| (PREFERENCE_APPLIED, applied)));
    Ok(answer)
}

/// Goes on with an upload that nobody waits for.
pub(super) async fn upload(
    allowed: &Allowed,
    bot: &BotId,
    upload: Upload,
    place: Place,
) -> Result<Begun, Problem> {
    let task = Task::Upload { bot: bot.clone(), version: upload.digest().to_string() };
    let (tenancy, tenant) = (Arc::clone(allowed.tenancy()), allowed.tenant.clone());
    let (bot, stamp) = (bot.clone(), allowed.stamp.clone());
    let work = |report: Arc<Report>| async move {
        let progress = |phase| report.phase(word(phase));
        let done = tenancy.upload(&tenant, &bot, &upload, &stamp, &progress).await;
        drop(place);
        done.map(|_| None).map_err(Problem::from)
    };
    let (operations, actor) = (&allowed.app.operations, &allowed.stamp.actor);
    operations.begin(&allowed.tenant, task, actor, work).await
}

/// As a request is answered that nobody had to wait for.
fn refused(problem: &Value) -> Response {
    let status = problem["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let kind = HeaderValue::from_static(Problem::TYPE);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, kind)], problem.to_string()).into_response()
}

/// How long a request prefers to wait, in seconds.
fn wait_s(headers: &HeaderMap) -> Option<u64> {
    let seconds = preferences(headers).find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let is_wait = name.trim().eq_ignore_ascii_case("wait");
        value.trim().trim_matches('"').parse::<u64>().ok().filter(|_| is_wait)
    });
    seconds.map(|seconds| seconds.min(WAIT_MAX_S))
}

fn preferences(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split([',', ';'])).map(str::trim)
}

impl Operation {
    fn of(id: String, kept: Kept) -> Self {
        let Kept { task, phase, progress, started_ms, changed_ms, result, problem, .. } = kept;
        let (kind, bot, version, tenant, into) = match task {
            Task::Upload { bot, version } => ("upload", Some(bot), Some(version), None, None),
            Task::Backup { into } => ("backup", None, None, None, Some(into)),
            Task::Erasure { .. } => ("erasure", None, None, None, None),
            Task::TenantDeletion { tenant } => ("tenant-deletion", None, None, Some(tenant), None),
        };
        Self {
            id,
            kind,
            bot,
            version,
            tenant,
            into,
            phase,
            progress,
            started_ms,
            changed_ms,
            result,
            problem,
        }
    }
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting",
        Phase::Checking => "checking",
        Phase::Compiling => "compiling",
        Phase::Rehearsing => "rehearsing",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_found_among_others() {
        let rows = [
            (&["respond-async"][..], true, None),
            (&["wait=5", "Respond-Async; foo=bar"], true, Some(5)),
            (&["handling=lenient, respond-async, Wait = \"7\""], true, Some(7)),
            (&["respond-asynchronously, wait=soon"], false, None),
            (&["wait=100000"], false, Some(WAIT_MAX_S)),
            (&["waiting=3"], false, None),
            (&[], false, None),
        ];
        for (values, asynchronous, wait) in rows {
            let values = values.iter().map(|value| (PREFER, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            for (name, value) in values {
                headers.append(name, value);
            }
            assert_eq!(
                (is_asked_for(&headers), wait_s(&headers)),
                (asynchronous, wait),
                "{headers:?}"
            );
        }
    }
}
