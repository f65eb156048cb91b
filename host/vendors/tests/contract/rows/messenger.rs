//! Messenger signs webhooks, and subscribes them by a token.

use botyard_vendors::messenger::NAME;
use http::StatusCode;
use serde_json::{Value, json};

use super::Row::{Has, HasNot};
use super::{By, Door, NOW, Refused, Rows, Tap, Trip, Unknown, Webhook, hmac, message, settings};

pub(super) fn rows() -> Rows {
    rows_of(
        NAME,
        |secret| settings(NAME, json!({ "app-secret": secret })),
        |token| settings(NAME, json!({ "verify-token": token })),
        &[Trip { from: SENDER, by: By::Call, to: "/recipient/id" }],
    )
}

pub(super) const SENDER: &str = "/entry/0/messaging/0/sender/id";

/// The rows of whoever gets Messenger's webhooks.
pub(super) fn rows_of(
    vendor: &'static str,
    with_secret: fn(Value) -> Value,
    with_token: fn(Value) -> Value,
    conversation: &'static [Trip],
) -> Rows {
    Rows {
        vendor,
        doors: vec![
            Door {
                name: "the signature",
                settings: with_secret,
                shows: |secret| {
                    let webhook = Webhook::post(&message(NAME));
                    let hex = hmac(secret, &webhook.body);
                    let hex: String = hex.iter().map(|byte| format!("{byte:02x}")).collect();
                    webhook.with("x-hub-signature-256", &format!("sha256={hex}"))
                },
                refused: Refused::Unauthorized,
            },
            Door {
                name: "the subscription",
                settings: with_token,
                shows: |token| {
                    let asks = "hub.mode=subscribe&hub.challenge=1158201444";
                    Webhook::get(format!("{asks}&hub.verify_token={token}"))
                },
                refused: Refused::Otherwise(
                    StatusCode::FORBIDDEN,
                    "the page on webhooks: a token that does not match is answered 403",
                ),
            },
        ],
        batch: Has(|count| items((0..count).map(said))),
        siblings: Has(|count| {
            let mut all: Vec<_> = (0..count).map(said).collect();
            all.insert(count / 2, json!({ "sender": { "id": {} }, "message": "text" }));
            items(all)
        }),
        echoes: Has(vec![items([echo()]), standby(echo())]),
        unknown: Has(vec![
            (items([did("hologram", json!({ "note": "new" }))]), Unknown::Told("hologram")),
            (
                Webhook::post(&json!({ "object": "page", "entry": [{ "id": "410088",
                    "changes": [{ "field": "feed", "value": {} }] }] })),
                Unknown::Ignored("no messages"),
            ),
        ]),
        conversation,
        option: Has(Tap {
            by: By::Call,
            token: "/message/quick_replies/0/payload",
            webhook: |token, label| {
                let reply = json!({ "payload": token });
                items([did(
                    "message",
                    json!({ "mid": "m_2", "text": label, "quick_reply": reply }),
                )])
            },
            comes: str::to_owned,
        }),
        signed_time: HasNot("only the body is signed, which holds the time of each item"),
    }
}

/// An item in which the person does this.
fn did(kind: &str, part: Value) -> Value {
    let mut item = message(NAME)["entry"][0]["messaging"][0].clone();
    let fields = item.as_object_mut().unwrap();
    fields.shift_remove("message");
    fields.insert(kind.to_owned(), part);
    item
}

fn said(nth: usize) -> Value {
    did("message", json!({ "mid": format!("m_{nth}"), "text": "Hello" }))
}

/// What our app said, as the vendor tells it.
fn echo() -> Value {
    json!({
        "sender": { "id": "410088" }, "recipient": { "id": "7200" }, "timestamp": NOW,
        "message": { "is_echo": true, "app_id": 1_000_000_000_000_001_u64, "mid": "m_3",
            "text": "Hello" },
    })
}

/// One webhook with these items, in as many entries as two.
fn items(items: impl IntoIterator<Item = Value>) -> Webhook {
    let items: Vec<_> = items.into_iter().collect();
    let (first, second) = items.split_at(items.len().div_ceil(2));
    let entry = |items| json!({ "id": "410088", "time": NOW, "messaging": items });
    Webhook::post(&json!({ "object": "page", "entry": [entry(first), entry(second)] }))
}

fn standby(item: Value) -> Webhook {
    let entry = json!({ "id": "410088", "time": NOW, "standby": [item] });
    Webhook::post(&json!({ "object": "page", "entry": [entry] }))
}
