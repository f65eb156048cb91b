//! Clients that ask what is known of a person.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::Entry;
use botyard_kernel::session::Facts;
use botyard_kernel::time::Millis;
use botyard_store::{StoreError, TenantStore};
use botyard_vendors::Person;
use http::StatusCode;

use super::{answer, hooks};
use crate::app::App;
use crate::registry::Channel;

/// Of somebody who has come back so often, the first time is that of the oldest of
/// these conversations.
const CONVERSATIONS_MAX: usize = 1_000;
/// What is known of a person is what was learned in so many of them, the newest.
const LEARNED_FROM_MAX: usize = 16;
/// Of the newest entries of a conversation, one of so many tells a time.
const ENTRIES: u64 = 8;

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
    let mut facts = Facts::default();
    let mut active_ms = 0;
    for key in found.iter().take(LEARNED_FROM_MAX).rev() {
        let loaded = store.load(key, 0).await?;
        let Some((_, turn)) = loaded.turn else { continue };
        let known = std::mem::replace(&mut facts, turn.state.facts);
        let newer = std::mem::replace(&mut facts.contact, known.contact);
        facts.contact.learn(&newer);
        let session_ms = turn.state.session.map_or(0, |session| session.active_ms);
        let entries = store.read(key, loaded.last.saturating_sub(ENTRIES), usize::MAX).await?;
        let newest_ms = entries.iter().map(|(_, entry)| at(entry)).fold(session_ms, Millis::max);
        active_ms = active_ms.max(newest_ms);
    }
    let (first_ms, newest_ms) = (began(store, oldest).await?, began(store, newest).await?);
    Ok(Some(Person { facts, first_ms, newest_ms, active_ms }))
}

/// When the first event of a conversation came.
async fn began(store: &TenantStore, key: &ConversationKey) -> Result<Millis, StoreError> {
    let first = store.read(key, 0, 1).await?.into_iter().next();
    Ok(first.map_or(0, |(_, entry)| at(&entry)))
}

/// When something happened, where the entry tells it.
fn at(entry: &Entry) -> Millis {
    match entry {
        Entry::Accepted(arrival) => arrival.event.received_ms,
        Entry::Turn(turn) => turn.fused.as_ref().map_or(0, |arrival| arrival.event.received_ms),
        Entry::Settled(settled) => settled.at_ms,
        Entry::Called(_) => 0,
    }
}
