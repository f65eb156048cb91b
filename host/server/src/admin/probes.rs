//! What a channel's vendor takes, as operators try it with real calls.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use botyard_kernel::action::Action;
use botyard_kernel::degrade::{Note, degrade};
use botyard_kernel::destination::Purpose;
use botyard_kernel::id::{ConversationKey, TurnId};
use botyard_kernel::validate;
use botyard_store::Stamp;
use botyard_vendors::{
    CallAnswer, Outcome, Part, SettingsError, To, Vendor, samples, usual_medium,
};
use http::StatusCode;
use serde_json::{Value, json};

use super::channels::{served, unknown};
use super::protocol::{ProbeRequest, Probed, Sample, Samples, Taken};
use super::routes::{Operator, Refused};
use crate::app::App;
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
    let sample = |(what, action): (&str, Action)| Sample { what: what.to_owned(), action };
    let samples = samples(vendor.name()).into_iter().map(sample).collect();
    Ok(Json(Samples { vendor: vendor.name().to_owned(), pause_ms, samples }))
}

/// Sends an action to a test conversation.
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
    let action = &request.sample.action;
    validate::actions(std::slice::from_ref(action))
        .map_err(|failure| Refused(StatusCode::BAD_REQUEST, failure.message))?;
    let place = Place::of(&app, &channel, &request).await?;
    let profile = vendor.profile(&place.medium);
    let mut degraded = degrade(action.clone(), &profile, vendor.name());
    let notes = std::mem::take(&mut degraded.notes);
    let mut notes: Vec<String> = notes.into_iter().map(|Note { what, .. }| what).collect();
    if degraded.actions.is_empty() && notes.is_empty() {
        notes.push("kept by the host".to_owned());
    }
    let turn = TurnId::from(format!("tprobe{}", clock::now()).as_str());
    let mut calls = Vec::new();
    for (id, action) in &degraded.into_parts(&profile, &turn, 0, action) {
        let part = Part { id, action, context: None };
        calls.push(send(&app, &channel, &*vendor, &place.to(), &part).await);
    }
    let (action, what) = (action.name().to_owned(), request.sample.what.clone());
    let probed = Probed { action, what, medium: place.medium, notes, calls };
    record(&app, &channel, &request, &probed, actor).await?;
    Ok(Json(probed))
}

/// Where the test person is, as far as the request or the conversation so far tells.
struct Place {
    conversation: String,
    medium: String,
    reply_to: Option<String>,
    desk_id: Option<String>,
}

impl Place {
    async fn of(app: &App, channel: &Channel, request: &ProbeRequest) -> Result<Self, Refused> {
        let (tenant, vendor_key) = (channel.tenant.clone(), request.conversation.clone());
        let key =
            ConversationKey { tenant: tenant.clone(), channel: channel.id.clone(), vendor_key };
        let known = app.work.store().tenant(&tenant).load(&key, 0).await?.conversation();
        let medium = request.medium.clone().or(Some(known.facts.medium));
        let usual = || usual_medium(channel.vendor().name()).to_owned();
        Ok(Self {
            conversation: key.vendor_key,
            medium: medium.filter(|medium| !medium.is_empty()).unwrap_or_else(usual),
            reply_to: request.reply_to.clone().or(known.reply_to),
            desk_id: known.desk_id,
        })
    }

    fn to(&self) -> To<'_> {
        To {
            reply_to: self.reply_to.as_deref(),
            desk_id: self.desk_id.as_deref(),
            ..To::conversation(&self.conversation)
        }
    }
}

async fn send(
    app: &App,
    channel: &Channel,
    vendor: &dyn Vendor,
    to: &To<'_>,
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
    let parts = std::slice::from_ref(part);
    let call = vendor.call_at(to, parts, clock::now());
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

/// What was accepted in which dialect and on which medium is kept for whoever asks later.
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
    value[dialect][&probed.medium][what] = json!({
        "at_ms": clock::now(),
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
