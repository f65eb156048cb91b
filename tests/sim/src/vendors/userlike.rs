//! Userlike: webhooks without ids and with the context that it holds, answers and calls
//! that carry lists.

use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::action::Action;
use botyard_kernel::log::Row;
use botyard_kernel::time::{MINUTE, Millis, SECOND};
use botyard_vendors::Vendor;
use serde_json::{Value, json};

use super::{Came, Line, Manner, Posted, Said, Way};
use crate::desk::Desk;
use crate::webhook::Saying;

/// It takes no longer text.
const TEXT_CHARACTERS_MAX: usize = 5_000;
/// It keeps no larger context.
const CONTEXT_BYTES_MAX: usize = 10_240;

const MANNER: Manner = Manner {
    opening: Saying::Start,
    sayings: &[
        (62, Saying::Message),
        (8, Saying::SameWords),
        (8, Saying::Click),
        (8, Saying::Signal),
        (10, Saying::ForwardFailed),
        (4, Saying::Forged),
    ],
    gives_back: Saying::ForwardFailed,
    has_ids: false,
    batches: false,
};

struct Userlike {
    vendor: Arc<dyn Vendor>,
    secret: String,
    token: String,
    rate: (usize, Millis),
    tells_gone: bool,
}

pub(super) fn draw(number: u64, chance: &mut Chance) -> Box<dyn Line> {
    let (secret, token) = (format!("secret of channel {number}"), format!("token-{number}"));
    let rate = if chance.percent(50) { (3, 10 * SECOND) } else { (20, MINUTE) };
    let tells_gone = chance.percent(20);
    let gone: &[u16] = if tells_gone { &[410] } else { &[] };
    let settings = json!({
        "webhook-secret": secret,
        "api-url": format!("https://userlike.example/{number}"),
        "api-token": token,
        "inline": chance.percent(80),
        "hold-ambiguous": chance.percent(15),
        "age-max-ms": if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
        "dialect": {
            "timing": { "rate-calls": rate.0, "rate-window-ms": rate.1 },
            "delay-fractions": chance.percent(50),
            "gone-statuses": gone,
        },
    });
    let vendor = botyard_vendors::connect("userlike", settings).expect("these settings are right");
    Box::new(Userlike { vendor, secret, token, rate, tells_gone })
}

impl Line for Userlike {
    fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::clone(&self.vendor)
    }

    fn manner(&self) -> &'static Manner {
        &MANNER
    }

    fn key(&self, number: usize) -> String {
        format!("c{number}")
    }

    fn post(&self, said: &Said<'_>) -> Posted {
        let (whose, n) = (&said.of[0], said.number);
        let (name, payload) = match said.saying {
            Saying::Start => ("start", json!({})),
            Saying::Click => ("click", json!({ "id": format!("option{n}"), "label": "This" })),
            Saying::ForwardFailed => ("forward_failed", json!({ "reason": format!("nobody {n}") })),
            Saying::Message
            | Saying::SameWords
            | Saying::Several
            | Saying::Signal
            | Saying::DeskReturns
            | Saying::ExternalSpeaks
            | Saying::ExternalLeaves
            | Saying::Takes
            | Saying::HumanSpoke
            | Saying::Returned
            | Saying::Closed
            | Saying::Forged => ("message", json!({ "body": said.words(0) })),
        };
        let body = json!({
            "info": {
                "cid": whose.key,
                "context": whose.desk.context.clone().unwrap_or(Value::Null),
                "approach_mode": "normal",
                "conversation": { "contact_channel": { "type": "web" }, "locale": "en" },
                "contact": { "id": whose.number, "name": "Somebody" },
            },
            "packet": { "name": name, "payload": payload },
        });
        Posted::with("api-security-token", said.secret(&self.secret), body)
    }

    fn take(&self, came: &Came<'_>, desk: &mut Desk) {
        if let Way::Call(call) = came.way {
            let token = call.headers.get("security-token").map(http::HeaderValue::as_bytes);
            assert_eq!(token, Some(self.token.as_bytes()), "the call shows no token");
        }
        let (rows, body) = (came.rows, came.body());
        if rows.is_empty() {
            assert!(body.is_empty() || body == b"[]", "an empty answer carries something");
            return;
        }
        let list: Vec<Value> = serde_json::from_slice(body).expect("Userlike takes a JSON list");
        assert_eq!(list.len(), rows.len(), "packets and rows differ in number");
        let media = list.iter().filter(|it| it["packet"]["name"] == "media").count();
        let alone = list.len() == 1 && matches!(came.way, Way::Call(_));
        assert!(media == 0 || alone, "media travels alone by API");
        let last = &list[list.len() - 1]["packet"]["name"];
        assert!(last != "delay", "a delay goes with what follows it");
        for (packet, row) in list.iter().zip(rows) {
            assert_eq!(packet["info"]["cid"], *came.key, "of another conversation");
            judge(&packet["packet"], row);
            if let Some(context) = packet["info"].get("context") {
                let bytes = context.to_string().len();
                assert!(bytes <= CONTEXT_BYTES_MAX, "the context has {bytes} bytes");
                desk.context = Some(context.clone());
            }
        }
    }

    fn tells_gone(&self) -> bool {
        self.tells_gone
    }

    fn rate(&self) -> Option<(usize, Millis)> {
        Some(self.rate)
    }
}

fn judge(packet: &Value, row: &Row) {
    let name = packet["name"].as_str().unwrap_or_default();
    let expected = match row.action.name() {
        "forward" => "forward_any",
        other => other,
    };
    assert_eq!(name, expected, "another action than {}", row.id);
    if let Action::Message(message) = &row.action {
        assert_eq!(packet["payload"]["body"], *message.text, "another text than {}", row.id);
        let characters = message.text.chars().count();
        assert!(characters <= TEXT_CHARACTERS_MAX, "{characters} characters are too many");
    }
}
