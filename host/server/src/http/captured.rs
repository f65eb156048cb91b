//! Webhooks that an operator wants to see as they came.

use std::sync::Arc;

use botyard_kernel::time::Millis;
use botyard_vendors::{Inbound, Received};

use crate::app::App;
use crate::captures::{self, Captured, Kind};
use crate::registry::Channel;

/// Keeps a webhook where the channel's are kept. The vendor does not wait for it.
pub(super) fn keep(
    app: &Arc<App>,
    channel: &Arc<Channel>,
    inbound: &Inbound<'_>,
    received: &Received,
    now: Millis,
) {
    let kind = match received {
        Received::Rejected(_) => Kind::Refused,
        Received::Events { .. }
        | Received::Ignored(_)
        | Received::Challenge(_)
        | Received::Asked { .. } => Kind::Taken,
    };
    if !app.captures.wants(&channel.id, kind, now) {
        return;
    }
    let became = match received {
        Received::Events { events, damaged } => {
            format!("{} events, {} damaged", events.len(), damaged.len())
        }
        Received::Ignored(why) => format!("ignored: {why}"),
        Received::Challenge(_) => "challenge".to_owned(),
        Received::Asked { .. } => "asked for a person".to_owned(),
        Received::Rejected(rejection) => {
            format!("refused with {}: {}", rejection.status.as_u16(), rejection.reason)
        }
    };
    let (body, body_base64) = captures::body(inbound.body);
    let captured = Captured {
        at_ms: now,
        method: inbound.method.to_string(),
        rest: captures::place(inbound.rest),
        query: inbound.query.map(captures::place),
        headers: captures::headers(inbound.headers),
        body,
        body_base64,
        became,
    };
    let (app, channel) = (Arc::clone(app), Arc::clone(channel));
    tokio::task::spawn_blocking(move || {
        let (tenant, channel) = (&channel.tenant, &channel.id);
        let envelope = app.work.envelope();
        if let Err(error) = app.captures.keep(envelope, (tenant, channel), kind, &captured) {
            tracing::warn!(%channel, error = format!("{error:#}"), "a webhook was not captured");
        }
    });
}
