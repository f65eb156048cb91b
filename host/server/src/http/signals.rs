//! The door through which a tenant's own systems speak into a conversation.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use botyard_kernel::event::{Event, EventBody, NamedPayload};
use botyard_kernel::id::ChannelId;
use botyard_kernel::limits::Exceeded;
use botyard_kernel::log::Arrival;
use http::{HeaderMap, StatusCode};
use metrics::counter;
use serde::Deserialize;
use utoipa::ToSchema;

use super::token::{idempotency_key, shows};
use super::{answer, body, client};
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
    name: String,
    /// Any JSON, of at most 64 KiB with the rest.
    #[serde(default)]
    #[schema(value_type = Value)]
    payload: Option<serde_json::Value>,
}

/// A signal that does not get into its conversation.
#[derive(Debug)]
pub(crate) enum NotBrought {
    /// There is no such conversation.
    NoConversation,
    /// It is wrong.
    Bad(&'static str),
    /// The tenant may not have more now.
    Exceeded(Exceeded),
    /// The store does not take it now.
    NotNow,
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
    let signal = serde_json::from_slice(&body).map_err(|error| {
        let reason = format!("expected {{\"name\": …, \"payload\": …}}: {error}");
        answer::line(StatusCode::BAD_REQUEST, reason)
    })?;
    bring(app, &channel, conversation, idempotency_key, signal).await.map_err(refused)?;
    Ok((StatusCode::ACCEPTED, Json(serde_json::json!({"accepted": true}))).into_response())
}

/// Brings a signal into a conversation that there is, once for each key.
pub(crate) async fn bring(
    app: &App,
    channel: &Arc<Channel>,
    conversation: String,
    idempotency_key: &str,
    Signal { name, payload }: Signal,
) -> Result<(), NotBrought> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(NotBrought::Bad("`name` must have 1 to 200 bytes"));
    }
    let json = payload.map_or_else(|| "null".to_owned(), |payload| payload.to_string());
    let bytes = name.len() + json.len();
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(NotBrought::Bad("a signal has at most 64 KiB"));
    }
    let key = channel.conversation(conversation);
    match app.work.store().tenant(&key.tenant).load(&key, 0).await {
        Ok(loaded) if loaded.last == 0 => return Err(NotBrought::NoConversation),
        Ok(_) => {}
        Err(error) => {
            tracing::error!(conversation = %key, %error, "a signal could not be checked");
            return Err(NotBrought::NotNow);
        }
    }
    let brought = (1, bytes as u64);
    let taken = app.work.quotas().events(&channel.tenant, brought, clock::now());
    taken.map_err(NotBrought::Exceeded)?;
    let body = EventBody::Signal(NamedPayload { name, json });
    let event = Event::new(clock::event_id(), clock::now(), body);
    let key_of_event = Some(format!("signal.{idempotency_key}"));
    let arrival = Arrival { key: key_of_event, ..Arrival::new(event, clock::seed()) };
    let accepted = app.work.accept(channel, key, arrival).await;
    if accepted { Ok(()) } else { Err(NotBrought::NotNow) }
}

fn refused(why: NotBrought) -> Response {
    match why {
        NotBrought::NoConversation => {
            let reason = "there is no such conversation on this channel";
            answer::line(StatusCode::NOT_FOUND, reason)
        }
        NotBrought::Bad(reason) => answer::line(StatusCode::BAD_REQUEST, reason),
        NotBrought::Exceeded(exceeded) => answer::exceeded(&exceeded),
        NotBrought::NotNow => answer::come_again(),
    }
}
