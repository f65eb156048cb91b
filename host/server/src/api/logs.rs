//! What bots wrote into their logs, and what became of their turns: what there is, and what
//! comes from now on.

use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::Path;
use axum::response::sse::{Event, KeepAlive, Sse};
use botyard_kernel::access::Permission;
use botyard_kernel::id::BotId;
use botyard_kernel::time::{MINUTE, Millis};
use botyard_store::{BotTurn, Place, StoreError};
use futures_util::Stream;
use futures_util::stream;
use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::{Json, Page, Paging, Query};
use super::problem::Problem;
use super::turns::{Reader, Turn, handled};
use crate::clock;

/// Whoever follows is told what is new this often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// So many turns are told at a time.
const TOLD_MAX: usize = 200;

/// A turn of a bot, where it happened.
#[derive(Serialize, ToSchema)]
pub(super) struct Logged {
    channel: String,
    conversation: String,
    #[serde(flatten)]
    turn: Turn,
}

/// Since when.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    /// Turns of events from then on (Unix milliseconds); the last hour by default.
    since_ms: Option<Millis>,
    limit: Option<usize>,
    after: Option<String>,
}

/// Turns of a bot over all its conversations, the newest last, with what it wrote.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}/logs", tag = "logs",
    params(("tenant" = String, Path), ("bot" = String, Path), Since),
    responses((status = 200, body = Page<Logged>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    Query(since): Query<Since>,
) -> Result<Json<Page<Logged>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, Some(&bot))?;
    allowed.tenancy().bot(&allowed.tenant, &bot).await?;
    let paging = Paging { limit: since.limit, after: since.after };
    let after = paging.after.as_deref().map(str::parse::<Place>).transpose();
    let after = after.map_err(|()| Problem::bad("`after` is the `after` of the page before"))?;
    let since_ms = since.since_ms.unwrap_or_else(|| clock::now().saturating_sub(60 * MINUTE));
    let found = allowed.store().bot_turns(&bot, since_ms, after, paging.limit()).await?;
    let after = found.last().filter(|_| found.len() == paging.limit());
    let after = after.map(|turn| turn.place.to_string());
    let items = logged(&allowed, found).await?.collect();
    Ok(Json(Page { items, after }))
}

/// Follow the turns of a bot as they come: server-sent events of the name `turn`, each with
/// what the list has of a turn. Whoever comes again with the last `id` that they saw goes on
/// behind it: they miss none and see none twice, unless the newest turns were erased
/// meanwhile, whose numbers come again.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/bots/{bot}/logs/live", tag = "logs",
    params(("tenant" = String, Path), ("bot" = String, Path),
        ("Last-Event-ID" = Option<u64>, Header)),
    responses((status = 200, content_type = "text/event-stream"), (status = "4XX", body = Problem)))]
pub(super) async fn live(
    of: OfTenant,
    Path((_, bot)): Path<(String, BotId)>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, Some(&bot))?;
    allowed.tenancy().bot(&allowed.tenant, &bot).await?;
    let place = allowed.app.followers.take(&allowed.tenant)?;
    let last = match seen(&headers)? {
        Some(last) => last,
        None => allowed.store().bot_news(&bot, None, TOLD_MAX).await?.1,
    };
    let rotated_ms = allowed.token.as_ref().and_then(|id| allowed.tenancy().rotated_ms(id));
    let follower = Follower { allowed, _place: place, bot, last, rotated_ms };
    // Whoever is cut off before the first turn goes on from here.
    let begins = vec![Event::default().id(last.to_string())];
    let stream = stream::unfold((follower, begins), |(mut follower, mut waiting)| async move {
        while waiting.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
            if follower.is_over() {
                return None;
            }
            waiting = follower.news().await?;
            waiting.reverse();
        }
        let event = waiting.pop()?;
        Some((Ok(event), (follower, waiting)))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

/// What a follower has seen before they were cut off.
fn seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(last) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let last = last.to_str().ok().and_then(|last| last.parse().ok());
    let wrong = || Problem::bad("`Last-Event-ID` is the `id` of an event that came before");
    last.map(Some).ok_or_else(wrong)
}

struct Follower {
    allowed: Allowed,
    _place: super::Place,
    bot: BotId,
    /// The number of what was told last.
    last: u64,
    /// When the token that is shown got its secret.
    rotated_ms: Option<Millis>,
}

impl Follower {
    /// Whether the host stops, or the secret that was shown is good for nothing any more.
    fn is_over(&self) -> bool {
        let Allowed { app, token, .. } = &self.allowed;
        let good = |id: &String| {
            app.tenancy.is_good(id, clock::now()) && app.tenancy.rotated_ms(id) == self.rotated_ms
        };
        !token.as_ref().is_none_or(good) || app.stopping.load(Ordering::Acquire)
    }

    /// What has come since; nothing where the store fails, which ends the stream.
    async fn news(&mut self) -> Option<Vec<Event>> {
        let store = self.allowed.store();
        let (found, last) = store.bot_news(&self.bot, Some(self.last), TOLD_MAX).await.ok()?;
        self.last = last;
        let numbers: Vec<_> = found.iter().map(|turn| turn.number().to_string()).collect();
        let logged = logged(&self.allowed, found).await.ok()?;
        let told = numbers.into_iter().zip(logged).map(|(number, logged)| {
            Event::default().event("turn").id(number).data(json!(logged).to_string())
        });
        Some(told.collect())
    }
}

/// Turns as they are shown, in the same order.
async fn logged(
    allowed: &Allowed,
    found: Vec<BotTurn>,
) -> Result<impl Iterator<Item = Logged>, StoreError> {
    let turns: Vec<_> = found.iter().map(|it| (&it.conversation, &it.turn)).collect();
    let events = handled(&allowed.store(), &turns).await?;
    let reader = Reader::of(allowed);
    Ok(found.into_iter().zip(events).map(move |(found, event)| {
        let BotTurn { conversation, seq, turn, .. } = found;
        Logged {
            channel: conversation.channel.0,
            conversation: conversation.vendor_key,
            turn: reader.turn(seq, turn, event),
        }
    }))
}
