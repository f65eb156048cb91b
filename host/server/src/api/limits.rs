//! All limits, from the table that they are enforced by.

use botyard_kernel::limits::{Change, Limit, Unit};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::page::Json;
use super::problem::Problem;

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
    default: Option<u64>,
    /// Who may change it: `fixed`, `host` or `tenant`, who may only lower it.
    #[schema(value_type = String)]
    change: Change,
}

/// All limits of this host.
#[utoipa::path(get, path = "/v1/limits", tag = "limits",
    responses((status = 200, body = Vec<Row>), (status = "4XX", body = Problem)))]
pub(super) async fn list(_caller: Caller) -> Json<Vec<Row>> {
    let row = |limit: &Limit| {
        let row = limit.row();
        Row {
            name: row.name,
            what: row.what,
            unit: row.unit,
            default: row.default,
            change: row.change,
        }
    };
    Json(Limit::ALL.iter().map(row).collect())
}
