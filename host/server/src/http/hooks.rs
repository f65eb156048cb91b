//! Webhooks of vendors.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::response::Response;
use botyard_failpoints::{Point, pass};
use botyard_kernel::id::{ChannelId, ConversationKey};
use botyard_kernel::log::Arrival;
use botyard_vendors::{Inbound, Incoming, Received, Rejection, Reply, To};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use metrics::counter;

use super::{ConnectionInfo, answer, asked, captured, client, damaged};
use crate::app::App;
use crate::clock;
use crate::registry::Channel;
use crate::work::{Answer, Waiting};

/// A larger event does not fit into the log of a conversation. Vendors' texts
/// are bounded far below, so only a payload made for it gets here.
const EVENT_BYTES_MAX: usize = 200 * 1024;

/// A webhook at the channel's own URL.
pub(super) async fn bare(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<ConnectionInfo>,
    Path(channel): Path<String>,
    request: Request,
) -> Response {
    receive(&app, connection, channel, "", request).await
}

/// A webhook below it: a secret or an entry stands there.
pub(super) async fn with_rest(
    State(app): State<Arc<App>>,
    Extension(connection): Extension<ConnectionInfo>,
    Path((channel, rest)): Path<(String, String)>,
    request: Request,
) -> Response {
    receive(&app, connection, channel, &rest, request).await
}

async fn receive(
    app: &Arc<App>,
    connection: ConnectionInfo,
    channel: String,
    rest: &str,
    request: Request,
) -> Response {
    let Some(channel) = app.work.channel(&ChannelId(channel)) else {
        counter!("botyard_webhooks_total", "vendor" => "none", "result" => "unknown_channel")
            .increment(1);
        return answer::line(StatusCode::NOT_FOUND, "there is no such channel");
    };
    let (parts, body) = request.into_parts();
    let (limit, within) = (app.config.server.body_bytes_max, app.config.server.body_timeout);
    let admit = || app.work.admit(&channel.tenant, 0);
    let busy = |refusal| {
        count(&channel, "overload");
        answer::busy(&refusal)
    };
    // Where there is no room nothing is read; and no room is taken for a body that is still
    // on its way, as anybody may send one.
    if let Err(refusal) = admit().map(drop) {
        return busy(refusal);
    }
    let body = match app.reading.read(&channel.tenant, body, (limit, within)).await {
        Ok(body) => body,
        Err(refusal) => {
            count(&channel, "unreadable");
            return refusal;
        }
    };
    // Counted until the answer is there, its body as soon as we know whose it is.
    let mut admitted = match admit() {
        Ok(admitted) => admitted,
        Err(refusal) => return busy(refusal),
    };
    let inbound = Inbound {
        method: &parts.method,
        rest: rest.trim_matches('/'),
        query: parts.uri.query(),
        headers: &parts.headers,
        body: &body,
        chance: clock::seed(),
    };
    let now = clock::now();
    let received = channel.vendor().receive(&inbound, now);
    captured::keep(app, &channel, &inbound, &received, now);
    match received {
        Received::Events { events, damaged } => {
            let fit: Option<Vec<_>> = events.into_iter().map(fitting).collect();
            let Some(events) = fit else {
                count(&channel, "too_large");
                let reason = format!("an event is larger than {EVENT_BYTES_MAX} bytes");
                return answer::line(StatusCode::PAYLOAD_TOO_LARGE, reason);
            };
            let parts = damaged.len();
            let damaged = damaged::bounded(damaged);
            let brought = ((events.len() + damaged.len()) as u64, body.len() as u64);
            if let Err(exceeded) = app.work.quotas().events(&channel.tenant, brought, now) {
                count(&channel, "quota");
                return answer::exceeded(&exceeded);
            }
            count(&channel, "events");
            admitted.weigh(body.len());
            pass(Point::WebhookRead);
            damaged::tell(&channel, parts, &damaged);
            if let Err(error) = damaged::keep(app, &channel, damaged, now).await {
                tracing::warn!(channel = %channel.id, %error, "a webhook cannot be stored");
                count(&channel, "refused");
                return answer::come_again();
            }
            arrive(app, &channel, connection, events, now).await
        }
        Received::Ignored(why) => {
            count(&channel, "ignored");
            tracing::debug!(channel = %channel.id, why, "a webhook without events");
            reply(channel.vendor().answer(&To::default(), &[]), Body::from)
        }
        Received::Challenge(challenge) => {
            count(&channel, "challenge");
            reply(challenge, Body::from)
        }
        Received::Asked { email } => {
            count(&channel, "asked");
            asked::person(app, &channel, &email).await
        }
        Received::Rejected(rejection) => {
            let proxies = &app.config.server.trusted_proxies;
            refuse(&channel, client::address(connection.peer, &parts.headers, proxies), rejection)
        }
    }
}

fn refuse(channel: &Channel, client: IpAddr, rejection: Rejection) -> Response {
    count(channel, if rejection.status == 401 { "unauthorized" } else { "rejected" });
    let (reason, blame) = (&rejection.reason, rejection.blame.name());
    // Strangers can make as many of these as they like, so they are quiet.
    tracing::info!(channel = %channel.id, %client, reason, blame, "a webhook was refused");
    match channel.vendor().refusal(&rejection) {
        Some(refusal) => reply(refusal, Body::from),
        None => answer::line(rejection.status, rejection.reason),
    }
}

/// The event as it fits into the log: without its raw form if need be.
fn fitting(mut incoming: Incoming) -> Option<Incoming> {
    let size = |value: serde_json::Result<String>| value.map_or(usize::MAX, |json| json.len());
    let body = size(serde_json::to_string(&incoming.body));
    let raw = incoming.raw.as_ref().map_or(0, |raw| size(serde_json::to_string(raw)));
    if body.saturating_add(raw) > EVENT_BYTES_MAX {
        incoming.raw = None;
    }
    (body <= EVENT_BYTES_MAX).then_some(incoming)
}

/// Hands events to their conversations and waits for what they are answered.
async fn arrive(
    app: &Arc<App>,
    channel: &Arc<Channel>,
    connection: ConnectionInfo,
    events: Vec<Incoming>,
    now: u64,
) -> Response {
    let form = events.first().map_or("", |incoming| incoming.form);
    let mut conversations: Vec<(ConversationKey, Vec<Arrival>)> = Vec::new();
    for incoming in events {
        count_event(channel, &incoming);
        let key = channel.conversation(incoming.conversation.clone());
        let arrival = incoming.arrival(clock::event_id(), now, clock::seed());
        match conversations.iter_mut().find(|(known, _)| *known == key) {
            Some((_, arrivals)) => arrivals.push(arrival),
            None => conversations.push((key, vec![arrival])),
        }
    }
    // An answer belongs to one conversation. Events of several are only stored
    // before it; what follows from them goes by API.
    let accept_only = conversations.len() > 1;
    let mut waiting: Vec<Waiting> = conversations
        .into_iter()
        .map(|(key, arrivals)| app.work.arrived(channel, key, arrivals, accept_only, form))
        .collect();
    let mut replies = Vec::new();
    for waiting in &mut waiting {
        match waiting.answer().await {
            Answer::Reply(reply) => replies.push(reply),
            Answer::Refused => {
                count(channel, "refused");
                return answer::come_again();
            }
        }
    }
    let Some(first) = replies.into_iter().next() else {
        return reply(channel.vendor().answer(&To::default(), &[]), Body::from);
    };
    reply(first, |bytes| answer::watched(&connection, bytes, waiting))
}

pub(super) fn reply(reply: Reply, body: impl FnOnce(Bytes) -> Body) -> Response {
    let mut response = Response::new(body(reply.body));
    *response.status_mut() = reply.status;
    let content_type = HeaderValue::from_static(reply.content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

fn count(channel: &Channel, result: &'static str) {
    let vendor = channel.vendor().name();
    counter!("botyard_webhooks_total", "vendor" => vendor, "result" => result).increment(1);
}

fn count_event(channel: &Channel, incoming: &Incoming) {
    let (vendor, event) = (channel.vendor().name(), incoming.body.name());
    counter!("botyard_events_total", "vendor" => vendor, "event" => event).increment(1);
}
