//! The door through which a tenant's own systems speak into a conversation.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use botyard_kernel::event::{Event, EventBody, NamedPayload};
use botyard_kernel::log::Arrival;
use http::{HeaderMap, StatusCode};
use metrics::counter;
use serde::Deserialize;
use utoipa::ToSchema;

use super::doors::{self, Accepted, Door, Refusals};
use super::{client, idempotency_key};
use crate::api::{Path, Problem};
use crate::app::App;
use crate::clock;
use crate::registry::Channel;

/// At most so many bytes of a signal's payload.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// At most so many bytes of a signal's name.
const NAME_BYTES_MAX: usize = 200;

/// What a tenant's own system says to a conversation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signal {
    /// What it is called: 1 to 200 bytes.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Any JSON, of at most 64 KiB with the rest.
    #[serde(default)]
    #[schema(value_type = Value)]
    payload: Option<serde_json::Value>,
}

/// Speak into a conversation, with the channel's `signal-token`: its bot gets the event
/// `signal`, once for each `Idempotency-Key`. The answer comes when that is on stable storage.
#[utoipa::path(post, path = "/v1/channels/{channel}/conversations/{conversation}/signals",
    tag = "signals", security(("signal-token" = [])), request_body = Signal,
    params(("channel" = String, Path),
        ("conversation" = String, Path, description = "The vendor's own key."),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200)),
    responses((status = 202, body = Accepted), Refusals))]
pub(super) async fn send(
    State(app): State<Arc<App>>,
    Path((channel, conversation)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let result = take(&app, channel, conversation, &headers, body).await;
    let label = if result.is_ok() { "accepted" } else { "refused" };
    counter!("botyard_signals_total", "result" => label).increment(1);
    result?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { accepted: true })))
}

async fn take(
    app: &Arc<App>,
    channel: String,
    conversation: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<(), Problem> {
    let channel = Door::Signals.open(app, channel, headers)?;
    let idempotency_key = idempotency_key(headers)?;
    let bytes = client::body_bytes(headers, PAYLOAD_BYTES_MAX);
    // Counted until the answer is there.
    let _admitted = app.work.admit(&channel.tenant, bytes).map_err(|it| doors::busy(&it))?;
    let form = "{\"name\": …, \"payload\": …}";
    let signal = doors::object(app, body, PAYLOAD_BYTES_MAX, form).await?;
    bring(app, &channel, conversation, idempotency_key, signal).await
}

/// Brings a signal into a conversation that there is, once for each key.
///
/// # Errors
/// There is no such conversation, the signal is wrong, or it cannot be taken now.
pub(crate) async fn bring(
    app: &App,
    channel: &Arc<Channel>,
    conversation: String,
    idempotency_key: &str,
    Signal { name, payload }: Signal,
) -> Result<(), Problem> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(Problem::bad("`name` must have 1 to 200 bytes"));
    }
    let json = payload.map_or_else(|| "null".to_owned(), |payload| payload.to_string());
    let bytes = name.len() + json.len();
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(Problem::bad("a signal has at most 64 KiB"));
    }
    let key = channel.conversation(conversation);
    match app.work.store().tenant(&key.tenant).load(&key, 0).await {
        Ok(loaded) if loaded.last == 0 => return Err(doors::unknown()),
        Ok(_) => {}
        Err(error) => {
            tracing::error!(conversation = %key, %error, "a signal could not be checked");
            return Err(doors::not_now());
        }
    }
    let brought = (1, bytes as u64);
    let taken = app.work.quotas().events(&channel.tenant, brought, clock::now());
    taken.map_err(|exceeded| doors::over(&exceeded))?;
    let body = EventBody::Signal(NamedPayload { name, json });
    let event = Event::new(clock::event_id(), clock::now(), body);
    let key_of_event = Some(format!("signal.{idempotency_key}"));
    let arrival = Arrival { key: key_of_event, ..Arrival::new(event, clock::seed()) };
    let accepted = app.work.accept(channel, key, arrival).await;
    if accepted { Ok(()) } else { Err(doors::not_now()) }
}
