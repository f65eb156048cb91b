//! Tenants.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use botyard_kernel::access::{OPERATOR, Permission};
use botyard_kernel::id::TenantId;
use botyard_kernel::time::Millis;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::{Caller, OfTenant};
use super::operations::{Operation, answer};
use super::page::{Json, Page, Paging, Query};
use super::problem::Problem;
use crate::app::App;
use crate::clock;
use crate::operations::{Durable, begin};
use crate::tenancy::{Managed, TenantRecord};

/// A tenant.
#[derive(Serialize, ToSchema)]
pub(super) struct Tenant {
    name: String,
    /// `api`, or `settings` where the settings file of the host has it.
    managed: &'static str,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// Since when (Unix milliseconds).
    created_ms: Millis,
    /// `alert-url` and `rate`, as in the settings file. Shown to the scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

/// What a tenant is made with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTenant {
    name: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
}

/// What can be changed of a tenant: what is not named stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TenantChange {
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
}

/// The tenants of the host.
#[utoipa::path(get, path = "/v1/tenants", tag = "tenants", params(Paging),
    responses((status = 200, body = Page<Tenant>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Tenant>>, Problem> {
    caller.may(Permission::ManageTenants)?;
    let records = app.tenancy.tenant_records().await?.into_iter();
    let tenants = records.map(|(id, record)| shown(&id, record)).collect();
    Ok(Json(Page::of(tenants, &paging, |tenant| &tenant.name)))
}

/// Make a tenant.
#[utoipa::path(post, path = "/v1/tenants", tag = "tenants", request_body = NewTenant,
    responses((status = 201, body = Tenant), (status = "4XX", body = Problem)))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewTenant>,
) -> Result<(StatusCode, Json<Tenant>), Problem> {
    caller.may(Permission::ManageTenants)?;
    let id = TenantId(new.name);
    let settings = new.settings.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    let record = TenantRecord { label: new.label, settings, ..TenantRecord::default() };
    let record = app.tenancy.create_tenant(&id, record, &caller.stamp()).await?;
    Ok((StatusCode::CREATED, Json(shown(&id, record))))
}

/// A tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}", tag = "tenants",
    params(("tenant" = String, Path)),
    responses((status = 200, body = Tenant), (status = "4XX", body = Problem)))]
pub(super) async fn show(of: OfTenant) -> Result<Json<Tenant>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let record = allowed.tenancy().tenant(&allowed.tenant).await?;
    let mut tenant = shown(&allowed.tenant, record);
    tenant.settings = tenant.settings.and_then(|settings| allowed.settings(settings));
    Ok(Json(tenant))
}

/// Set something of a tenant: where alerts go, how long conversations are kept. Its `rate`
/// is the operator's to set.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}", tag = "tenants",
    params(("tenant" = String, Path)), request_body = TenantChange,
    responses((status = 200, body = Tenant), (status = "4XX", body = Problem)))]
pub(super) async fn update(
    of: OfTenant,
    Json(change): Json<TenantChange>,
) -> Result<Json<Tenant>, Problem> {
    let allowed = of.may(Permission::LowerLimits, None)?;
    let change = (change.label, change.settings);
    let (tenancy, tenant, by) = (allowed.tenancy(), &allowed.tenant, allowed.grant.scope);
    let record = tenancy.put_tenant(tenant, change, by, &allowed.stamp).await?;
    Ok(Json(shown(tenant, record)))
}

/// Take a tenant away with everything that it has. Only its audit stays. It is promised when
/// this is answered: the tenant is not there for anybody from then on, what is under way ends,
/// and it goes on over restarts of the host until it is done. `Location` says where to ask how far
/// it is, among the operator's operations. Whoever prefers `wait=SECONDS` is answered when it is
/// done, if that is soon.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}", tag = "tenants",
    params(("tenant" = String, Path),
        ("prefer" = Option<String>, Header, description = "`wait=SECONDS`, at most 60")),
    responses((status = 200, body = Operation), (status = 202, body = Operation),
        (status = "4XX", body = Problem)))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(tenant): Path<TenantId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // Also what is left of one that is no more can be taken away.
    caller.grant.permits(Permission::ManageTenants, &tenant, None, clock::now())?;
    let (operator, durable) = (TenantId::from(OPERATOR), Durable::TenantDeletion(tenant.clone()));
    let begun = match app.operations.same(&operator, &durable.clone().into()).await {
        Some(same) => same,
        None => {
            app.tenancy.may_delete(&tenant, clock::now()).await?;
            let (operations, tenancy) = (&app.operations, &app.tenancy);
            begin(operations, tenancy, &operator, durable, &caller.actor).await?
        }
    };
    answer(begun, &headers).await
}

fn shown(id: &TenantId, record: TenantRecord) -> Tenant {
    let managed = match record.managed {
        Managed::Api => "api",
        Managed::Settings => "settings",
    };
    Tenant {
        name: id.to_string(),
        managed,
        label: record.label,
        created_ms: record.created_ms,
        settings: Some(record.settings),
    }
}
