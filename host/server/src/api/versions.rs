//! Versions of bots: uploaded, checked, compiled. None of it changes any traffic.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Path;
use botyard_kernel::access::Permission;
use botyard_kernel::id::{BotId, Digest};
use botyard_kernel::time::Millis;
use futures_util::StreamExt as _;
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::caller::OfTenant;
use super::grants::{self, Changes, Missing};
use super::page::{Json, Page, Paging, Query};
use super::problem::{Code, Problem};
use crate::tenancy::{Standing, VersionRecord};

/// The largest component that any tier takes, in bytes.
const COMPONENT_BYTES_MAX: usize = 32 << 20;

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
    /// What the bot says about itself.
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
    let versions = allowed.tenancy().versions(&allowed.tenant, &bot).await?;
    let standing = allowed.tenancy().standing(&allowed.tenant, &bot).await?;
    let mut versions: Vec<_> = versions.into_iter().map(|it| shown(it, &standing)).collect();
    versions.sort_by(|one, other| one.digest.cmp(&other.digest));
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

/// Upload a component: the body is the `.wasm` itself.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/bots/{bot}/versions", tag = "versions",
    params(("tenant" = String, Path), ("bot" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 200, body = Version), (status = 201, body = Version),
        (status = "4XX", body = Problem)))]
pub(super) async fn upload(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    body: Body,
) -> Result<(StatusCode, Json<Version>), Problem> {
    let allowed = of.may(Permission::Upload, Some(&bot))?;
    // Whoever has no such bot is told before anything is read.
    allowed.tenancy().bot(&allowed.tenant, &bot).await?;
    let _place = allowed.app.uploads.take(&allowed.tenant)?;
    let wasm = read(body, allowed.app.config.server.body_timeout).await?;
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    let (version, new) = tenancy.upload(tenant, &bot, wasm, &allowed.stamp).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(version, &tenancy.standing(tenant, &bot).await?))))
}

/// Whoever sends nothing for so long is not waited for.
async fn read(body: Body, patience: Duration) -> Result<Vec<u8>, Problem> {
    let (mut wasm, mut chunks) = (Vec::new(), body.into_data_stream());
    let late = |_| Problem::bad("the upload stood still for too long: send it again");
    while let Some(chunk) = timeout(patience, chunks.next()).await.map_err(late)? {
        let chunk =
            chunk.map_err(|error| Problem::bad(format!("the upload broke off: {error}")))?;
        if wasm.len() + chunk.len() > COMPONENT_BYTES_MAX {
            let detail = format!("a component has at most {COMPONENT_BYTES_MAX} bytes");
            return Err(Problem::new(Code::TooLarge, detail));
        }
        wasm.extend_from_slice(&chunk);
    }
    Ok(wasm)
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
