//! Bots and channels that are stopped for a while.

use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::access::Permission;
use botyard_kernel::id::{BotId, ChannelId};
use botyard_kernel::time::Millis;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bots::{self, Bot};
use super::caller::{Allowed, OfTenant};
use super::channels::{self, Channel};
use super::page::Json;
use super::problem::{Code, Problem};
use crate::tenancy::kind;
use crate::work::{Pausable, Subject};

/// That something is stopped.
#[derive(Serialize, ToSchema)]
pub(super) struct Paused {
    /// Since when (Unix milliseconds).
    since_ms: Millis,
    /// Who paused it, or gave the reason.
    by: String,
    /// Why, in their words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether the operator paused it: nobody else ends that.
    by_operator: bool,
}

/// How something is paused.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pause {
    /// Why, for whoever looks at it: at most 500 characters. Absent: the reason of a pause
    /// that holds already stays.
    #[serde(default)]
    reason: Option<String>,
}

/// Pause a bot: events are accepted and wait, no turns run; what was decided before is
/// delivered. Holds until it is resumed, also over restarts. A body may be absent.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/bots/{bot}/pause", tag = "bots",
    params(("tenant" = String, Path), ("bot" = String, Path)), request_body = Option<Pause>,
    responses((status = 200, body = Bot), (status = "4XX", body = Problem)))]
pub(super) async fn pause_bot(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    pause: Option<Json<Pause>>,
) -> Result<Json<Bot>, Problem> {
    let allowed = of.may(Permission::Pause, Some(&bot))?;
    let subject = subject(&allowed, Pausable::Bot, bot.as_str());
    allowed.tenancy().pause(&subject, reason(pause), allowed.grant.scope, &allowed.stamp).await?;
    Ok(Json(bots::shown(&allowed, bot).await?))
}

/// End the pause of a bot: what waited goes on. One that is not paused stays as it is. What
/// the operator has paused goes on for nobody else.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/bots/{bot}/resume", tag = "bots",
    params(("tenant" = String, Path), ("bot" = String, Path)),
    responses((status = 200, body = Bot),
        (status = 204, description = "It goes on, and was deleted in its pause: there is nothing to show."),
        (status = "4XX", body = Problem)))]
pub(super) async fn resume_bot(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
) -> Result<Response, Problem> {
    let allowed = of.may(Permission::Pause, Some(&bot))?;
    let subject = subject(&allowed, Pausable::Bot, bot.as_str());
    allowed.tenancy().resume(&subject, allowed.grant.scope, &allowed.stamp).await?;
    gone_or(bots::shown(&allowed, bot).await)
}

/// Pause a channel: events are accepted and wait, no turns run, and no calls leave. Holds
/// until it is resumed, also over restarts. A body may be absent.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/channels/{channel}/pause", tag = "channels",
    params(("tenant" = String, Path), ("channel" = String, Path)), request_body = Option<Pause>,
    responses((status = 200, body = Channel), (status = "4XX", body = Problem)))]
pub(super) async fn pause_channel(
    of: OfTenant,
    Path((_, channel)): Path<(String, ChannelId)>,
    pause: Option<Json<Pause>>,
) -> Result<Json<Channel>, Problem> {
    let allowed = of.may(Permission::Pause, None)?;
    let subject = subject(&allowed, Pausable::Channel, channel.as_str());
    allowed.tenancy().pause(&subject, reason(pause), allowed.grant.scope, &allowed.stamp).await?;
    Ok(Json(channel_shown(&allowed, channel).await?))
}

/// End the pause of a channel: what waited goes on. One that is not paused stays as it is.
/// What the operator has paused goes on for nobody else.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/channels/{channel}/resume", tag = "channels",
    params(("tenant" = String, Path), ("channel" = String, Path)),
    responses((status = 200, body = Channel),
        (status = 204, description = "It goes on, and was deleted in its pause: there is nothing to show."),
        (status = "4XX", body = Problem)))]
pub(super) async fn resume_channel(
    of: OfTenant,
    Path((_, channel)): Path<(String, ChannelId)>,
) -> Result<Response, Problem> {
    let allowed = of.may(Permission::Pause, None)?;
    let subject = subject(&allowed, Pausable::Channel, channel.as_str());
    allowed.tenancy().resume(&subject, allowed.grant.scope, &allowed.stamp).await?;
    gone_or(channel_shown(&allowed, channel).await)
}

/// The pause that holds for a bot or a channel, if one does.
pub(super) fn paused(allowed: &Allowed, what: Pausable, name: &str) -> Option<Paused> {
    let pause = allowed.app.work.pause_of(&subject(allowed, what, name))?;
    let crate::work::Pause { since_ms, by, reason, by_operator } = pause;
    Some(Paused { since_ms, by, reason, by_operator })
}

fn subject(allowed: &Allowed, what: Pausable, name: &str) -> Subject {
    Subject { what, tenant: allowed.tenant.clone(), name: name.to_owned() }
}

fn reason(pause: Option<Json<Pause>>) -> Option<String> {
    // An empty reason says nothing.
    pause.and_then(|Json(pause)| pause.reason).filter(|reason| !reason.trim().is_empty())
}

/// What goes on, which may have been deleted in its pause.
fn gone_or<T: Serialize>(shown: Result<T, Problem>) -> Result<Response, Problem> {
    match shown {
        Ok(shown) => Ok(Json(shown).into_response()),
        Err(problem) if problem.code == Code::NotFound.name() => {
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Err(problem) => Err(problem),
    }
}

async fn channel_shown(allowed: &Allowed, channel: ChannelId) -> Result<Channel, Problem> {
    let found = allowed.store().get(kind::CHANNEL, channel.as_str()).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(channels::shown(allowed, channel.0, found))
}
