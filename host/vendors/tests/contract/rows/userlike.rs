//! Userlike signs nothing: it repeats a header, or calls a URL that nobody else knows.

use botyard_vendors::userlike::NAME;
use serde_json::{Value, json};

use super::Row::{Has, HasNot};
use super::{By, Door, Refused, Rows, Tap, Trip, Unknown, Webhook, message, settings};

pub(super) fn rows() -> Rows {
    let one = "a webhook holds one packet";
    Rows {
        vendor: NAME,
        doors: vec![
            Door {
                name: "the header",
                settings: |secret| settings(NAME, json!({ "webhook-secret": secret })),
                shows: |secret| Webhook::post(&message(NAME)).with("api-security-token", secret),
                refused: Refused::Unauthorized,
            },
            Door {
                name: "the URL",
                settings: |secret| {
                    settings(NAME, json!({ "webhook-secret": null, "webhook-url-secret": secret }))
                },
                shows: |secret| Webhook::post(&message(NAME)).at(secret),
                refused: Refused::Unauthorized,
            },
        ],
        batch: HasNot(one),
        siblings: HasNot(one),
        echoes: HasNot("packets tell what the contact does; the bot's own words never come back"),
        unknown: Has(vec![(
            packet("survey_answered", json!({ "stars": 5 })),
            Unknown::Told("survey_answered"),
        )]),
        conversation: &[
            Trip { from: "/info/cid", by: By::Call, to: "/0/info/cid" },
            Trip { from: "/info/cid", by: By::Answer, to: "/0/info/cid" },
        ],
        option: Has(Tap {
            by: By::Answer,
            token: "/0/packet/payload/options/0/id",
            webhook: |token, label| packet("click", json!({ "id": token, "label": label })),
            comes: str::to_owned,
        }),
        signed_time: HasNot("the vendor signs nothing"),
    }
}

fn packet(name: &str, payload: Value) -> Webhook {
    let mut webhook = message(NAME);
    webhook["packet"] = json!({ "name": name, "payload": payload });
    Webhook::post(&webhook)
}
