//! What a tenant keeps.

use std::collections::BTreeSet;

use botyard_kernel::access::Permission;
use botyard_kernel::limits::Limit;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::OfTenant;
use super::page::Json;
use super::problem::Problem;

/// What a tenant keeps, in bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Storage {
    /// All of it: what the limit `storage-bytes` counts.
    bytes: u64,
    /// That limit; absent where nothing is bounded.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    /// Logs of conversations, with their dead letters.
    conversations: u64,
    /// Uploaded components.
    components: u64,
    /// Values of bots.
    values: u64,
    /// Webhooks that were captured.
    captures: u64,
    /// What ends by itself: usage, idempotency keys, operations.
    notes: u64,
    /// Settings, versions, secrets, tokens.
    records: u64,
    /// The audit.
    audit: u64,
    /// What of that is a bot's, by name.
    bots: Vec<OfBot>,
}

/// What a bot keeps, in bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OfBot {
    bot: String,
    components: u64,
    values: u64,
}

/// What a tenant keeps now, against its limit. Nothing is counted for it: it is known.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/storage", tag = "limits",
    params(("tenant" = String, Path)),
    responses((status = 200, body = Storage), (status = "4XX", body = Problem)))]
pub(super) async fn show(of: OfTenant) -> Result<Json<Storage>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let storage = allowed.tenancy().storage(&allowed.tenant).await?;
    let limits = allowed.app.work.quotas().limits(&allowed.tenant);
    let (values, components) = (&storage.stored.values, &storage.components);
    let bots: BTreeSet<_> = values.keys().chain(components.keys()).collect();
    let bots = bots.into_iter().map(|bot| OfBot {
        bot: bot.to_string(),
        components: components.get(bot).copied().unwrap_or_default(),
        values: values.get(bot).copied().unwrap_or_default(),
    });
    Ok(Json(Storage {
        bytes: storage.sum(),
        limit: limits.value(Limit::StorageBytes),
        conversations: storage.stored.conversations,
        components: components.values().sum(),
        values: values.values().sum(),
        captures: storage.captures,
        notes: storage.stored.notes,
        records: storage.stored.records,
        audit: storage.stored.audit,
        bots: bots.collect(),
    }))
}
