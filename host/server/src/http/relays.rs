//! The door through which external bots speak by themselves.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use botyard_kernel::event::{Event, EventBody, NamedPayload};
use botyard_kernel::id::{ChannelId, Digest};
use botyard_kernel::log::Arrival;
use botyard_kernel::relay::{self, Door, POSTS_WAITING_MAX, RELAY};
use botyard_vendors::external::ExternalBot;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use metrics::counter;

use super::{ConnectionInfo, answer, body, client};
use crate::app::App;
use crate::clock;
use crate::relays::Callbacks;
use crate::work::Answer;

/// At most so many bytes of what an external bot posts.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Where so much waits that an external bot comes again later, some of that had its turn
/// after so many seconds.
const WAITING_S: u64 = 10;

/// Channel, conversation and tag, as the address has them.
type Place = (String, String, String);

/// `POST /relays/{channel}/{conversation}/{tag}`
pub(super) async fn spoke(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<ConnectionInfo>,
    Path(place): Path<Place>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let result = take(&app, &connection, place, &headers, body).await;
    let label = if result.is_ok() { "accepted" } else { "refused" };
    counter!("botyard_relay_callbacks_total", "result" => label).increment(1);
    result.unwrap_or_else(|refusal| refusal)
}

async fn take(
    app: &Arc<App>,
    connection: &ConnectionInfo,
    (channel, conversation, tag): Place,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    // Whoever guesses is not told what was wrong.
    let unknown = || answer::line(StatusCode::NOT_FOUND, "there is no such address");
    let channel = app.work.channel(&ChannelId(channel)).ok_or_else(unknown)?;
    let key = Callbacks::conversation(&conversation).map(|key| channel.conversation(key));
    let key = key.filter(|key| app.work.callbacks().is_own(key, &tag)).ok_or_else(unknown)?;
    let bytes = client::body_bytes(headers, BODY_BYTES_MAX);
    let admitted = app.work.admit(&channel.tenant, bytes);
    // Counted until the answer is there.
    let _admitted = admitted.map_err(|refusal| answer::busy(&refusal))?;
    let body = body::read(body, BODY_BYTES_MAX, app.config.server.body_timeout).await?;
    let loaded = app.work.store().tenant(&key.tenant).load(&key, POSTS_WAITING_MAX).await;
    let mut loaded = loaded.map_err(|error| {
        tracing::error!(conversation = %key, %error, "an external bot could not be heard");
        answer::come_again()
    })?;
    let request = Digest::of(&body);
    let accepted = std::mem::take(&mut loaded.accepted);
    let state = loaded.conversation();
    let name = match relay::door(&state, &accepted, request, clock::now()) {
        Door::Open(name) => name,
        Door::Heard => return Ok(answer::line(StatusCode::OK, "heard")),
        Door::Early => {
            let reason = "the conversation has not begun here: send the same again";
            return Err(answer::later(reason, 1));
        }
        Door::Full => {
            let reason = "too much waits in this conversation already: send the same again later";
            return Err(answer::later(reason, WAITING_S));
        }
        Door::Shut => return Err(shut()),
    };
    let setup = channel.setup();
    let bot = setup.relays.get(&name).ok_or_else(shut)?;
    let heard = json(&**bot, &body).map_err(|reason| {
        tracing::warn!(conversation = %key, reason, "what an external bot posted cannot be read");
        answer::line(StatusCode::BAD_REQUEST, &reason)
    })?;
    let brought = (1, body.len() as u64);
    let taken = app.work.quotas().events(&channel.tenant, brought, clock::now());
    taken.map_err(|exceeded| answer::exceeded(&exceeded))?;
    let payload = NamedPayload { name: RELAY.to_owned(), json: heard };
    let event = Event::new(clock::event_id(), clock::now(), EventBody::Other(payload));
    let seed = clock::seed();
    let arrival = Arrival { request: Some(request), ..Arrival::new(event, seed) };
    let mut waiting = app.work.arrived(&channel, key, vec![arrival], true, "");
    match waiting.answer().await {
        Answer::Reply(_) => {
            let heard = Bytes::from_static(b"heard\n");
            let body = answer::watched(connection, heard, vec![waiting]);
            Ok(answer::plain(StatusCode::OK, body))
        }
        Answer::Refused => Err(answer::come_again()),
    }
}

/// Nobody is there to whom an external bot could say something.
fn shut() -> Response {
    answer::line(StatusCode::GONE, "no external bot has this conversation any more")
}

fn json(bot: &dyn ExternalBot, body: &[u8]) -> Result<String, String> {
    let heard = bot.spoke(body)?;
    serde_json::to_string(&heard).map_err(|error| error.to_string())
}
