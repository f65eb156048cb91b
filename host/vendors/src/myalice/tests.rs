//! Golden files, the rules that they cannot show, and input that nobody meant to send.

mod data;
mod deliver;
mod golden;
mod hostile;
mod limits;
mod outcome;
mod profile;
mod settings;
mod verify;

use std::sync::Arc;

use botyard_kernel::action::{Action, Message, TextFormat};
use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::connect;
use crate::{Inbound, Incoming, Received, Rejection, Vendor};

const SECRET: &str = "correct horse battery staple";
const API_KEY: &str = "k3y-of-the-project";

fn settings() -> Value {
    json!({ "webhook-secret": SECRET, "api-key": API_KEY })
}

/// The settings with these keys in the place of theirs; `null` takes one away.
fn with(changes: &Value) -> Value {
    let mut settings = settings();
    for (key, value) in changes.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

fn channel(settings: Value) -> Arc<dyn Vendor> {
    connect(settings).expect("settings")
}

fn with_dialect(dialect: &Value) -> Arc<dyn Vendor> {
    channel(with(&json!({ "dialect": dialect })))
}

fn headers(named: &[(&'static str, &str)]) -> HeaderMap {
    named.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

/// What a channel makes of a webhook that knows the secret.
fn receive_as(
    channel: &dyn Vendor,
    method: &Method,
    rest: &str,
    query: Option<&str>,
    body: &[u8],
) -> Received {
    let request = Inbound {
        method,
        rest,
        query,
        headers: &headers(&[("X-Secret", SECRET)]),
        body: &Bytes::copy_from_slice(body),
        chance: Seed([1, 2, 3, 4]),
    };
    channel.receive(&request, 1_700_000_000_000)
}

/// What a channel makes of a POST.
fn receive(rest: &str, body: &[u8]) -> Received {
    receive_as(&*channel(settings()), &Method::POST, rest, None, body)
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

/// The least that a POST of a block says.
fn block(said: &str) -> Value {
    json!({ "uid": 1022, "platform_id": 1, "bot_enabled": true, "last_message_text": said })
}

/// The least that a ticket webhook says.
fn ticket(action: &str) -> Value {
    json!({ "action": action, "customer": { "id": 1022 }, "channel": { "id": 1 } })
}

fn message(text: &str) -> Action {
    Action::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}
