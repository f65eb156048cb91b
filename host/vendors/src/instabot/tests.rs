//! Golden files, the rules that they cannot show, and input that nobody meant to send.

mod client;
mod deliver;
mod golden;
mod hostile;
mod limits;
mod numbers;
mod profile;
mod relay;
mod settings;
mod stream;
mod verify;

use std::path::Path;
use std::sync::Arc;

use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::connect;
use crate::{Inbound, Incoming, Received, Rejection, Reply, Vendor};

const BOT_ID: u64 = 474_960_032;
const API_KEY: &str = "API_KEY";
const STREAM_SECRET: &str = "a stream secret of 32 bytes, long";
const CHANCE: Seed = Seed([1, 2, 3, 4]);
/// The name that [`CHANCE`] gives a conversation.
const NAME: &str = "18446744073709551618";
/// What [`STREAM_SECRET`] makes of [`NAME`] for [`BOT_ID`]: it must stay, as chats
/// outlive versions of the host.
const STREAM: &str = "1844674407370955161898522783801280073599";
const EMAIL: &str = "guest@example.invalid";

/// The least settings.
fn settings() -> Value {
    json!({ "bot-id": BOT_ID, "api-key": API_KEY, "stream-secret": STREAM_SECRET })
}

/// The settings with these keys in the place of theirs; `null` takes one away.
fn with(changes: &Value) -> Value {
    let mut settings = settings();
    for (key, value) in changes.as_object().expect("changes") {
        settings[key] = value.clone();
    }
    settings
}

fn channel(settings: Value) -> Arc<dyn Vendor> {
    connect(settings).expect("settings")
}

/// What a channel makes of a request.
fn request(channel: &dyn Vendor, method: &Method, path: &str, body: &[u8]) -> Received {
    let request = Inbound {
        method,
        rest: path,
        query: None,
        headers: &HeaderMap::new(),
        body: &Bytes::copy_from_slice(body),
        chance: CHANCE,
    };
    channel.receive(&request, 1_700_000_000_000)
}

fn send(channel: &dyn Vendor, body: &Value) -> Received {
    request(channel, &Method::POST, "secure/send", body.to_string().as_bytes())
}

/// The body of a start with these fields in the place of its own; `null` takes one
/// away.
fn start(changes: &Value) -> Value {
    let body = json!({ "apiKey": API_KEY, "start": true, "botId": BOT_ID, "email": EMAIL });
    changed(body, changes)
}

/// The body of a respond with this message.
fn respond(message: Value) -> Value {
    json!({ "streamId": STREAM, "message": message })
}

fn changed(mut body: Value, changes: &Value) -> Value {
    let fields = body.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("changes") {
        match value {
            Value::Null => fields.shift_remove(name),
            value => fields.insert(name.clone(), value.clone()),
        };
    }
    body
}

fn event(received: Received) -> Incoming {
    match received {
        Received::Events { mut events, damaged } if events.len() == 1 && damaged.is_empty() => {
            events.remove(0)
        }
        other => panic!("one event, not {other:?}"),
    }
}

fn rejection(received: Received) -> Rejection {
    match received {
        Received::Rejected(rejection) => rejection,
        other => panic!("a rejection, not {other:?}"),
    }
}

/// The answer to a question for somebody who was never here.
fn told(received: Received) -> Reply {
    match received {
        Received::Asked { email } => channel(settings()).person(&email, None).expect("an answer"),
        other => panic!("a question, not {other:?}"),
    }
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("a body of JSON")
}

/// Reads the fixtures whose names begin so: never none.
fn fixtures(kind: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/instabot");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("fixtures") {
        let path = entry.expect("fixture").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with(kind) {
            found.push((name, parsed(&std::fs::read(&path).expect("fixture"))));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(!found.is_empty(), "no fixtures begin with {kind}");
    found
}

fn read<T: for<'de> serde::Deserialize<'de>>(name: &str, fixture: Value) -> T {
    serde_json::from_value(fixture).unwrap_or_else(|error| panic!("{name}: {error}"))
}
