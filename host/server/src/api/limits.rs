//! All limits, from the table that they are enforced by.

use axum::extract::Path;
use botyard_kernel::access::Permission;
use botyard_kernel::limits::{Change, Limit, Limits, Unit};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Caller, OfTenant};
use super::page::Json;
use super::problem::Problem;
use crate::tenancy::COUNTED;

/// Nothing counts these yet, so nobody is told that they hold.
const NOT_YET: [Limit; 4] =
    [Limit::EventsPerSecond, Limit::CallsPerMinute, Limit::LogBytesPerHour, Limit::StorageBytes];

/// A limit.
#[derive(Serialize, ToSchema)]
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
    /// `fixed`, `host` where the settings of the host say it, or `tenant` where the operator
    /// sets it for a tenant, who may set it lower.
    #[schema(value_type = String)]
    change: Change,
}

/// A value of a limit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Value {
    /// `null` takes back what was set.
    value: Option<u64>,
}

/// All limits of this host, as they are by default.
#[utoipa::path(get, path = "/v1/limits", tag = "limits",
    responses((status = 200, body = Vec<Row>), (status = "4XX", body = Problem)))]
pub(super) async fn list(_caller: Caller) -> Json<Vec<Row>> {
    Json(rows(&Limits::default()))
}

/// The limits that hold for a tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/limits", tag = "limits",
    params(("tenant" = String, Path)),
    responses((status = 200, body = Vec<Row>), (status = "4XX", body = Problem)))]
pub(super) async fn of_tenant(of: OfTenant) -> Result<Json<Vec<Row>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let record = allowed.tenancy().tenant(&allowed.tenant).await?;
    Ok(Json(rows(&record.limits)))
}

/// Set a limit of a tenant. The tenant itself only lowers it.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/limits/{limit}", tag = "limits",
    params(("tenant" = String, Path), ("limit" = String, Path)), request_body = Value,
    responses((status = 200, body = Vec<Row>), (status = "4XX", body = Problem)))]
pub(super) async fn set(
    of: OfTenant,
    Path((_, name)): Path<(String, String)>,
    Json(Value { value }): Json<Value>,
) -> Result<Json<Vec<Row>>, Problem> {
    let allowed = of.may(Permission::LowerLimits, None)?;
    let named = |limit: &&Limit| limit.row().name == name;
    let limit = *Limit::ALL.iter().find(named).ok_or_else(Problem::not_found)?;
    if shown(limit).change != Change::Tenant {
        let detail = format!("`{name}` is set in the host's settings, for all tenants");
        return Err(Problem::bad(detail));
    }
    let (tenancy, tenant, stamp) = (allowed.tenancy(), &allowed.tenant, &allowed.stamp);
    let limits = tenancy.set_limit(tenant, limit, value, allowed.grant.scope, stamp).await?;
    Ok(Json(rows(&limits)))
}

fn rows(limits: &Limits) -> Vec<Row> {
    let all = Limit::ALL.iter().filter(|limit| !NOT_YET.contains(limit));
    all.map(|limit| Row { value: limits.value(*limit), ..shown(*limit) }).collect()
}

/// A limit as the host changes it: only what is counted by tenant is set by tenant.
fn shown(limit: Limit) -> Row {
    let row = limit.row();
    let counted = COUNTED.iter().any(|(counted, _)| *counted == limit);
    let change = match row.change {
        Change::Tenant if !counted => Change::Host,
        change => change,
    };
    Row { name: row.name, what: row.what, unit: row.unit, value: row.default, change }
}
