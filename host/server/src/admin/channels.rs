//! Channels, as operators try them and look at what comes in.

use std::sync::Arc;

use anyhow::Context as _;
use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use botyard_kernel::action::Action;
use botyard_kernel::degrade::{Note, degrade};
use botyard_kernel::destination::Purpose;
use botyard_kernel::id::{ChannelId, TenantId, TurnId};
use botyard_store::Stamp;
use botyard_vendors::{CallAnswer, Outcome, Part, SettingsError, To, Vendor, samples};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::protocol::{CaptureRequest, Capturing, ProbeRequest, Probed, Sample, Samples, Taken};
use super::routes::{Operator, Refused};
use crate::app::App;
use crate::captures::{CAPTURE_MS_MAX, CAPTURE_MS_MIN, Shown};
use crate::clock;
use crate::registry::Channel;

/// The kind of the catalog's records.
const KIND: &str = "probe";
/// Where a vendor states no rate, calls of a probe follow each other so quickly.
const PAUSE_MS: u64 = 250;

/// What can be tried of a channel.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Samples>, Refused> {
    let channel = served(&app, name)?;
    let vendor = channel.vendor();
    let delivery = vendor.delivery();
    let apart = |calls: usize, window_ms: u64| window_ms.div_ceil(calls.max(1) as u64);
    let pause_ms = delivery.rate.map_or(PAUSE_MS, |rate| apart(rate.calls, rate.window_ms));
    let sample = |(what, action): (&str, Action)| Sample {
        action: action.name().to_owned(),
        what: what.to_owned(),
        ends: matches!(action, Action::Forward(_) | Action::Abort | Action::End),
    };
    let samples = samples(vendor.name()).into_iter().map(sample).collect();
    Ok(Json(Samples { vendor: vendor.name().to_owned(), pause_ms, samples }))
}

/// Sends one of them to a test conversation.
pub(super) async fn probe(
    State(app): State<Arc<App>>,
    ConnectInfo(Operator(actor)): ConnectInfo<Operator>,
    Path(name): Path<String>,
    Json(request): Json<ProbeRequest>,
) -> Result<Json<Probed>, Refused> {
    let channel = served(&app, name)?;
    let vendor = match &request.dialect {
        None => channel.vendor(),
        Some(dialect) => with_dialect(&app, &channel, dialect).await?,
    };
    let (what, action) =
        samples(vendor.name()).into_iter().nth(request.sample).ok_or_else(|| {
            Refused(StatusCode::NOT_FOUND, format!("there is no sample {}", request.sample))
        })?;
    let name = action.name().to_owned();
    let profile = vendor.profile(&request.medium);
    let mut degraded = degrade(action.clone(), &profile, vendor.name());
    let notes = std::mem::take(&mut degraded.notes);
    let mut notes: Vec<String> = notes.into_iter().map(|Note { what, .. }| what).collect();
    if degraded.actions.is_empty() && notes.is_empty() {
        notes.push("kept by the host".to_owned());
    }
    let turn = TurnId::from(format!("tprobe{}", clock::now()).as_str());
    let mut calls = Vec::new();
    for (id, action) in &degraded.into_parts(&profile, &turn, request.sample, &action) {
        let part = Part { id, action, context: None };
        calls.push(send(&app, &channel, &*vendor, &request, &part).await);
    }
    let probed = Probed { action: name, what: what.to_owned(), notes, calls };
    record(&app, &channel, &request, &probed, actor).await?;
    Ok(Json(probed))
}

async fn send(
    app: &App,
    channel: &Channel,
    vendor: &dyn Vendor,
    request: &ProbeRequest,
    part: &Part<'_>,
) -> Taken {
    let action = part.action.name().to_owned();
    let unsent = |reason: &str| {
        let action = action.clone();
        Taken { action, status: None, accepted: None, reason: reason.to_owned() }
    };
    if let Action::Delay(_) = part.action {
        return unsent("the host waits");
    }
    let hands_over = matches!(part.action, Action::Forward(_) | Action::Abort);
    if hands_over && vendor.delivery().silent_hand_off {
        return unsent("the host falls silent, without a call");
    }
    let to =
        To { reply_to: request.reply_to.as_deref(), ..To::conversation(&request.conversation) };
    let parts = std::slice::from_ref(part);
    let call = vendor.call_at(&to, parts, clock::now());
    let answer = app.work.send_to_vendor(channel, Purpose::Delivery, call).await;
    let status = match &answer {
        CallAnswer::Answered { status, .. } => Some(status.as_u16()),
        CallAnswer::NotSent(_) | CallAnswer::Lost(_) => None,
    };
    let (accepted, reason) = match vendor.outcome_for(parts, &answer) {
        Outcome::Delivered { .. } => (true, String::new()),
        Outcome::Retry { reason, .. }
        | Outcome::Fatal { reason, .. }
        | Outcome::Gone(reason)
        | Outcome::Taken(reason) => (false, reason),
    };
    // The vendor has no word on what never left.
    let left = !matches!(answer, CallAnswer::NotSent(_));
    Taken { action, status, accepted: left.then_some(accepted), reason }
}

/// The channel as it would be with another dialect, with what its upkeep has obtained.
async fn with_dialect(
    app: &App,
    channel: &Channel,
    dialect: &Value,
) -> Result<Arc<dyn Vendor>, Refused> {
    let tenant = app.config.tenants.get(&channel.tenant);
    let known = match tenant.and_then(|tenant| tenant.channels.get(&channel.id)) {
        Some(known) => known.clone(),
        None => {
            let stored = app.tenancy.channel_settings(&channel.tenant, &channel.id).await;
            stored.map_err(|_| unknown(&channel.id))?
        }
    };
    let mut settings = known.settings;
    match (settings["dialect"].as_object_mut(), dialect.as_object()) {
        (Some(own), Some(given)) => own.extend(given.clone()),
        (None, Some(_)) => settings["dialect"] = dialect.clone(),
        (_, None) => {
            let problem = "a dialect is a JSON object, as in the channel's settings".to_owned();
            return Err(Refused(StatusCode::BAD_REQUEST, problem));
        }
    }
    let wrong = |error: SettingsError| {
        Refused(StatusCode::BAD_REQUEST, format!("that is no dialect of this channel: {error}"))
    };
    let vendor = botyard_vendors::connect(&known.vendor, settings).map_err(wrong)?;
    Ok(channel.as_obtained(vendor))
}

/// What was accepted in which dialect is kept for whoever asks later.
async fn record(
    app: &App,
    channel: &Channel,
    request: &ProbeRequest,
    probed: &Probed,
    actor: String,
) -> Result<(), Refused> {
    let store = app.work.store().tenant(&channel.tenant);
    let before = store.get(KIND, channel.id.as_str()).await?;
    let mut value = before.unwrap_or_else(|| json!({}));
    let dialect = request.dialect.as_ref().map_or_else(|| "own".to_owned(), Value::to_string);
    let what = [probed.action.as_str(), &probed.what].join(" ").trim().to_owned();
    value[dialect][what] = json!({
        "at_ms": clock::now(),
        "medium": request.medium,
        "sent": probed.accepted().is_some(),
        "accepted": probed.accepted(),
        "calls": probed.calls,
    });
    let stamp = Stamp { at_ms: clock::now(), actor };
    Ok(store.put(KIND, channel.id.as_str(), &value, &stamp).await?)
}

/// What earlier probes found.
pub(super) async fn probes(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Refused> {
    let channel = served(&app, name)?;
    let store = app.work.store().tenant(&channel.tenant);
    let found = store.get(KIND, channel.id.as_str()).await?;
    Ok(Json(found.unwrap_or_else(|| json!({}))))
}

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

fn served(app: &App, name: String) -> Result<Arc<Channel>, Refused> {
    let id = ChannelId(name);
    app.work.channel(&id).ok_or_else(|| unknown(&id))
}

fn unknown(channel: &ChannelId) -> Refused {
    let problem = format!("there is no channel {channel}: look into the settings");
    Refused(StatusCode::NOT_FOUND, problem)
}
