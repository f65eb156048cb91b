//! Golden files, the rules that they cannot show, and input that nobody meant to send.

mod deliver;
mod golden;
mod hostile;
mod profile;
mod receive;
mod settings;
mod upkeep;
mod verify;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::connect;
use crate::{Damaged, Inbound, Incoming, Outcome, Received, Rejection, Vendor};

const SECRET: &str = "correct horse battery staple";
const GATEWAY: &str = "https://api.app.lithium.com/bots/v3";
const KEY: &str = "acmehotel/facebook/410088123456789/7200011122";

/// Settings of a channel that adopts a token and is registered already.
fn settings() -> Value {
    json!({
        "company-key": "acmehotel",
        "app-id": "acme-bot",
        "gateway-url": GATEWAY,
        "token": "adopted.jwt",
        "webhook-identity": "khoros",
        "webhook-secret": SECRET,
    })
}

fn with(changes: Value) -> Value {
    let mut settings = settings();
    for (key, value) in changes.as_object().expect("an object") {
        settings[key] = value.clone();
    }
    settings
}

fn channel(settings: Value) -> Arc<dyn Vendor> {
    connect(settings).expect("settings")
}

fn with_dialect(dialect: Value) -> Arc<dyn Vendor> {
    channel(with(json!({ "dialect": dialect })))
}

fn headers(named: &[(&'static str, &str)]) -> HeaderMap {
    named.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

/// What a channel makes of a webhook that knows the secret.
fn receive(channel: &dyn Vendor, body: &[u8]) -> Received {
    receive_with(channel, &headers(&[("authorization", &basic("khoros", SECRET))]), body)
}

fn receive_with(channel: &dyn Vendor, headers: &HeaderMap, body: &[u8]) -> Received {
    let request = Inbound {
        method: &Method::POST,
        rest: "",
        query: None,
        headers,
        body: &Bytes::copy_from_slice(body),
        chance: Seed::default(),
    };
    channel.receive(&request, 1_700_000_000_000)
}

fn events(received: Received) -> (Vec<Incoming>, Vec<Damaged>) {
    match received {
        Received::Events { events, damaged } => (events, damaged),
        other => panic!("events, not {other:?}"),
    }
}

fn event(received: Received) -> Incoming {
    let (mut events, damaged) = events(received);
    assert_eq!((events.len(), damaged.len()), (1, 0), "{events:?} {damaged:?}");
    events.remove(0)
}

fn rejection(received: Received) -> Rejection {
    match received {
        Received::Rejected(rejection) => rejection,
        other => panic!("a rejection, not {other:?}"),
    }
}

/// A message as Khoros documents it.
fn webhook() -> Value {
    json!({
        "coordinate": {
            "companyKey": "acmehotel",
            "networkKey": "facebook",
            "externalId": "410088123456789",
            "messageId": "m_Qx81",
            "botId": "acme-bot",
            "scope": "PRIVATE",
        },
        "author": { "id": "7200011122", "fullName": "Ines Roth" },
        "type": "message",
        "text": "Hello",
        "owner": { "type": "BOT", "appId": "acme-bot" },
        "publishedTS": 1_700_000_000_123_u64,
        "receivedTS": 1_700_000_001_456_u64,
    })
}

/// An outcome in one line, without its reason: which every failure has.
fn brief(outcome: Outcome) -> String {
    let (brief, reason) = match outcome {
        Outcome::Delivered { follow_ups, .. } if follow_ups.is_empty() => {
            return "delivered".to_owned();
        }
        Outcome::Delivered { follow_ups, .. } => {
            return format!("delivered, then {}", follow_ups.join(", "));
        }
        Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max } => {
            let tries = tries_max.map(|tries| format!(" {tries} times")).unwrap_or_default();
            let after = after_ms.map(|after| format!(" after {after}")).unwrap_or_default();
            let ambiguous = if ambiguous { " ambiguous" } else { "" };
            (format!("retry{tries}{after}{ambiguous}, {}", blame.name()), reason)
        }
        Outcome::Fatal { reason, blame } => (format!("fatal, {}", blame.name()), reason),
        Outcome::Taken(reason) => ("taken".to_owned(), reason),
        Outcome::Gone(reason) => (format!("gone, {reason}"), reason),
    };
    assert!(!reason.is_empty() && reason.chars().count() < 450, "{reason}");
    assert!(!reason.contains('\n') && !reason.contains("adopted.jwt"), "{reason}");
    brief
}
