//! All limits, from the table that they are enforced by.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use botyard_kernel::access::Permission;
use botyard_kernel::limits::{Change, Limit, Limits, Unit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Allowed, Caller, OfTenant};
use super::page::Json;
use super::problem::Problem;
use crate::app::App;
use crate::tenancy::Used;

/// A limit.
#[derive(Serialize, ToSchema)]
#[schema(as = Limit)]
pub(super) struct Row {
    name: &'static str,
    /// What it bounds.
    what: &'static str,
    /// In what it is counted.
    #[schema(value_type = String)]
    unit: Unit,
    /// Absent where nothing is bounded until somebody sets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u64>,
    /// What the operator has set for this tenant; absent where they set nothing. What holds
    /// is lower where the tenant has set less.
    #[serde(skip_serializing_if = "Option::is_none")]
    set_by_operator: Option<u64>,
    /// How much of it is used now; absent where that is not counted, or only in a turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
    /// `fixed`, `host` where the settings of the host say it, or `tenant` where the operator
    /// sets it for a tenant, who may set it lower.
    #[schema(value_type = String)]
    change: Change,
}

/// A value of a limit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewValue {
    /// `null` takes back what was set.
    value: Option<u64>,
}

/// All limits of this host, as they are by default.
#[utoipa::path(get, path = "/v1/limits", tag = "limits",
    responses((status = 200, body = Vec<Row>), (status = "4XX", body = Problem)))]
pub(super) async fn list(State(app): State<Arc<App>>, _caller: Caller) -> Json<Vec<Row>> {
    Json(rows(&app.work.quotas().of_host(), &BTreeMap::new()))
}

/// The limits that hold for a tenant, with what is used of them.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/limits", tag = "limits",
    params(("tenant" = String, Path)),
    responses((status = 200, body = Vec<Row>), (status = "4XX", body = Problem)))]
pub(super) async fn of_tenant(of: OfTenant) -> Result<Json<Vec<Row>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    Ok(Json(used(&allowed).await?))
}

/// Set a limit of a tenant. The tenant itself only lowers it.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/limits/{limit}", tag = "limits",
    params(("tenant" = String, Path), ("limit" = String, Path)), request_body = NewValue,
    responses((status = 200, body = Vec<Row>), (status = "4XX", body = Problem)))]
pub(super) async fn set(
    of: OfTenant,
    Path((_, name)): Path<(String, String)>,
    Json(NewValue { value }): Json<NewValue>,
) -> Result<Json<Vec<Row>>, Problem> {
    let allowed = of.may(Permission::LowerLimits, None)?;
    let named = |limit: &&Limit| limit.row().name == name;
    let limit = *Limit::ALL.iter().find(named).ok_or_else(Problem::not_found)?;
    if limit.row().change != Change::Tenant {
        let detail = format!("`{name}` is set in the host's settings, for all tenants");
        return Err(Problem::bad(detail));
    }
    let (tenant, by) = (&allowed.tenant, allowed.grant.scope);
    allowed.tenancy().set_limit(tenant, limit, value, by, &allowed.stamp).await?;
    Ok(Json(used(&allowed).await?))
}

async fn used(allowed: &Allowed) -> Result<Vec<Row>, Problem> {
    let Used { limits, used } = allowed.tenancy().used(&allowed.tenant).await?;
    Ok(rows(&limits, &used))
}

fn rows(limits: &Limits, used: &BTreeMap<Limit, u64>) -> Vec<Row> {
    let row = |limit: &Limit| {
        let row = limit.row();
        Row {
            name: row.name,
            what: row.what,
            unit: row.unit,
            value: limits.value(*limit),
            set_by_operator: limits.tenant.get(limit).copied(),
            used: used.get(limit).copied(),
            change: row.change,
        }
    };
    Limit::ALL.iter().map(row).collect()
}
