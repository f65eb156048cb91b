//! Clients that ask what is known of a person.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::Entry;
use botyard_kernel::time::Millis;
use botyard_store::{StoreError, TenantStore};
use botyard_vendors::Person;
use http::StatusCode;

use super::{answer, hooks};
use crate::app::App;
use crate::channel::Channel;

/// Of somebody who has come back so often, the first time is that of the oldest of
/// these conversations.
const CONVERSATIONS_MAX: usize = 1_000;

/// What the channel knows of the person with this address.
pub(super) async fn person(app: &App, channel: &Arc<Channel>, email: &str) -> Response {
    let store = app.work.store().tenant(&channel.tenant);
    let known = match look_up(&store, channel, email).await {
        Ok(known) => known,
        Err(error) => {
            tracing::warn!(channel = %channel.id, %error, "nobody can be looked up");
            return answer::come_again();
        }
    };
    match channel.vendor().person(email, known.as_ref()) {
        Some(told) => hooks::reply(told, Body::from),
        None => answer::line(StatusCode::NOT_FOUND, "this vendor tells of no persons"),
    }
}

async fn look_up(
    store: &TenantStore,
    channel: &Channel,
    email: &str,
) -> Result<Option<Person>, StoreError> {
    let found = store.with_email(&channel.id, email, CONVERSATIONS_MAX).await?;
    let (Some(newest), Some(oldest)) = (found.first(), found.last()) else { return Ok(None) };
    let loaded = store.load(newest, 0).await?;
    let Some((_, turn)) = loaded.turn else { return Ok(None) };
    let newest_ms = began(store, newest).await?;
    let first_ms = began(store, oldest).await?;
    let active_ms = turn.state.session.as_ref().map_or(0, |session| session.active_ms);
    let active_ms = active_ms.max(newest_ms);
    Ok(Some(Person { facts: turn.state.facts, first_ms, newest_ms, active_ms }))
}

/// When the first event of a conversation came.
async fn began(store: &TenantStore, key: &ConversationKey) -> Result<Millis, StoreError> {
    let first = store.read(key, 0, 1).await?.into_iter().next();
    Ok(match first.map(|(_, entry)| entry) {
        Some(Entry::Accepted(arrival)) => arrival.event.received_ms,
        Some(Entry::Turn(turn)) => turn.fused.map_or(0, |arrival| arrival.event.received_ms),
        Some(Entry::Called(_) | Entry::Settled(_)) | None => 0,
    })
}
