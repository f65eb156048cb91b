//! Webhooks that an operator wants to see as they came.

use std::sync::Arc;

use botyard_kernel::time::Millis;
use botyard_vendors::{Inbound, Received, Vendor};

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
    let captured = captured(&*channel.vendor(), inbound, received, now);
    let (app, channel) = (Arc::clone(app), Arc::clone(channel));
    tokio::task::spawn_blocking(move || {
        let (tenant, channel) = (&channel.tenant, &channel.id);
        let envelope = app.work.envelope();
        if let Err(error) = app.captures.keep(envelope, (tenant, channel), kind, &captured) {
            tracing::warn!(%channel, error = format!("{error:#}"), "a webhook was not captured");
        }
    });
}

/// A webhook as it may be kept: without what opens doors.
fn captured(
    vendor: &dyn Vendor,
    inbound: &Inbound<'_>,
    received: &Received,
    now: Millis,
) -> Captured {
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
    let secrets = vendor.secret_names();
    let (body, body_base64) = captures::body(inbound.body, secrets);
    Captured {
        at_ms: now,
        method: inbound.method.to_string(),
        rest: captures::place(inbound.rest),
        query: inbound.query.map(|query| captures::query(query, secrets)),
        headers: captures::headers(inbound.headers),
        body,
        body_base64,
        became,
    }
}

#[cfg(test)]
mod tests {
    use botyard_vendors::{VENDORS, known};
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, Method};
    use serde_json::json;

    use super::*;

    /// A webhook with secrets of the vendor wherever it shows some.
    struct Row {
        vendor: &'static str,
        method: Method,
        rest: &'static str,
        query: Option<&'static str>,
        header: &'static str,
        body: String,
        /// Something of it that is kept.
        kept: &'static str,
    }

    impl Row {
        fn post(vendor: &'static str, header: &'static str, body: &serde_json::Value) -> Self {
            let (method, body) = (Method::POST, body.to_string());
            Self { vendor, method, rest: "", query: None, header, body, kept: "kept" }
        }
    }

    fn rows() -> Vec<Row> {
        let secret_path = "canary-of-a-secret-url";
        let chat = json!({ "apiKey": "canary", "start": true, "botId": 1, "email": "kept",
            "callbackUrl": "https://a.example/canary" });
        let goes_on = json!({ "streamId": "canary", "message": { "text": "kept" } });
        let torn = r#"{"apiKey": "canary""#.to_owned();
        let token = "hub.mode=kept&hub.verify_token=canary&hub.challenge=1";
        let subscribes = |vendor| Row {
            method: Method::GET,
            query: Some(token),
            ..Row::post(vendor, "x-hub", &json!({}))
        };
        let page = json!({ "object": "page", "entry": ["kept"] });
        let instabot = |body| Row { rest: "secure/send", ..Row::post("instabot", "x-kept", body) };
        vec![
            Row {
                rest: secret_path,
                ..Row::post("userlike", "api-security-token", &json!({ "packet": "kept" }))
            },
            Row::post("khoros", "authorization", &json!({ "type": "kept" })),
            Row::post("messenger", "x-own", &page),
            subscribes("messenger"),
            Row::post("lexer", "x-own", &page),
            subscribes("lexer"),
            Row { rest: "text/kept", ..Row::post("myalice", "x-secret", &json!({ "uid": 1 })) },
            Row {
                rest: "tickets/canary-of-a-secret-url",
                ..Row::post("myalice", "x-kept", &json!({}))
            },
            instabot(&chat),
            instabot(&goes_on),
            Row { rest: "secure/user", ..instabot(&chat) },
            Row { body: torn, kept: "left out", ..instabot(&chat) },
        ]
    }

    #[test]
    fn nothing_that_opens_a_door_is_kept_of_any_vendors_webhooks() {
        let rows = rows();
        for known in VENDORS {
            assert!(rows.iter().any(|row| row.vendor == known.name), "{} is tried", known.name);
        }
        for Row { vendor, method, rest, query, header, body, kept } in rows {
            let known = known(vendor).unwrap();
            let channel = (known.connect)((known.sample)()).unwrap();
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(header), "canary".parse().unwrap());
            let body = Bytes::from(body);
            let (method, headers, body) = (&method, &headers, &body);
            let chance = crate::clock::seed();
            let inbound = Inbound { method, rest, query, headers, body, chance };
            let received = channel.receive(&inbound, 0);
            let captured = captured(&*channel, &inbound, &received, 0);
            let text = serde_json::to_string(&captured).unwrap();
            assert!(!text.contains("canary") && text.contains(kept), "{vendor}: {text}");
        }
    }
}
