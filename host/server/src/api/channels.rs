//! Channels, and external bots.

use axum::extract::Path;
use botyard_kernel::access::Permission;
use botyard_kernel::id::ChannelId;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::{Json, Page, Paging, Query};
use super::pauses::{self, Paused};
use super::problem::Problem;
use crate::tenancy::{ChannelRecord, RelayRecord, kind};
use crate::work::Pausable;

/// A channel.
#[derive(Serialize, ToSchema)]
pub(super) struct Channel {
    name: String,
    /// Where the vendor sends its webhooks. Some vendors want more behind it: `paste` says
    /// what.
    webhook_url: String,
    /// What is pasted at the vendor, and where; shown with the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    paste: Option<Vec<Paste>>,
    /// It is connected. Where it is not, the host's log says why.
    runs: bool,
    /// No turns run and no calls leave; absent where it is not paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<Paused>,
    /// As in the settings file. Secrets stand there by name. Shown to who may set it: the
    /// scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

/// One thing that is pasted at the vendor.
#[derive(Serialize, ToSchema)]
struct Paste {
    /// Where, in the vendor's own words.
    field: String,
    /// What. A secret is named and not shown: only its owner has its value.
    value: String,
}

/// What is set of a channel or an external bot.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    #[schema(value_type = Object)]
    settings: Value,
}

/// An external bot.
#[derive(Serialize, ToSchema)]
pub(super) struct Relay {
    name: String,
    /// Shown to who may set it: the scope `admin`.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

/// The channels of a tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/channels", tag = "channels",
    params(("tenant" = String, Path), Paging),
    responses((status = 200, body = Page<Channel>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Channel>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let mut channels = Vec::new();
    for record in allowed.store().list(kind::CHANNEL).await? {
        channels.push(shown(&allowed, record.name, record.value));
    }
    Ok(Json(Page::of(channels, &paging, |channel| &channel.name)))
}

/// A channel.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/channels/{channel}", tag = "channels",
    params(("tenant" = String, Path), ("channel" = String, Path)),
    responses((status = 200, body = Channel), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    of: OfTenant,
    Path((_, channel)): Path<(String, String)>,
) -> Result<Json<Channel>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let found = allowed.store().get(kind::CHANNEL, &channel).await?;
    Ok(Json(shown(&allowed, channel, found.ok_or_else(Problem::not_found)?)))
}

/// Make a channel, or set it anew. Its secrets come from the tenant's:
/// `{"secret": "NAME"}`.
///
/// Its name stands in its webhook URL, so no two channels of a host have the same: one that is
/// taken answers `already-exists`, whoever has it.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/channels/{channel}", tag = "channels",
    params(("tenant" = String, Path), ("channel" = String, Path)), request_body = Settings,
    responses((status = 200, body = Channel), (status = 201, body = Channel),
        (status = "4XX", body = Problem)))]
pub(super) async fn put(
    of: OfTenant,
    Path((_, channel)): Path<(String, ChannelId)>,
    Json(Settings { settings }): Json<Settings>,
) -> Result<(StatusCode, Json<Channel>), Problem> {
    let allowed = of.may(Permission::ManageChannels, None)?;
    let record = ChannelRecord { settings };
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    let new = tenancy.put_channel(tenant, &channel, &record, &allowed.stamp).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    let value = serde_json::json!(record);
    Ok((status, Json(shown(&allowed, channel.0, value))))
}

/// Take a channel away. What waits in it goes on when it is made again.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/channels/{channel}", tag = "channels",
    params(("tenant" = String, Path), ("channel" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(super) async fn delete(
    of: OfTenant,
    Path((_, channel)): Path<(String, ChannelId)>,
) -> Result<StatusCode, Problem> {
    let allowed = of.may(Permission::ManageChannels, None)?;
    allowed.tenancy().delete_channel(&allowed.tenant, &channel, &allowed.stamp).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The external bots of a tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/relays", tag = "channels",
    params(("tenant" = String, Path), Paging),
    responses((status = 200, body = Page<Relay>), (status = "4XX", body = Problem)))]
pub(super) async fn list_relays(
    of: OfTenant,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Relay>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let records = allowed.store().list(kind::RELAY).await?.into_iter();
    let relay = |record: botyard_store::Record| Relay {
        name: record.name,
        settings: allowed.settings(record.value["settings"].clone()),
    };
    Ok(Json(Page::of(records.map(relay).collect(), &paging, |relay| &relay.name)))
}

/// Make an external bot, or set it anew.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/relays/{relay}", tag = "channels",
    params(("tenant" = String, Path), ("relay" = String, Path)), request_body = Settings,
    responses((status = 200, body = Relay), (status = 201, body = Relay),
        (status = "4XX", body = Problem)))]
pub(super) async fn put_relay(
    of: OfTenant,
    Path((_, name)): Path<(String, String)>,
    Json(Settings { settings }): Json<Settings>,
) -> Result<(StatusCode, Json<Relay>), Problem> {
    let allowed = of.may(Permission::ManageChannels, None)?;
    let record = RelayRecord { settings };
    let (tenancy, tenant) = (allowed.tenancy(), &allowed.tenant);
    let new = tenancy.put_relay(tenant, &name, &record, &allowed.stamp).await?;
    let status = if new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(Relay { name, settings: Some(record.settings) })))
}

/// Take an external bot away.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/relays/{relay}", tag = "channels",
    params(("tenant" = String, Path), ("relay" = String, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
pub(super) async fn delete_relay(
    of: OfTenant,
    Path((_, name)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let allowed = of.may(Permission::ManageChannels, None)?;
    allowed.tenancy().delete_relay(&allowed.tenant, &name, &allowed.stamp).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn shown(allowed: &Allowed, name: String, mut record: Value) -> Channel {
    let known = allowed.app.work.channel(&ChannelId(name.clone()));
    let webhook_url = format!("{}/webhooks/{name}", allowed.app.base_url());
    let settings = allowed.settings(record["settings"].take());
    Channel {
        paste: settings.as_ref().and_then(|settings| paste(settings, &webhook_url)),
        webhook_url,
        runs: known.is_some_and(|known| known.tenant == allowed.tenant),
        paused: pauses::paused(allowed, Pausable::Channel, &name),
        settings,
        name,
    }
}

fn paste(settings: &Value, webhook_url: &str) -> Option<Vec<Paste>> {
    let vendor = botyard_vendors::known(settings["vendor"].as_str()?).ok()?;
    let pastes = (vendor.paste)(settings, webhook_url).into_iter();
    Some(pastes.map(|one| Paste { field: one.field, value: one.value }).collect())
}
