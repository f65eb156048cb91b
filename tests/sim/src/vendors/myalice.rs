//! `MyAlice`: blocks of a chatbot that show the one thing that their call is answered,
//! REST for what else there is to say, and tickets that tell who has the person.

use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::action::Action;
use botyard_kernel::time::{MINUTE, Millis, SECOND};
use botyard_vendors::Vendor;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Came, Line, Manner, Posted, Said, Way};
use crate::desk::Desk;
use crate::webhook::Saying;

const PLATFORM: u64 = 77;
const KEY: &str = "a-rest-key";
const TEXT_URL: &str = "https://api.myalice.ai/stable/open/customers/send-text-message";
const WAIT: &str = "One moment, please.";
/// The least of the platforms behind it.
const TEXT_CHARACTERS_MAX: usize = 2_000;

const MANNER: Manner = Manner {
    opening: Saying::Message,
    sayings: &[
        (62, Saying::Message),
        (8, Saying::SameWords),
        (8, Saying::HumanSpoke),
        (10, Saying::Returned),
        (8, Saying::Signal),
        (4, Saying::Forged),
    ],
    gives_back: Saying::Returned,
    has_ids: false,
    batches: false,
};

struct MyAlice {
    vendor: Arc<dyn Vendor>,
    secret: String,
    wait_text: &'static str,
}

pub(super) fn draw(number: u64, chance: &mut Chance) -> Box<dyn Line> {
    let secret = format!("secret of channel {number}");
    let wait_text = if chance.percent(50) { WAIT } else { "" };
    let settings = json!({
        "webhook-secret": secret,
        "api-key": KEY,
        "wait-text": wait_text,
        "hold-ambiguous": chance.percent(15),
        "age-max-ms": if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
    });
    let vendor = botyard_vendors::connect("myalice", settings).expect("these settings are right");
    Box::new(MyAlice { vendor, secret, wait_text })
}

impl Line for MyAlice {
    fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::clone(&self.vendor)
    }

    fn manner(&self) -> &'static Manner {
        &MANNER
    }

    fn key(&self, number: usize) -> String {
        format!("{PLATFORM}:{}", customer(number))
    }

    fn post(&self, said: &Said<'_>) -> Posted {
        let whose = &said.of[0];
        let ticket = |action: &str, agent: Value| {
            let seconds = (said.at_ms / SECOND).to_string();
            let resolved = action == "ticket_resolved";
            json!({
                "action": action,
                "customer": { "id": customer(whose.number), "created_at": seconds },
                "channel": { "id": PLATFORM, "type": "livechat_messenger", "name": "Shop" },
                "ticket": {
                    "id": said.number, "is_replied": false, "is_resolved": resolved,
                    "conversation_text": said.words(0), "created_at": seconds,
                    "assigned_agent": agent, "tags": [],
                },
            })
        };
        let (rest, body) = match said.saying {
            Saying::HumanSpoke => {
                ("tickets", ticket("ticket_created", json!({ "full_name": "Agent" })))
            }
            Saying::Returned => ("tickets", ticket("ticket_resolved", Value::Null)),
            Saying::Start
            | Saying::Message
            | Saying::SameWords
            | Saying::Click
            | Saying::Several
            | Saying::Signal
            | Saying::DeskReturns
            | Saying::ExternalSpeaks
            | Saying::ExternalLeaves
            | Saying::Takes
            | Saying::ForwardFailed
            | Saying::Closed
            | Saying::Forged => {
                let body = json!({
                    "uid": customer(whose.number), "platform_id": PLATFORM,
                    "bot_enabled": !whose.desk.with_agent, "full_name": "Somebody",
                    "last_message_text": said.words(0),
                    "last_message_time": written(said.at_ms),
                });
                ("text/orders", body)
            }
        };
        Posted { rest, ..Posted::with("x-secret", said.secret(&self.secret), body) }
    }

    fn take(&self, came: &Came<'_>, _desk: &mut Desk) {
        let body: Value = serde_json::from_slice(came.body()).expect("it is JSON");
        match came.way {
            Way::Answer { late, .. } => {
                assert_eq!(body["status"], 200, "the status stands in the body, too");
                assert_eq!(body["success"], true, "a text block that shows nothing");
                match came.rows {
                    [] => {
                        let data = body["data"].as_str().expect("data is a text");
                        let waits = late && data == self.wait_text;
                        assert!(waits || data.is_empty(), "a block shows {data}");
                    }
                    [row] => {
                        let Action::Message(message) = &row.action else {
                            panic!("{} rides in a text block", row.id);
                        };
                        assert_eq!(body["data"], *message.text, "another text than {}", row.id);
                        is_short(&message.text);
                    }
                    rows => panic!("a block shows {} things", rows.len()),
                }
            }
            Way::Call(call) => {
                let [row] = came.rows else { panic!("a call says {} things", came.rows.len()) };
                let Action::Message(message) = &row.action else {
                    panic!("{} reached MyAlice as {}", row.id, row.action.name());
                };
                let key = call.headers.get("x-myalice-api-key").and_then(|it| it.to_str().ok());
                assert_eq!((&*call.url, key), (TEXT_URL, Some(KEY)));
                let to = body["customer_id"].as_str().expect("the customer is a text");
                assert_eq!(format!("{PLATFORM}:{to}"), came.key, "of another conversation");
                assert_eq!(body["text"], *message.text, "another text than {}", row.id);
                is_short(&message.text);
            }
        }
    }

    /// A block shows one thing. What stands before it goes by REST, behind it.
    fn one_rides(&self) -> bool {
        true
    }
}

fn customer(number: usize) -> u64 {
    1_000 + number as u64
}

/// As the vendor writes times: with a blank and an offset.
fn written(at_ms: Millis) -> String {
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.expect("runs end before calendars do").to_string();
    at.replace('T', " ").replace('Z', "+00:00")
}

fn is_short(text: &str) {
    let characters = text.chars().count();
    assert!(characters <= TEXT_CHARACTERS_MAX, "{characters} characters are too many");
}
