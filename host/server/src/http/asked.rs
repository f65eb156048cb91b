//! Clients that ask what is known of a person.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::{Entry, Turn};
use botyard_kernel::session::Facts;
use botyard_kernel::time::Millis;
use botyard_store::{Loaded, StoreError, TenantStore};
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
        active_ms = active_ms.max(active(store, key, &loaded).await?);
        let Some((_, turn)) = loaded.turn else { continue };
        let known = std::mem::replace(&mut facts, turn.state.facts);
        let newer = std::mem::replace(&mut facts.contact, known.contact);
        facts.contact.learn(&newer);
    }
    let (first_ms, newest_ms) = (began(store, oldest).await?, began(store, newest).await?);
    // A chat that has ended may tell no later time than that of its beginning.
    Ok(Some(Person { facts, first_ms, newest_ms, active_ms: active_ms.max(newest_ms) }))
}

/// When something happened in a conversation last: so much as what is loaded and its last
/// entry tell. Entries are large, and many may ask.
async fn active(
    store: &TenantStore,
    key: &ConversationKey,
    loaded: &Loaded,
) -> Result<Millis, StoreError> {
    let known_ms = active_as_loaded(loaded);
    if loaded.turn.as_ref().is_some_and(|(place, _)| *place == loaded.last) {
        return Ok(known_ms);
    }
    let last = store.read(key, loaded.last.saturating_sub(1), 1).await?.into_iter().next();
    Ok(last.map_or(known_ms, |(_, entry)| known_ms.max(at(&entry))))
}

fn active_as_loaded(loaded: &Loaded) -> Millis {
    let turn_ms = loaded.turn.as_ref().map_or(0, |(_, turn)| {
        let session_ms = turn.state.session.as_ref().map_or(0, |session| session.active_ms);
        session_ms.max(at_of_turn(turn))
    });
    loaded.settled.iter().map(|settled| settled.at_ms).fold(turn_ms, Millis::max)
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
        Entry::Turn(turn) => at_of_turn(turn),
        Entry::Settled(settled) => settled.at_ms,
        Entry::Called(_) => 0,
    }
}

/// When the event of a turn came, where the turn tells it.
fn at_of_turn(turn: &Turn) -> Millis {
    turn.fused.as_ref().map_or(0, |arrival| arrival.event.received_ms)
}

#[cfg(test)]
mod tests {
    use botyard_kernel::event::{Event, EventBody, Start};
    use botyard_kernel::log::{Arrival, Conversation, Outcome, SessionState, Settled, SkipReason};
    use botyard_kernel::session::Seed;
    use botyard_store::MemoryStore;

    use super::*;

    fn arrival(at_ms: Millis) -> Arrival {
        let body = EventBody::Start(Start::default());
        let id = format!("e{at_ms}");
        let event = Event::new(id.as_str().into(), at_ms, body);
        Arrival::new(event, Seed([0; 4]))
    }

    /// A turn on the first entry, with a session where there is a time for it.
    fn turn(active_ms: Option<Millis>) -> Turn {
        let session = active_ms.map(|active_ms| SessionState {
            id: "s".into(),
            started_ms: 0,
            active_ms,
            context: String::new(),
            context_by: None,
            version: None,
            times_out_ms: None,
        });
        Turn {
            id: "t".into(),
            previous: 0,
            base: 1,
            watermark: 1,
            fused: None,
            event: "e".into(),
            outcome: Outcome::Skipped(SkipReason::NotOwner),
            log: Vec::new(),
            bot: "lead".into(),
            bot_writes: Vec::new(),
            state: Conversation { session, ..Conversation::default() },
            due_ms: None,
            human_ms: None,
        }
    }

    /// What is told of a conversation that begins at 100, has this turn, and in which an
    /// answer goes out and others write at these times.
    async fn told(turn: Option<Turn>, settled: &[Millis], written: &[Millis]) -> Millis {
        let key = ConversationKey {
            tenant: "acme".into(),
            channel: "chat".into(),
            vendor_key: "1".to_owned(),
        };
        let store = MemoryStore::new().store().tenant(&key.tenant);
        store.accept(&key, vec![arrival(100)]).await.unwrap();
        if let Some(turn) = turn {
            store.commit(&key, &turn).await.unwrap();
        }
        for at_ms in settled {
            let settled = Settled { at_ms: *at_ms, ..Settled::default() };
            store.settle(&key, &settled).await.unwrap();
        }
        for at_ms in written {
            store.accept(&key, vec![arrival(*at_ms)]).await.unwrap();
        }
        let loaded = store.load(&key, 0).await.unwrap();
        active(&store, &key, &loaded).await.unwrap()
    }

    #[tokio::test]
    async fn the_snapshot_and_the_last_entry_tell_when_something_happened_last() {
        assert_eq!(told(None, &[], &[]).await, 100);
        assert_eq!(told(Some(turn(Some(200))), &[], &[]).await, 200);
        assert_eq!(told(Some(turn(Some(200))), &[300], &[]).await, 300);
        assert_eq!(told(Some(turn(None)), &[300], &[]).await, 300);
        assert_eq!(told(Some(turn(Some(200))), &[300], &[400]).await, 400);
        // Entries before the last one are not looked at.
        assert_eq!(told(Some(turn(Some(200))), &[], &[999, 400]).await, 400);
        // A chat that has ended tells nothing; its beginning is known besides.
        assert_eq!(told(Some(turn(None)), &[], &[]).await, 0);
    }
}
