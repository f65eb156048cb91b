//! Secrets of a tenant. They can be put and taken away; nobody reads them.

use axum::extract::Path;
use botyard_kernel::access::Permission;
use botyard_kernel::time::Millis;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::OfTenant;
use super::page::{Json, Page, Paging, Query};
use super::problem::Problem;
use crate::tenancy::{SecretRecord, kind};

/// A secret, without what it says.
#[derive(Serialize, ToSchema)]
pub(super) struct Secret {
    name: String,
    /// When it was put (Unix milliseconds).
    updated_ms: Millis,
}

/// What a secret says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSecret {
    #[schema(write_only)]
    value: String,
}

/// The names of the secrets of a tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/secrets", tag = "secrets",
    params(("tenant" = String, Path), Paging),
    responses((status = 200, body = Page<Secret>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Secret>>, Problem> {
    let allowed = of.may(Permission::ManageSecrets, None)?;
    let records = allowed.store().list(kind::SECRET).await?.into_iter();
    let secrets = records.map(|record| {
        let known: Option<SecretRecord> = serde_json::from_value(record.value).ok();
        Secret { name: record.name, updated_ms: known.map_or(0, |known| known.updated_ms) }
    });
    Ok(Json(Page::of(secrets.collect(), &paging, |secret| &secret.name)))
}

/// Put a secret. What names it has it at once. One that says the same already stays as it is,
/// with the time at which it was put.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/secrets/{secret}", tag = "secrets",
    params(("tenant" = String, Path), ("secret" = String, Path)), request_body = NewSecret,
    responses((status = 200, body = Secret), (status = 201, body = Secret),
        (status = "4XX", body = Problem)))]
pub(super) async fn put(
    of: OfTenant,
    Path((_, name)): Path<(String, String)>,
    Json(new): Json<NewSecret>,
) -> Result<(StatusCode, Json<Secret>), Problem> {
    let allowed = of.may(Permission::ManageSecrets, None)?;
    let (tenancy, tenant, stamp) = (allowed.tenancy(), &allowed.tenant, &allowed.stamp);
    let put = tenancy.put_secret(tenant, &name, &new.value, stamp).await?;
    let status = if put.fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Secret { name, updated_ms: put.updated_ms })))
}

/// Take a secret away that nothing names.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/secrets/{secret}", tag = "secrets",
    params(("tenant" = String, Path), ("secret" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(super) async fn delete(
    of: OfTenant,
    Path((_, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let allowed = of.may(Permission::ManageSecrets, None)?;
    allowed.tenancy().delete_secret(&allowed.tenant, &name, &allowed.stamp).await?;
    Ok(StatusCode::NO_CONTENT)
}
