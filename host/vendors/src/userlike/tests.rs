//! Golden files, the rules that they cannot show, and input that nobody meant to send.

mod deliver;
mod golden;
mod hostile;
mod limits;
mod profile;
mod settings;
mod verify;

use std::sync::Arc;

use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::connect;
use crate::{Inbound, Incoming, Received, Rejection, Vendor};

const CID: &str = "chatbot::77:0c9e4a7d51b84f6e9a3d2b1f00c4e8a6";
const SECRET: &str = "correct horse battery staple";
const API_URL: &str = "https://api.example.invalid/bot/9f/v1/";

/// Settings of a channel that checks the header.
fn settings() -> Value {
    json!({ "webhook-secret": SECRET, "api-url": API_URL, "api-token": "t0ken-of-the-bot" })
}

fn channel(settings: Value) -> Arc<dyn Vendor> {
    connect(settings).expect("settings")
}

fn with_dialect(dialect: Value) -> Arc<dyn Vendor> {
    let mut settings = settings();
    settings["dialect"] = dialect;
    channel(settings)
}

fn headers(named: &[(&'static str, &str)]) -> HeaderMap {
    named.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// What a channel makes of a webhook that knows the secret.
fn receive(channel: &dyn Vendor, body: &[u8]) -> Received {
    let request = Inbound {
        method: &Method::POST,
        rest: "",
        query: None,
        headers: &headers(&[("API-SECURITY-TOKEN", SECRET)]),
        body: &Bytes::copy_from_slice(body),
        chance: Seed::default(),
    };
    channel.receive(&request, 1_700_000_000_000)
}

fn event(received: Received) -> Incoming {
    match received {
        Received::Events { mut events, .. } if events.len() == 1 => events.remove(0),
        other => panic!("one event, not {other:?}"),
    }
}

fn rejection(received: Received) -> Rejection {
    match received {
        Received::Rejected(rejection) => rejection,
        other => panic!("a rejection, not {other:?}"),
    }
}

/// A webhook with this payload in the smallest envelope.
fn webhook(name: &str, payload: Value) -> Value {
    json!({ "info": { "cid": CID }, "packet": { "name": name, "payload": payload } })
}
