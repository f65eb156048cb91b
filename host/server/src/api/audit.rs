//! What was changed of a tenant, by whom: rows that nobody changes.

use botyard_kernel::access::{Permission, Scope};
use botyard_kernel::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::{Json, Page, Paging, Query};
use super::problem::{Code, Problem};

/// A change.
#[derive(Serialize, ToSchema)]
pub(super) struct Row {
    seq: u64,
    at_ms: Millis,
    /// Who: a token, the settings, the host itself.
    actor: String,
    /// `put` or `delete`.
    action: String,
    /// What kind of object.
    kind: String,
    /// Its name.
    name: String,
    /// The SHA-256 of its new value; absent for `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// The hash of the row before.
    previous: String,
    /// The hash of this row, which covers all of the above.
    hash: String,
}

/// That the chain of rows is whole.
#[derive(Serialize, ToSchema)]
pub(super) struct Verified {
    /// So many rows follow each other.
    rows: u64,
    /// The last of them as `place:hash`. Keep it elsewhere: rows that are cut off later, or
    /// all of them written anew, show by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<String>,
}

/// What is known of the rows.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// The `head` of an earlier check, or of a backup's manifest: this row must be there.
    expect: Option<String>,
}

/// The changes of a tenant, the oldest first. What an earlier tenant of its name has left
/// behind is shown to the operator alone.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/audit", tag = "audit",
    params(("tenant" = String, Path), Paging),
    responses((status = 200, body = Page<Row>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Row>>, Problem> {
    let allowed = of.may(Permission::ReadAudit, None)?;
    let after = paging.after.as_deref().map(str::parse).transpose();
    let after = after.map_err(|_| Problem::bad("`after` is the `seq` of a row"))?.unwrap_or(0);
    let (limit, after) = (paging.limit(), after.max(hidden(&allowed).await?));
    let rows = allowed.store().audit(after, limit).await?;
    let after = rows.last().filter(|_| rows.len() == limit).map(|row| row.seq.to_string());
    let items = rows.into_iter().map(|row| Row {
        seq: row.seq,
        at_ms: row.at_ms,
        actor: row.actor,
        action: row.action,
        kind: row.kind,
        name: row.name,
        digest: row.digest.map(|digest| digest.to_string()),
        previous: row.previous.to_string(),
        hash: row.hash.to_string(),
    });
    Ok(Json(Page { items: items.collect(), after }))
}

/// Check that no row was changed, taken away or put in between.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/audit/verify", tag = "audit",
    params(("tenant" = String, Path), Expected),
    responses((status = 200, body = Verified), (status = "4XX", body = Problem)))]
pub(super) async fn verify(
    of: OfTenant,
    Query(expected): Query<Expected>,
) -> Result<Json<Verified>, Problem> {
    let allowed = of.may(Permission::ReadAudit, None)?;
    let hidden = hidden(&allowed).await?;
    if let Some(expected) = &expected.expect {
        let known = expected.split_once(':').and_then(|(seq, _)| seq.parse::<u64>().ok());
        let wrong = || Problem::bad("`expect` is the `head` of an earlier check: `place:hash`");
        let place = known.filter(|place| *place > 0).ok_or_else(wrong)?;
        let row = allowed.store().audit(place - 1, 1).await?.pop();
        let row = row.filter(|row| row.seq > hidden);
        if row.is_none_or(|row| format!("{}:{}", row.seq, row.hash) != *expected) {
            let detail = format!(
                "the audit does not have the row {expected}: rows were cut off or written anew \
                 since, or the store was made of an older backup"
            );
            return Err(Problem::new(Code::AuditDiffers, detail));
        }
    }
    let head = allowed.store().audit_head().await?;
    let rows = head.map_or(0, |(seq, _)| seq.saturating_sub(hidden));
    Ok(Json(Verified { rows, head: head.map(|(seq, hash)| format!("{seq}:{hash}")) }))
}

/// How many rows at the beginning of the audit are not the caller's to see: those of an
/// earlier tenant of this name. The chain is one, as rows are never taken away.
async fn hidden(allowed: &Allowed) -> Result<u64, Problem> {
    if allowed.grant.scope == Scope::Operator {
        return Ok(0);
    }
    Ok(allowed.tenancy().tenant(&allowed.tenant).await?.audit_after)
}
