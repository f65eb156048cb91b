//! Bots.

use axum::extract::Path;
use botyard_kernel::access::Permission;
use botyard_kernel::id::BotId;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::{Json, Page, Paging, Query};
use super::pauses::{self, Paused};
use super::problem::Problem;
use crate::tenancy::{BotChange, kind};
use crate::work::Pausable;

/// A bot.
#[derive(Serialize, ToSchema)]
pub(super) struct Bot {
    name: String,
    /// The version that answers; absent where none was deployed yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// It runs the versions of this bot of the operator's.
    #[serde(skip_serializing_if = "Option::is_none")]
    shared: Option<String>,
    /// Other tenants may run it.
    offered: bool,
    /// No turns run; absent where it is not paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<Paused>,
    /// `config`, `hosts`, `overlap`, `coalesce-ms`, `degrade`, `choices` and `http-headers`,
    /// as in the settings file. A secret stands there as `{"secret": "NAME"}`.
    /// Shown to who may set it: the scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

/// What is set of a bot.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BotSettings {
    /// `""` ends it. Absent: it stays as it is.
    #[serde(default)]
    shared: Option<String>,
    /// Absent: it stays as it is.
    #[serde(default)]
    offered: Option<bool>,
    /// Absent: they stay as they are.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// The settings as they were read. Where they are others by now, nothing is changed.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    seen: Option<Value>,
}

/// The bots of a tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots", tag = "bots",
    params(("tenant" = String, Path), Paging),
    responses((status = 200, body = Page<Bot>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Bot>>, Problem> {
    let narrowed = of.caller.grant.bot.clone();
    let allowed = of.may(Permission::ReadObjects, narrowed.as_ref())?;
    let mut bots = Vec::new();
    for record in allowed.store().list(kind::BOT).await? {
        let id = BotId(record.name);
        if narrowed.as_ref().is_none_or(|own| *own == id) {
            bots.push(shown(&allowed, id).await?);
        }
    }
    Ok(Json(Page::of(bots, &paging, |bot| &bot.name)))
}

/// A bot.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}", tag = "bots",
    params(("tenant" = String, Path), ("bot" = String, Path)),
    responses((status = 200, body = Bot), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
) -> Result<Json<Bot>, Problem> {
    let allowed = of.may(Permission::ReadObjects, Some(&bot))?;
    Ok(Json(shown(&allowed, bot).await?))
}

/// Make a bot, or set it anew. It answers once a version is deployed and a channel has it.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/bots/{bot}", tag = "bots",
    params(("tenant" = String, Path), ("bot" = String, Path)), request_body = BotSettings,
    responses((status = 200, body = Bot), (status = 201, body = Bot), (status = "4XX", body = Problem)))]
pub(super) async fn put(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    Json(settings): Json<BotSettings>,
) -> Result<(StatusCode, Json<Bot>), Problem> {
    let allowed = of.may(Permission::ManageBots, Some(&bot))?;
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    let BotSettings { shared, offered, settings, seen } = settings;
    let change = BotChange { shared, offered, settings, seen };
    let narrow = allowed.grant.bot.is_some();
    let new = tenancy.put_bot(tenant, &bot, change, narrow, &allowed.stamp).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(&allowed, bot).await?)))
}

/// Take a bot away that no channel has.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/bots/{bot}", tag = "bots",
    params(("tenant" = String, Path), ("bot" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(super) async fn delete(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
) -> Result<StatusCode, Problem> {
    let allowed = of.may(Permission::ManageBots, Some(&bot))?;
    allowed.tenancy().delete_bot(&allowed.tenant, &bot, &allowed.stamp).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn shown(allowed: &Allowed, bot: BotId) -> Result<Bot, Problem> {
    let record = allowed.tenancy().bot(&allowed.tenant, &bot).await?;
    let deployed = allowed.tenancy().deployed(&allowed.tenant, &bot).await?;
    Ok(Bot {
        paused: pauses::paused(allowed, Pausable::Bot, bot.as_str()),
        name: bot.0,
        version: deployed.map(|deployed| deployed.current.to_string()),
        shared: record.shared.map(|shared| shared.0),
        offered: record.offered,
        settings: allowed.settings(record.settings),
    })
}
