//! Dead letters of a tenant: actions that were given up.

use std::time::Duration;

use axum::extract::Path;
use botyard_kernel::access::{Permission, redact};
use botyard_kernel::id::PartId;
use botyard_kernel::time::Millis;
use botyard_store::DeadLetter;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

use super::caller::OfTenant;
use super::page::{Json, Page, Paging, Query};
use super::problem::{Code, Problem};
use crate::http::is_damaged;

/// How long a letter may take to its conversation's queue; it takes a write.
const QUEUED_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// An action that was given up.
#[derive(Serialize, ToSchema)]
pub(super) struct Letter {
    /// Its id.
    part: String,
    channel: String,
    conversation: String,
    /// What kind of action it is.
    action: String,
    /// When its turn was (Unix milliseconds).
    made_ms: Millis,
    /// When it was given up.
    given_up_ms: Millis,
    /// Why.
    reason: String,
    /// The action itself. Without the right to read texts, their lengths stand there.
    content: Value,
}

/// The dead letters of a tenant, the oldest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/dead-letters", tag = "dead letters",
    params(("tenant" = String, Path), Paging),
    responses((status = 200, body = Page<Letter>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Letter>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let after = paging.after.as_deref().map(str::parse).transpose();
    let wrong = |_| Problem::bad("`after` is the `after` of the page before");
    let after = after.map_err(wrong)?.unwrap_or(0);
    let found = allowed.store().dead_letters(after, paging.limit()).await?;
    let after = found.last().filter(|_| found.len() == paging.limit());
    let after = after.map(|letter| letter.place.to_string());
    let texts = allowed.shows_texts();
    let items = found.into_iter().map(|letter| shown(letter, texts)).collect();
    Ok(Json(Page { items, after }))
}

/// A dead letter.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/dead-letters/{part}", tag = "dead letters",
    params(("tenant" = String, Path), ("part" = String, Path)),
    responses((status = 200, body = Letter), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    of: OfTenant,
    Path((_, part)): Path<(String, PartId)>,
) -> Result<Json<Letter>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let found = allowed.store().dead_letter(&part).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(shown(found, allowed.shows_texts())))
}

/// Send a dead letter again, behind what waits in its conversation. It is answered once
/// the letter is on stable storage there.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/dead-letters/{part}/redrive",
    tag = "dead letters", params(("tenant" = String, Path), ("part" = String, Path)),
    responses((status = 200, body = Letter), (status = "4XX", body = Problem)))]
pub(super) async fn redrive(
    of: OfTenant,
    Path((_, part)): Path<(String, PartId)>,
) -> Result<Json<Letter>, Problem> {
    let allowed = of.may(Permission::Redrive, None)?;
    let store = allowed.store();
    let found = store.dead_letter(&part).await?.ok_or_else(Problem::not_found)?;
    if is_damaged(&found.row) {
        let detail = "it is a part of a webhook that could not be read: there is nothing to send";
        return Err(Problem::new(Code::InUse, detail));
    }
    // Before it is queued: the lane goes on with it also where this request does not live to
    // see that, and nothing is sent again without a row.
    store.witness("redrive", "dead-letter", part.as_str(), &allowed.stamp).await?;
    let (key, rows) = (found.conversation.clone(), vec![found.row.clone()]);
    if !allowed.app.work.redrive(key, rows) {
        let detail = "its channel is not there any more: make it again first";
        return Err(Problem::new(Code::InUse, detail));
    }
    let until = Instant::now() + QUEUED_WITHIN;
    // One that is given up at once was queued all the same: it has a later place then.
    while store.dead_letter(&part).await?.is_some_and(|now| now.place == found.place) {
        if Instant::now() >= until {
            let detail = "it is not queued: a human may have the conversation, or too much waits \
                          in it already; look at the conversation and send it again later";
            return Err(Problem::new(Code::InUse, detail));
        }
        sleep(LOOK_EVERY).await;
    }
    let texts = allowed.shows_texts();
    Ok(Json(shown(found, texts)))
}

fn shown(letter: DeadLetter, texts: bool) -> Letter {
    let DeadLetter { conversation, at_ms, reason, row, .. } = letter;
    let action = row.action.name().to_owned();
    let mut redacted = redact::actions(std::slice::from_ref(&row.action));
    let content = if texts { json!(row.action) } else { redacted[0].take() };
    Letter {
        part: row.id.0,
        channel: conversation.channel.0,
        conversation: conversation.vendor_key,
        action,
        made_ms: row.made_ms,
        given_up_ms: at_ms,
        reason: if texts { reason } else { redact::length(&reason) },
        content,
    }
}
