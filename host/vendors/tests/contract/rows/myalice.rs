//! `MyAlice` signs nothing: it repeats a header. Its ticket webhooks may call a URL that
//! nobody else knows.

use botyard_vendors::myalice::NAME;
use serde_json::{Value, json};

use super::Row::{Has, HasNot};
use super::{By, Door, Refused, Rows, Trip, Unknown, Webhook, message, settings};

pub(super) fn rows() -> Rows {
    let one = "an API block tells of one customer, and a ticket webhook of one ticket";
    let with_secret = |secret: Value| settings(NAME, json!({ "webhook-secret": secret }));
    Rows {
        vendor: NAME,
        doors: vec![
            Door {
                name: "the header of an API block",
                settings: with_secret,
                shows: |secret| block().with("x-secret", secret),
                refused: Refused::Unauthorized,
            },
            Door {
                name: "the header of an API block that asks",
                settings: with_secret,
                shows: |secret| {
                    Webhook::get("text=Hello".to_owned()).at("text/menu").with("x-secret", secret)
                },
                refused: Refused::Unauthorized,
            },
            Door {
                name: "the header of ticket webhooks",
                settings: with_secret,
                shows: |secret| ticket("ticket_created").at("tickets").with("x-secret", secret),
                refused: Refused::Unauthorized,
            },
            Door {
                name: "the URL of ticket webhooks",
                settings: |secret| settings(NAME, json!({ "tickets-url-secret": secret })),
                shows: |secret| ticket("ticket_created").at(format!("tickets/{secret}")),
                refused: Refused::Unauthorized,
            },
        ],
        batch: HasNot(one),
        siblings: HasNot(one),
        echoes: HasNot("it calls when a customer comes to a block, and tells of tickets"),
        unknown: Has(vec![(
            ticket("ticket_snoozed").at("tickets"),
            Unknown::Told("ticket_snoozed"),
        )]),
        conversation: &[Trip { from: "/uid", by: By::Call, to: "/customer_id" }],
        option: HasNot("a tap comes as the text of its label: the kernel finds the option by it"),
        signed_time: HasNot("the vendor signs nothing"),
    }
}

fn block() -> Webhook {
    Webhook::post(&message(NAME)).at("text/menu")
}

fn ticket(action: &str) -> Webhook {
    Webhook::post(&json!({
        "action": action,
        "customer": { "id": 1022, "full_name": "Mara" },
        "channel": { "id": 77, "type": "livechat_messenger" },
        "ticket": { "id": 8_192_170, "is_resolved": false, "assigned_agent": null },
    }))
}
