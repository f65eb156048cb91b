//! The door through which a tenant's own systems speak into a conversation.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::event::{Event, EventBody, NamedPayload};
use botyard_kernel::id::ChannelId;
use botyard_kernel::log::Arrival;
use http::{HeaderMap, StatusCode};
use metrics::counter;
use serde::Deserialize;

use super::token::{idempotency_key, shows};
use super::{answer, body, client};
use crate::app::App;
use crate::clock;
use crate::registry::Channel;

/// At most so many bytes of a signal's payload.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
/// At most so many bytes of a signal's name.
const NAME_BYTES_MAX: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signal {
    name: String,
    #[serde(default)]
    payload: Option<serde_json::Value>,
}

/// `POST /v1/channels/{channel}/conversations/{vendor id}/signals`
pub(super) async fn signal(
    State(app): State<Arc<App>>,
    Path((channel, conversation)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let result = take(&app, channel, conversation, &headers, body).await;
    let label = if result.is_ok() { "accepted" } else { "refused" };
    counter!("botyard_signals_total", "result" => label).increment(1);
    result.unwrap_or_else(|refusal| refusal)
}

async fn take(
    app: &Arc<App>,
    channel: String,
    conversation: String,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    let may_signal = |known: &Arc<Channel>| shows(headers, known.setup().signal_token.as_ref());
    let channel = app.work.channel(&ChannelId(channel)).filter(may_signal);
    // A stranger is not told which channels there are.
    let unauthorized = || {
        let reason = "no such channel, or not its signal token: send `Authorization: Bearer …` \
                      with the channel's `signal-token`";
        answer::line(StatusCode::UNAUTHORIZED, reason)
    };
    let channel = channel.ok_or_else(unauthorized)?;
    let idempotency_key = idempotency_key(headers).map_err(|refusal| *refusal)?;
    let bytes = client::body_bytes(headers, PAYLOAD_BYTES_MAX);
    let admitted = app.work.admit(&channel.tenant, bytes);
    // Counted until the answer is there.
    let _admitted = admitted.map_err(|refusal| answer::busy(&refusal))?;
    let body = body::read(body, PAYLOAD_BYTES_MAX, app.config.server.body_timeout).await?;
    let signal = read(&body).map_err(|refusal| *refusal)?;
    let key = channel.conversation(conversation);
    let known = app.work.store().tenant(&key.tenant).load(&key, 0).await;
    match known {
        Ok(loaded) if loaded.last == 0 => {
            let reason = "there is no such conversation on this channel";
            return Err(answer::line(StatusCode::NOT_FOUND, reason));
        }
        Ok(_) => {}
        Err(error) => {
            tracing::error!(conversation = %key, %error, "a signal could not be checked");
            return Err(answer::come_again());
        }
    }
    let json = signal.payload.map_or_else(|| "null".to_owned(), |payload| payload.to_string());
    let body = EventBody::Signal(NamedPayload { name: signal.name, json });
    let event = Event::new(clock::event_id(), clock::now(), body);
    let arrival = Arrival {
        key: Some(format!("signal.{idempotency_key}")),
        ..Arrival::new(event, clock::seed())
    };
    let brought = (1, bytes as u64);
    let taken = app.work.quotas().events(&channel.tenant, brought, clock::now());
    taken.map_err(|exceeded| answer::exceeded(&exceeded))?;
    if !app.work.accept(&channel, key, arrival).await {
        return Err(answer::come_again());
    }
    Ok((StatusCode::ACCEPTED, Json(serde_json::json!({"accepted": true}))).into_response())
}

fn read(body: &[u8]) -> Result<Signal, Box<Response>> {
    let signal: Signal = serde_json::from_slice(body).map_err(|error| {
        let reason = format!("expected {{\"name\": …, \"payload\": …}}: {error}");
        Box::new(answer::line(StatusCode::BAD_REQUEST, reason))
    })?;
    if signal.name.is_empty() || signal.name.len() > NAME_BYTES_MAX {
        let reason = "`name` must have 1 to 200 bytes";
        return Err(Box::new(answer::line(StatusCode::BAD_REQUEST, reason)));
    }
    Ok(signal)
}
