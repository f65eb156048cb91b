//! The desk: where humans read conversations, answer, and give them back to the bot,
//! for channels whose vendor has no desk of its own.

mod speak;
mod transcript;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::id::ChannelId;
use botyard_kernel::time::Millis;
use botyard_store::{DuePlace, StoreError};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};

pub(super) use speak::{give_back, reply, take};
pub(super) use transcript::messages;

use super::answer::{self, Refused};
use super::token::shows;
use crate::app::App;
use crate::registry::Channel;

/// At most so many conversations of one answer.
const PAGE: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// What the page before ended with.
    after: Option<String>,
}

#[derive(Serialize)]
struct List {
    conversations: Vec<Place>,
    /// To be sent as `after`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A conversation that a human has.
#[derive(Serialize)]
struct Place {
    /// The vendor's own key.
    conversation: String,
    /// When a human took it or last spoke in it (Unix milliseconds).
    since_ms: Millis,
}

/// `GET /v1/channels/{channel}/desk/conversations`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(channel): Path<String>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let channel = open(&app, channel, &headers)?;
    let after = query.after.as_deref().map(place).transpose()?;
    let store = app.work.store().tenant(&channel.tenant);
    let found = store.with_human(&channel.id, after, PAGE).await.map_err(|e| failed(&e))?;
    let next = found.last().filter(|_| found.len() == PAGE).map(|(_, place)| place.to_string());
    let place = |(key, place): (botyard_kernel::id::ConversationKey, DuePlace)| Place {
        conversation: key.vendor_key,
        since_ms: place.due_ms,
    };
    let conversations = found.into_iter().map(place).collect();
    Ok(Json(List { conversations, next }).into_response())
}

/// The channel, for whoever shows its token. A stranger is not told which there are.
fn open(app: &App, channel: String, headers: &HeaderMap) -> Result<Arc<Channel>, Refused> {
    let may_open = |known: &Arc<Channel>| shows(headers, known.setup().desk_token.as_ref());
    let channel = app.work.channel(&ChannelId(channel)).filter(may_open);
    channel.ok_or_else(|| {
        let reason = "no such channel, or not its desk token: send `Authorization: Bearer …` with \
                      the channel's `desk-token`";
        answer::line(StatusCode::UNAUTHORIZED, reason).into()
    })
}

fn place(after: &str) -> Result<DuePlace, Refused> {
    after.parse().map_err(|_| {
        let reason = "`after` takes the `next` of the page before";
        answer::line(StatusCode::BAD_REQUEST, reason).into()
    })
}

fn failed(error: &StoreError) -> Refused {
    tracing::error!(%error, "the desk cannot read the store");
    answer::come_again().into()
}

fn unknown() -> Refused {
    let reason = "there is no such conversation on this channel";
    answer::line(StatusCode::NOT_FOUND, reason).into()
}
