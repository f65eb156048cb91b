//! Components for download.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::access::Permission;
use botyard_kernel::id::{BotId, Digest};
use http::header::CONTENT_TYPE;

use super::caller::OfTenant;
use super::problem::Problem;

/// The component of a version, as it was uploaded.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}/versions/{digest}/component",
    tag = "versions",
    params(("tenant" = String, Path), ("bot" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/wasm"),
        (status = "4XX", body = Problem)))]
pub(super) async fn component(
    of: OfTenant,
    Path((_, bot, digest)): Path<(String, BotId, String)>,
) -> Result<Response, Problem> {
    let allowed = of.may(Permission::ManageBots, Some(&bot))?;
    let digest = Digest::from_hex(&digest).ok_or_else(Problem::not_found)?;
    // It is this tenant's, or there is none.
    allowed.tenancy().version(&allowed.tenant, &bot, &digest).await?;
    let wasm = allowed.tenancy().component(&digest).await?.ok_or_else(Problem::not_found)?;
    Ok(([(CONTENT_TYPE, "application/wasm")], wasm).into_response())
}
