//! Lexer sends nothing: its channel gets Messenger's webhooks, and tells Lexer of them.

use botyard_vendors::lexer::NAME;
use serde_json::{Value, json};

use super::messenger::{SENDER, rows_of};
use super::{By, Rows, Trip, settings};

pub(super) fn rows() -> Rows {
    rows_of(
        NAME,
        |secret| with_messenger("app-secret", secret),
        |token| with_messenger("verify-token", token),
        CONVERSATION,
    )
}

const CONVERSATION: &[Trip] = &[
    Trip { from: SENDER, by: By::Call, to: "/recipient/id" },
    claimed("/entry/0/messaging/0/message/mid", "/object_id"),
    claimed("/entry/0/messaging/0/recipient/id", "/account_id"),
    claimed("/entry/0/messaging/0/timestamp", "/published_at"),
];

const fn claimed(from: &'static str, to: &'static str) -> Trip {
    Trip { from, by: By::Acknowledgement, to }
}

fn with_messenger(key: &str, value: Value) -> Value {
    let mut messenger = settings(NAME, json!({}))["messenger"].clone();
    messenger[key] = value;
    settings(NAME, json!({ "messenger": messenger }))
}
