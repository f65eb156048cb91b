//! The desk: where humans read conversations, answer, and give them back to the bot,
//! for channels whose vendor has no desk of its own.

mod speak;
mod transcript;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::time::Millis;
use botyard_store::{DuePlace, StoreError};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

// With what the macros have made of their descriptions.
pub(super) use speak::*;
pub(super) use transcript::*;

use super::doors::{self, Door, Refusals};
use crate::api::{Path, Problem, Query};
use crate::app::App;

/// At most so many conversations of one answer.
const PAGE: usize = 100;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// The `next` of the page before.
    after: Option<String>,
}

/// Conversations that humans have.
#[derive(Serialize, ToSchema)]
pub(super) struct DeskConversations {
    conversations: Vec<DeskConversation>,
    /// To be sent as `after`; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A conversation that a human has.
#[derive(Serialize, ToSchema)]
struct DeskConversation {
    /// The vendor's own key.
    conversation: String,
    /// When a human took it or last spoke in it (Unix milliseconds).
    since_ms: Millis,
}

/// The conversations of a channel that humans have, the longest waiting first, in pages of 100.
#[utoipa::path(get, path = "/v1/channels/{channel}/desk/conversations", tag = "desk",
    security(("desk-token" = [])), params(("channel" = String, Path), ListQuery),
    responses((status = 200, body = DeskConversations), Refusals))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(channel): Path<String>,
    query: Result<Query<ListQuery>, Problem>,
    headers: HeaderMap,
) -> Result<Json<DeskConversations>, Problem> {
    let channel = Door::Desk.open(&app, channel, &headers)?;
    let Query(query) = query?;
    let after = query.after.as_deref().map(place).transpose()?;
    let store = app.work.store().tenant(&channel.tenant);
    let found = store.with_human(&channel.id, after, PAGE).await.map_err(|e| failed(&e))?;
    let next = found.last().filter(|_| found.len() == PAGE).map(|(_, place)| place.to_string());
    let place = |(key, place): (ConversationKey, DuePlace)| DeskConversation {
        conversation: key.vendor_key,
        since_ms: place.due_ms,
    };
    let conversations = found.into_iter().map(place).collect();
    Ok(Json(DeskConversations { conversations, next }))
}

fn place(after: &str) -> Result<DuePlace, Problem> {
    after.parse().map_err(|_| Problem::bad("`after` takes the `next` of the page before"))
}

fn failed(error: &StoreError) -> Problem {
    tracing::error!(%error, "the desk cannot read the store");
    doors::not_now()
}
