//! Clients of the Chat API show the API key once, and from then on the stream id that they
//! were given.

use botyard_vendors::instabot::{NAME, token_number};
use botyard_vendors::{Received, To, connect};
use http::StatusCode;
use serde_json::{Value, json};

use super::Row::{Has, HasNot};
use super::{By, Door, NOW, Refused, Rows, Tap, Trip, Webhook, settings};

pub(super) fn rows() -> Rows {
    let one = "a request begins one chat or says one thing in it";
    let with_key = |key: Value| settings(NAME, json!({ "api-key": key }));
    Rows {
        vendor: NAME,
        doors: vec![
            Door {
                name: "the stream id",
                settings: with_stream_secret,
                shows: |secret| {
                    send(json!({ "streamId": begun(secret), "message": { "text": "Hi" } }))
                },
                refused: Refused::Otherwise(
                    StatusCode::NOT_FOUND,
                    "a stream id that we did not make names no chat: the vendor's page lists no \
                     errors, and the dialect has the status",
                ),
            },
            Door {
                name: "the API key of a start",
                settings: with_key,
                shows: |key| send(start(key)),
                refused: Refused::Unauthorized,
            },
            Door {
                name: "the API key of whoever asks for a person",
                settings: with_key,
                shows: |key| {
                    Webhook::post(&json!({ "apiKey": key, "email": "m@x.test" })).at("secure/user")
                },
                refused: Refused::Unauthorized,
            },
        ],
        batch: HasNot(one),
        siblings: HasNot(one),
        echoes: HasNot("requests tell what the person says; the bot's words are their answers"),
        unknown: HasNot("a request has no type, and fields that we do not know are passed over"),
        conversation: &[Trip { from: "/streamId", by: By::Answer, to: "/streamId" }],
        option: Has(Tap {
            by: By::Answer,
            token: "/messages/0/quick_replies/0/payload",
            webhook: |token, label| {
                let message = json!({ "text": label, "payload": token });
                send(json!({ "streamId": "1".repeat(40), "message": message }))
            },
            // Payloads are numbers: an id that is none comes back as the number for it.
            comes: |id| {
                let number = token_number(id).to_string();
                if number == id { number } else { format!("#{number}") }
            },
        }),
        signed_time: HasNot("the vendor signs nothing"),
    }
}

fn with_stream_secret(secret: Value) -> Value {
    settings(NAME, json!({ "stream-secret": secret }))
}

fn send(body: Value) -> Webhook {
    Webhook::post(&body).at("secure/send")
}

fn start(key: &str) -> Value {
    json!({ "apiKey": key, "start": true, "botId": 474_960_032, "email": "m@x.test" })
}

/// The stream id of a chat that was begun while this was the secret.
fn begun(secret: &str) -> Value {
    let channel = connect(NAME, with_stream_secret(secret.into())).unwrap();
    let Received::Events { events, .. } = send(start("a-sample-key")).receive(&*channel, NOW)
    else {
        panic!("a chat begins")
    };
    let to =
        To { reply_to: events[0].reply_to.as_deref(), ..To::conversation(&events[0].conversation) };
    let answer: Value = serde_json::from_slice(&channel.answer(&to, &[]).body).unwrap();
    answer["streamId"].clone()
}
