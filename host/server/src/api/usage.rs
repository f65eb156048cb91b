//! What a tenant and its bots have used.

use botyard_kernel::access::Permission;
use botyard_kernel::time::Millis;
use botyard_kernel::usage::Usage;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::OfTenant;
use super::page::{Json, PAGE_MAX, Page, Query};
use super::problem::Problem;
use crate::work::{USAGE, from_hour, named};

/// Which hours.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Hours that end after this (Unix milliseconds); from the oldest by default.
    from_ms: Option<Millis>,
    /// Hours that begin before this (Unix milliseconds).
    to_ms: Option<Millis>,
    /// At most so many rows: 1 to 200, 50 by default.
    limit: Option<usize>,
    /// The `after` of the page before.
    after: Option<String>,
}

/// What a bot has used in an hour. What is absent is 0.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hour {
    /// When the hour began (Unix milliseconds).
    hour_ms: Millis,
    /// Which bot.
    bot: String,
    /// `events` accepted, `turns` run, of these `failed_by_bot`, `failed_by_tenant`,
    /// `failed_by_vendor`, `failed_by_host`, CPU time `cpu_us` in microseconds,
    /// `memory_peak_bytes`, the most that any of the turns held, `calls` of web services,
    /// `log_bytes`; of versions that were tried, `trial_turns` and `trial_cpu_us`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    usage: Usage,
}

/// What the bots of a tenant have used, hour by hour, to ten seconds ago.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/usage", tag = "limits",
    params(("tenant" = String, Path), Wanted),
    responses((status = 200, body = Page<Hour>), (status = "4XX", body = Problem)))]
pub(super) async fn hours(
    of: OfTenant,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Hour>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let Wanted { from_ms, to_ms, limit, after } = wanted;
    let limit = limit.unwrap_or(50).clamp(1, PAGE_MAX);
    let first = from_hour(from_ms.unwrap_or(0));
    // The place of a page behind the first hour; before it, it would show what was not
    // asked for.
    let after = after.filter(|after| *after > first).unwrap_or(first);
    let now = allowed.stamp.at_ms;
    let notes = allowed.store().note_list(USAGE, Some(&after), limit, now).await?;
    let next = notes.last().filter(|_| notes.len() == limit).map(|note| note.name.clone());
    let hours = notes.into_iter().filter_map(|note| {
        let (hour_ms, bot) = named(&note.name)?;
        let usage = serde_json::from_value(note.value).ok()?;
        Some(Hour { hour_ms, bot: bot.to_string(), usage })
    });
    let before = |hour: &Hour| to_ms.is_none_or(|to_ms| hour.hour_ms < to_ms);
    let items: Vec<_> = hours.collect();
    let over = items.iter().any(|hour| !before(hour));
    let items = items.into_iter().filter(before).collect();
    Ok(Json(Page { items, after: next.filter(|_| !over) }))
}
