//! `MyAlice`: blocks of a chatbot that show the one thing that their call is answered, each
//! only what it is made for, REST for texts and nothing else, and tickets that tell who has
//! the person.

use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::log::Row;
use botyard_kernel::time::{MINUTE, Millis, SECOND};
use botyard_vendors::{Call, Vendor};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Came, Line, Manner, Posted, Said, Way, weighed};
use crate::desk::Desk;
use crate::shown::{Choice, Menu, Shown};
use crate::webhook::Saying;

const PLATFORM: u64 = 77;
const KEY: &str = "a-rest-key";
const TEXT_URL: &str = "https://api.myalice.ai/stable/open/customers/send-text-message";
const WAIT: &str = "One moment, please.";
/// The least of the platforms behind it.
const TEXT_CHARACTERS_MAX: usize = 2_000;

/// The blocks that a person comes to: their output type, and a name.
const BLOCKS: &[(u64, &str)] = &[
    (36, "text/orders"),
    (40, "quick-reply/orders"),
    (12, "gallery/orders"),
    (8, "image/orders"),
    (4, "button/orders"),
];
/// Where tickets are told of.
const TICKETS: &str = "tickets";

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
    /// Blocks with options have a place for a text, too.
    tells: bool,
    /// Of a hundred persons so many go on to another block before an answer is shown.
    hurry_percent: u64,
}

pub(super) fn draw(number: u64, chance: &mut Chance) -> Box<dyn Line> {
    let secret = format!("secret of channel {number}");
    let wait_text = if chance.percent(50) { WAIT } else { "" };
    let tells = chance.percent(50);
    let hurry_percent = [0, 30, 60][chance.pick(3)];
    let mut settings = json!({
        "webhook-secret": secret,
        "api-key": KEY,
        "wait-text": wait_text,
        "hold-ambiguous": chance.percent(15),
        "age-max-ms": if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
    });
    if tells {
        let whole = json!({ "text": "{text}", "items": "{items}" });
        settings["dialect"]["data"] = json!({
            "quick-reply": { "whole": whole, "item": { "title": "{label}" } },
            "gallery": { "whole": whole, "item": { "title": "{label}", "image": "{image}" } },
        });
    }
    let vendor = botyard_vendors::connect("myalice", settings).expect("these settings are right");
    Box::new(MyAlice { vendor, secret, wait_text, tells, hurry_percent })
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
                (TICKETS, ticket("ticket_created", json!({ "full_name": "Agent" })))
            }
            Saying::Returned => (TICKETS, ticket("ticket_resolved", Value::Null)),
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
                // Chance of its own: nothing else is to change with it.
                let mut aside = Chance::of(said.at_ms, said.number as u64);
                (weighed(BLOCKS, &mut aside), body)
            }
        };
        Posted { rest, ..Posted::with("x-secret", said.secret(&self.secret), body) }
    }

    fn take(&self, came: &Came<'_>, desk: &mut Desk) {
        let body: Value = serde_json::from_slice(came.body()).expect("it is JSON");
        let shown = match came.way {
            Way::Answer { rest, late, .. } => self.shown_by(block(rest), late, &body, came.rows),
            Way::Call(call) => Some(sent(call, &body, came.key)),
        };
        let Some(shown) = shown else { return };
        let [row] = came.rows else { panic!("{} things at once", came.rows.len()) };
        let meant = Shown::of(&row.action);
        assert_eq!(Some(&shown), meant.as_ref(), "another thing than {}", row.id);
        if let Shown::Text(text) = &shown {
            let characters = text.chars().count();
            assert!(characters <= TEXT_CHARACTERS_MAX, "{characters} characters are too many");
        }
        desk.see(row, shown);
    }

    fn loses(&self) -> u64 {
        self.hurry_percent
    }

    fn shows_menus(&self) -> bool {
        true
    }

    fn has_place_for(&self, rest: &str) -> Option<&'static str> {
        // A text is no privilege of text blocks.
        made_for(block(rest)).filter(|action| *action != "message")
    }

    /// A block shows one thing. What stands before it goes by REST, behind it.
    fn one_rides(&self) -> bool {
        true
    }
}

impl MyAlice {
    /// What a block shows of its answer, which must be what it is made for, or nothing.
    fn shown_by(&self, block: &str, late: bool, body: &Value, rows: &[Row]) -> Option<Shown> {
        assert_eq!(body["status"], 200, "the status stands in the body, too");
        let data = body["data"].as_str().expect("data is a text");
        let Some(row) = rows.first() else {
            let waits = block == "text" && late && data == self.wait_text;
            assert!(waits || data.is_empty(), "a {block} block shows {data}");
            // A picture of nothing would be shown broken, to whoever sees the answer.
            let succeeds = matches!(block, "text" | TICKETS | "");
            assert_eq!(body["success"], succeeds, "a {block} block shows nothing");
            return None;
        };
        let shows = Some(row.action.name());
        assert_eq!(shows, made_for(block), "{} rides in a {block} block", row.id);
        assert_eq!(body["success"], true, "a {block} block fails to show {}", row.id);
        Some(match block {
            "text" => Shown::Text(data.to_owned()),
            "image" => Shown::Picture(data.to_owned()),
            _ => Shown::Menu(self.menu(data)),
        })
    }

    fn menu(&self, data: &str) -> Menu {
        let data: Value = serde_json::from_str(data).expect("options are JSON");
        let text = data["text"].as_str().filter(|_| self.tells).unwrap_or_default().to_owned();
        let items = if self.tells { &data["items"] } else { &data };
        let of = |item: &Value, key: &str| item[key].as_str().map(str::to_owned);
        let choice = |item: &Value| Choice {
            label: of(item, "title").expect("an option has a title"),
            picture: of(item, "image"),
        };
        let items = items.as_array().expect("options are a list");
        Menu { text, options: items.iter().map(choice).collect() }
    }
}

/// What REST shows: a text, by who may send it and to the person of the conversation.
fn sent(call: &Call, body: &Value, conversation: &str) -> Shown {
    let key = call.headers.get("x-myalice-api-key").and_then(|it| it.to_str().ok());
    assert_eq!((&*call.url, key), (TEXT_URL, Some(KEY)));
    let to = body["customer_id"].as_str().expect("the customer is a text");
    assert_eq!(format!("{PLATFORM}:{to}"), conversation, "of another conversation");
    Shown::Text(body["text"].as_str().expect("a message has a text").to_owned())
}

/// The output type of the block that calls this path.
fn block(rest: &str) -> &str {
    rest.split_once('/').map_or(rest, |(block, _)| block)
}

/// The one action that a block of this output type shows.
fn made_for(block: &str) -> Option<&'static str> {
    Some(match block {
        "text" => "message",
        "image" => "media",
        "gallery" => "carousel",
        "quick-reply" => "bubbles",
        "button" => "buttons",
        _ => return None,
    })
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
