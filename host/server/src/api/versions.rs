//! Versions of bots: uploaded, checked, compiled. None of it changes any traffic.

use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::access::Permission;
use botyard_kernel::id::{BotId, Digest};
use botyard_kernel::time::Millis;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::OfTenant;
use super::grants::{self, Changes, Missing};
use super::operations;
use super::page::{Json, Page, Paging, Query};
use super::problem::Problem;
use super::receive::receive;
use crate::tenancy::{Standing, VersionRecord};

/// A version of a bot.
#[derive(Serialize, ToSchema)]
pub(super) struct Version {
    /// The SHA-256 of the component: its name.
    digest: String,
    /// The size of the component.
    bytes: usize,
    /// `native` or `interpreted`, decided by the host.
    tier: String,
    uploaded_ms: Millis,
    uploaded_by: String,
    /// What the bot says about itself; in lists without its `config`, which may be long.
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Value>,
    /// What it imports.
    imports: Vec<String>,
    /// What it wants otherwise than the version that answers; absent for that one, and
    /// where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
    /// What it wishes for and its bot may not have yet. While there is anything, it is not
    /// deployed.
    pending: Vec<Missing>,
    /// Imports that its manifest does not wish for: they are there, and deny.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unwished: Vec<String>,
}

impl Version {
    fn without_config(mut self) -> Self {
        if let Some(Value::Object(manifest)) = &mut self.manifest {
            manifest.remove("config");
        }
        self
    }
}

/// The versions of a bot, by digest.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}/versions", tag = "versions",
    params(("tenant" = String, Path), ("bot" = String, Path), Paging),
    responses((status = 200, body = Page<Version>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Version>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, Some(&bot))?;
    // One more says whether there is a next page.
    let (after, limit) = (paging.after.as_deref(), paging.limit() + 1);
    let versions = allowed.tenancy().versions(&allowed.tenant, &bot, after, limit).await?;
    let standing = allowed.tenancy().standing(&allowed.tenant, &bot).await?;
    let versions = versions.into_iter().map(|it| shown(it, &standing).without_config()).collect();
    Ok(Json(Page::of(versions, &paging, |version| &version.digest)))
}

/// A version.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}/versions/{digest}", tag = "versions",
    params(("tenant" = String, Path), ("bot" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = Version), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    of: OfTenant,
    Path((_, bot, digest)): Path<(String, BotId, String)>,
) -> Result<Json<Version>, Problem> {
    let allowed = of.may(Permission::ReadObjects, Some(&bot))?;
    let digest = Digest::from_hex(&digest).ok_or_else(Problem::not_found)?;
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    let version = tenancy.version(tenant, &bot, &digest).await?;
    Ok(Json(shown(version, &tenancy.standing(tenant, &bot).await?)))
}

/// Take a version away that nothing runs any more.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/bots/{bot}/versions/{digest}",
    tag = "versions",
    params(("tenant" = String, Path), ("bot" = String, Path), ("digest" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(super) async fn delete(
    of: OfTenant,
    Path((_, bot, digest)): Path<(String, BotId, String)>,
) -> Result<StatusCode, Problem> {
    let allowed = of.may(Permission::Upload, Some(&bot))?;
    let digest = Digest::from_hex(&digest).ok_or_else(Problem::not_found)?;
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    tenancy.delete_version(tenant, &bot, &digest, &allowed.stamp).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Upload a component: the body is the `.wasm` itself. Compiling it may take a minute: with
/// `Prefer: respond-async` the answer comes when it has arrived, and `Location` says where
/// to ask how far it is.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/bots/{bot}/versions", tag = "versions",
    params(("tenant" = String, Path), ("bot" = String, Path),
        ("prefer" = Option<String>, Header, description = "`respond-async`")),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 200, body = Version), (status = 201, body = Version),
        (status = 202, body = operations::Operation),
        (status = "4XX", body = Problem)))]
pub(super) async fn upload(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let allowed = of.may(Permission::Upload, Some(&bot))?;
    // Whoever has no such bot is told before anything is read.
    allowed.tenancy().bot(&allowed.tenant, &bot).await?;
    let (app, tenant) = (&allowed.app, &allowed.tenant);
    app.work.has_room().map_err(|refusal| Problem::busy(&refusal))?;
    let reads = app.uploads.take(tenant)?;
    let upload = receive(body, &app.config).await?;
    drop(reads);
    let compiles = app.compilations.take(tenant)?;
    if operations::is_asked_for(&headers) {
        let begun = operations::upload(&allowed, &bot, upload, compiles).await?;
        return operations::answer(begun, &headers).await;
    }
    let (tenancy, stamp) = (allowed.tenancy(), &allowed.stamp);
    let (version, new) = tenancy.upload(tenant, &bot, &upload, stamp, &|_| {}).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    let standing = tenancy.standing(tenant, &bot).await?;
    Ok((status, Json(shown(version, &standing))).into_response())
}

fn shown(record: VersionRecord, standing: &Standing) -> Version {
    let asks = record.asks();
    let changes = standing.changes(&record.digest, &asks);
    let VersionRecord { digest, bytes, tier, uploaded_ms, uploaded_by, manifest, imports, .. } =
        record;
    let digest = digest.to_string();
    Version {
        digest,
        bytes,
        tier,
        uploaded_ms,
        uploaded_by,
        manifest,
        imports,
        changes: changes.as_ref().map(grants::changes),
        pending: grants::missing(standing.pending(&asks)),
        unwished: standing.unwished(&asks),
    }
}
