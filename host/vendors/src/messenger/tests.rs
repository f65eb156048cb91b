//! Golden files, the rules that they cannot show, and input that nobody meant to send.

mod deliver;
mod golden;
pub(crate) mod hostile;
mod limits;
mod profile;
mod settings;
mod verify;

use std::path::Path;
use std::sync::Arc;

use botyard_kernel::session::Seed;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use super::connect;
use crate::{CallAnswer, Inbound, Outcome, Received, Rejection, Vendor};

pub(crate) const PAGE: &str = "410088123456789";
pub(crate) const USER: &str = "2410099887766";
pub(crate) const CONVERSATION: &str = "410088123456789:2410099887766";
pub(crate) const APP_SECRET: &str = "fb-app-secret";
const TOKEN: &str = "EAAtokenOfThePage";
pub(crate) const NOW: u64 = 1_700_000_800_000;

/// Settings of a channel.
pub(crate) fn settings() -> Value {
    json!({
        "app-secret": APP_SECRET,
        "verify-token": "meatyhamhock",
        "page-token": TOKEN,
        "app-id": 1_357_000,
    })
}

fn channel(settings: Value) -> Arc<dyn Vendor> {
    connect(settings).expect("settings")
}

fn with_dialect(dialect: Value) -> Arc<dyn Vendor> {
    let mut settings = settings();
    settings["dialect"] = dialect;
    channel(settings)
}

/// The vendor's signature of a body.
fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    bytes.iter().fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// What a channel makes of a webhook that is signed.
pub(crate) fn receive(channel: &dyn Vendor, body: &[u8]) -> Received {
    let mut headers = HeaderMap::new();
    headers.insert("X-Hub-Signature-256", signature(APP_SECRET, body).parse().unwrap());
    let request = Inbound {
        method: &Method::POST,
        rest: "",
        query: None,
        headers: &headers,
        body: &Bytes::copy_from_slice(body),
        chance: Seed::default(),
    };
    channel.receive(&request, NOW)
}

fn rejection(received: Received) -> Rejection {
    match received {
        Received::Rejected(rejection) => rejection,
        other => panic!("a rejection, not {other:?}"),
    }
}

/// A webhook with one item.
fn webhook(item: &Value) -> Value {
    json!({ "object": "page", "entry": [{ "id": PAGE, "time": NOW, "messaging": [item] }] })
}

/// An item in which the person does this.
fn item(kind: &str, part: Value) -> Value {
    let mut item =
        json!({ "sender": { "id": USER }, "recipient": { "id": PAGE }, "timestamp": NOW });
    item[kind] = part;
    item
}

/// Reads the fixtures of a vendor whose names begin so: never none.
pub(crate) fn fixtures(vendor: &str, kind: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(vendor);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("fixtures") {
        let path = entry.expect("fixture").path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with(kind) {
            let text = std::fs::read(&path).expect("fixture");
            found.push((name, serde_json::from_slice(&text).expect("JSON")));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(!found.is_empty(), "no fixtures begin with {kind}");
    found
}

pub(crate) fn read<T: for<'de> Deserialize<'de>>(name: &str, fixture: Value) -> T {
    serde_json::from_value(fixture).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// An answer of a vendor, as fixtures write it.
#[derive(Deserialize)]
pub(crate) struct Response {
    status: u16,
    #[serde(default)]
    body: Value,
    raw_body: Option<String>,
}

impl Response {
    pub(crate) fn answer(self) -> CallAnswer {
        let body = self.raw_body.unwrap_or_else(|| self.body.to_string());
        CallAnswer::Answered {
            status: self.status.try_into().expect("a status"),
            retry_after_ms: None,
            body: body.into(),
            headers: HeaderMap::new(),
        }
    }
}

/// A call, as fixtures write it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    method: String,
    url: String,
    headers: serde_json::Map<String, Value>,
    body: Value,
}

impl Request {
    /// `placeholder` stands for the secret that is really sent.
    pub(crate) fn check(&self, name: &str, call: &crate::Call, placeholder: &str, secret: &str) {
        assert_eq!(call.method, *self.method, "{name}");
        assert_eq!(call.url, self.url, "{name}");
        let body: Value = serde_json::from_slice(&call.body).expect("a body of JSON");
        assert_eq!(body, self.body, "{name}");
        assert_eq!(call.headers.len(), self.headers.len(), "{name}");
        for (header, value) in &self.headers {
            let value = value.as_str().expect("a text").replace(placeholder, secret);
            assert_eq!(call.headers[header.as_str()], value, "{name}");
        }
    }
}

/// What an answer means, as fixtures write it.
pub(crate) fn told(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Delivered { follow_ups, .. } => {
            json!({ "is": "delivered", "follow_ups": follow_ups })
        }
        Outcome::Retry { ambiguous, blame, tries_max, .. } => {
            let mut told = json!({ "is": "retry", "blame": blame.name(), "ambiguous": ambiguous });
            if let Some(tries) = tries_max {
                told["tries_max"] = json!(tries);
            }
            told
        }
        Outcome::Fatal { blame, .. } => json!({ "is": "fatal", "blame": blame.name() }),
        Outcome::Taken(_) => json!({ "is": "taken" }),
        Outcome::Gone(_) => json!({ "is": "gone" }),
    }
}
