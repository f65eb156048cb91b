//! What comes in by a channel, as operators look at it.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use botyard_kernel::id::{ChannelId, TenantId};
use botyard_store::Stamp;
use http::StatusCode;
use serde::Deserialize;

use super::protocol::{CaptureRequest, Capturing};
use super::routes::{Operator, Refused};
use crate::app::App;
use crate::captures::{CAPTURE_MS_MAX, CAPTURE_MS_MIN, Shown};
use crate::clock;
use crate::registry::Channel;

/// Keeps the channel's webhooks as they come, for a while.
pub(super) async fn capture(
    State(app): State<Arc<App>>,
    ConnectInfo(Operator(by)): ConnectInfo<Operator>,
    Path(name): Path<String>,
    Json(request): Json<CaptureRequest>,
) -> Result<Json<Capturing>, Refused> {
    let channel = served(&app, name)?;
    if !(CAPTURE_MS_MIN..=CAPTURE_MS_MAX).contains(&request.for_ms) {
        let problem = "a capture lasts 10 seconds at least and an hour at most".to_owned();
        return Err(Refused(StatusCode::BAD_REQUEST, problem));
    }
    let now = clock::now();
    let until_ms = now.saturating_add(request.for_ms);
    witness(&app, &channel.tenant, "capture", &channel.id, by.clone()).await?;
    app.captures.begin(&channel.id, until_ms);
    let channel = channel.id.clone();
    tracing::warn!(%channel, until_ms, by, "webhooks are kept as they come, sealed");
    Ok(Json(Capturing { channel: channel.0, until_ms }))
}

/// Whether what was kept is to be forgotten.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Forget {
    #[serde(default)]
    delete: bool,
}

/// What was kept.
pub(super) async fn captured(
    State(app): State<Arc<App>>,
    ConnectInfo(Operator(by)): ConnectInfo<Operator>,
    Path(name): Path<String>,
    Query(forget): Query<Forget>,
) -> Result<Json<Shown>, Refused> {
    let id = ChannelId(name);
    let tenant = blocking(&app, &id, owner).await?;
    let action = if forget.delete { "take-capture" } else { "read-capture" };
    witness(&app, &tenant, action, &id, by).await?;
    let kept = move |app: &App, id: &ChannelId| {
        let (captures, envelope) = (&app.captures, app.work.envelope());
        let kept = if forget.delete {
            captures.take(envelope, &tenant, id)
        } else {
            captures.read(envelope, &tenant, id)
        };
        kept.map(Json).map_err(|error| failed(&error))
    };
    blocking(&app, &id, kept).await
}

/// Whose channel it is, or was: the settings need not have it any more.
fn owner(app: &App, id: &ChannelId) -> Result<TenantId, Refused> {
    if let Some(channel) = app.work.channel(id) {
        return Ok(channel.tenant.clone());
    }
    let owner = app.captures.owner(id).context("the capture cannot be read");
    owner.map_err(|error| failed(&error))?.ok_or_else(|| unknown(id))
}

async fn blocking<T: Send + 'static>(
    app: &Arc<App>,
    id: &ChannelId,
    act: impl FnOnce(&App, &ChannelId) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let (app, id) = (Arc::clone(app), id.clone());
    let done = tokio::task::spawn_blocking(move || act(&app, &id)).await;
    done.map_err(|error| failed(&error.into()))?
}

/// What people wrote is looked at: the tenant's audit says by whom.
async fn witness(
    app: &App,
    tenant: &TenantId,
    action: &str,
    channel: &ChannelId,
    actor: String,
) -> Result<(), Refused> {
    let stamp = Stamp { at_ms: clock::now(), actor };
    let store = app.work.store().tenant(tenant);
    Ok(store.witness(action, "channel", channel.as_str(), &stamp).await?)
}

fn failed(error: &anyhow::Error) -> Refused {
    Refused(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))
}

pub(super) fn served(app: &App, name: String) -> Result<Arc<Channel>, Refused> {
    let id = ChannelId(name);
    app.work.channel(&id).ok_or_else(|| unknown(&id))
}

pub(super) fn unknown(channel: &ChannelId) -> Refused {
    let problem = format!("there is no channel {channel}: look into the settings");
    Refused(StatusCode::NOT_FOUND, problem)
}
