//! Khoros shows a password or a signature, as the registration says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use botyard_vendors::khoros::NAME;
use serde_json::{Value, json};

use super::Row::{Has, HasNot};
use super::{By, Door, Refused, Rows, Tap, Trip, Unknown, Webhook, hmac, message, settings};

pub(super) fn rows() -> Rows {
    Rows {
        vendor: NAME,
        doors: vec![
            Door {
                name: "Basic",
                settings: |secret| settings(NAME, json!({ "webhook-secret": secret })),
                shows: |secret| {
                    let told = STANDARD.encode(format!("a-sample-identity:{secret}"));
                    Webhook::post(&message(NAME)).with("authorization", &format!("Basic {told}"))
                },
                refused: Refused::Unauthorized,
            },
            Door {
                name: "the signature",
                settings: |secret| {
                    let changes = json!({ "webhook-method": "hmac", "webhook-secret": secret });
                    settings(NAME, changes)
                },
                shows: |secret| {
                    let webhook = Webhook::post(&message(NAME));
                    let signature = STANDARD.encode(hmac(secret, &webhook.body));
                    webhook.with("x-hmac-signature", &signature)
                },
                refused: Refused::Unauthorized,
            },
        ],
        // A webhook is one message: its text and each of its files is an event.
        batch: Has(|count| with_files(count, false)),
        siblings: Has(|count| with_files(count, true)),
        echoes: Has(vec![answered_by_us(), said_by("acme-bot"), said_by("410088")]),
        unknown: Has(vec![
            (changed(json!({ "type": "survey" })), Unknown::Told("survey")),
            (
                changed(json!({ "type": "survey", "coordinate": null, "author": null })),
                Unknown::Ignored("unknown type"),
            ),
            (changed(json!({ "type": "update", "operation": "MERGED" })), Unknown::Told("MERGED")),
        ]),
        conversation: &[
            Trip { from: "/coordinate", by: By::Call, to: "/coordinate" },
            Trip { from: "/author/id", by: By::Call, to: "/author/id" },
            Trip { from: "/author/fullName", by: By::Call, to: "/author/fullName" },
        ],
        option: Has(Tap {
            by: By::Call,
            token: "/actions/0/payload",
            webhook: |token, label| {
                let action = json!({ "type": "reply", "payload": token, "text": label });
                changed(json!({ "text": label, "actions": [action] }))
            },
            comes: str::to_owned,
        }),
        signed_time: HasNot("only the body is signed, which holds the time that it was published"),
    }
}

/// The message with these fields; `null` takes one out.
fn changed(fields: Value) -> Webhook {
    let mut webhook = message(NAME);
    let all = webhook.as_object_mut().unwrap();
    for (key, value) in fields.as_object().unwrap() {
        all.insert(key.clone(), value.clone());
    }
    all.retain(|_, value| !value.is_null());
    Webhook::post(&webhook)
}

fn with_files(events: usize, damaged: bool) -> Webhook {
    let file = |n| json!({ "mediaType": "IMAGE", "url": format!("https://files.test/{n}.png") });
    let mut files: Vec<_> = (1..events).map(file).collect();
    if damaged {
        files.insert(files.len() / 2, json!({ "mediaType": "IMAGE" }));
    }
    changed(json!({ "media": files }))
}

/// An update for an answer that was given while the bot had the conversation.
fn answered_by_us() -> Webhook {
    changed(json!({ "type": "update", "operation": "AGENT_RESPONSE" }))
}

fn said_by(author: &str) -> Webhook {
    changed(json!({ "author": { "id": author } }))
}
