//! Versions are tried before they get any traffic.

use std::sync::Arc;

use axum::extract::Path;
use botyard_kernel::access::Permission;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::{BotId, ChannelId, Digest};
use botyard_kernel::limits::Limit;
use botyard_kernel::plan::Policy;
use botyard_vendors::known;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::Json;
use super::problem::{Code, Problem};
use crate::registry::Channel;
use crate::tenancy::ChangeError;
use crate::trial::Trial;

/// At most so many events at a time.
const EVENTS_MAX: usize = Limit::TrialEvents.preset_size();

/// What a version is tried with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewTrial {
    /// Events in the canonical form, one after the other in one conversation:
    /// `{"name": "message", "payload": {"text": "Hello"}}`. At most 20.
    #[schema(value_type = Vec<Object>)]
    events: Vec<EventBody>,
    /// As if it came in by this channel, which has the bot.
    #[serde(default)]
    channel: Option<String>,
    /// Without a channel: as if it came from this vendor, `userlike` by default.
    #[serde(default)]
    vendor: Option<String>,
    /// What the person writes on, `web` by default.
    #[serde(default)]
    medium: Option<String>,
    /// The person's language.
    #[serde(default)]
    locale: Option<String>,
}

/// What a trial came to.
#[derive(Serialize, ToSchema)]
pub(super) struct Trials {
    /// What each event came to, in order. Where the vendor sends no start, the host's own
    /// comes first.
    #[schema(value_type = Vec<Object>)]
    turns: Vec<Value>,
    /// CPU time of all turns in microseconds.
    cpu_us: u64,
}

/// Try a version with events. Nothing is sent or kept; calls of the bot are denied, its own
/// values are empty, and `secret NAME` stands where its configuration names a secret. What
/// it takes of the processor is counted among the usage of the tenant (`trial_cpu_us`) and
/// held to the limit `trial-cpu-ms-per-minute`: 429 says when to come again.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/bots/{bot}/versions/{digest}/try",
    tag = "versions", request_body = NewTrial,
    params(("tenant" = String, Path), ("bot" = String, Path), ("digest" = String, Path)),
    responses((status = 200, body = Trials), (status = "4XX", body = Problem)))]
pub(super) async fn run(
    of: OfTenant,
    Path((_, bot, digest)): Path<(String, BotId, String)>,
    Json(new): Json<NewTrial>,
) -> Result<Json<Trials>, Problem> {
    let allowed = of.may(Permission::Try, Some(&bot))?;
    let digest = Digest::from_hex(&digest).ok_or_else(Problem::not_found)?;
    allowed.tenancy().version(&allowed.tenant, &bot, &digest).await?;
    if new.events.is_empty() || new.events.len() > EVENTS_MAX {
        let limit = Limit::TrialEvents;
        let detail = format!("`events` has 1 to {EVENTS_MAX} events: the limit `{limit}`");
        return Err(Problem::new(Code::TooMany, detail));
    }
    let (trial, events) = trial(&allowed, bot, &digest, new).await?;
    // Whoever leaves has it counted all the same.
    let work = Arc::clone(&allowed.app.work);
    let tried = tokio::spawn(async move { trial.run(&work, events).await }).await;
    let tried = tried.map_err(|error| Problem::host_fault(&error, "the trial broke down"))?;
    let turns = tried.map_err(|exceeded| Problem::over(&exceeded))?;
    let cpu_us = turns.iter().map(|turn| turn.cpu_us).sum();
    let mut turns: Vec<Value> = turns.iter().map(|turn| json!(turn)).collect();
    if let Some(redactor) = allowed.app.work.redactors().of(&allowed.tenant) {
        turns.iter_mut().for_each(|turn| redactor.value(turn));
    }
    Ok(Json(Trials { turns, cpu_us }))
}

async fn trial(
    allowed: &Allowed,
    bot: BotId,
    digest: &Digest,
    new: NewTrial,
) -> Result<(Trial, Vec<EventBody>), Problem> {
    let (app, tenant) = (&allowed.app, &allowed.tenant);
    let (vendor, mut policy) = match new.channel.map(ChannelId) {
        Some(id) => {
            let own = |found: &Arc<Channel>| found.tenant == *tenant && found.bot().id == bot;
            let channel = app.work.channel(&id).filter(own);
            let channel = channel.ok_or_else(Problem::not_found)?;
            (channel.vendor(), channel.setup().rules.policy.clone())
        }
        None => {
            let name = new.vendor.as_deref().unwrap_or("userlike");
            let wrong = |error: botyard_vendors::SettingsError| Problem::bad(error.to_string());
            let known = known(name).map_err(wrong)?;
            let vendor = (known.connect)((known.sample)()).map_err(wrong)?;
            let policy = Policy::new(vendor.name(), bot.clone());
            (vendor, policy)
        }
    };
    policy.bot = bot.clone();
    let version = app.work.registry().versions().get(tenant, digest).await;
    let version = version.map_err(ChangeError::from)?;
    let trial = Trial {
        tenant: tenant.clone(),
        version,
        config: allowed.tenancy().trial_config(tenant, &bot).await?,
        vendor,
        policy,
        medium: new.medium.unwrap_or_else(|| "web".to_owned()),
        locale: new.locale,
    };
    Ok((trial, new.events))
}
