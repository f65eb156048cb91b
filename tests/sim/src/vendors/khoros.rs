//! Khoros Care: it answers each call by itself, one action a call, says with every event
//! who has the conversation, and refuses a bot that does not have it.

use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::action::Action;
use botyard_kernel::log::Row;
use botyard_kernel::time::{MINUTE, SECOND};
use botyard_vendors::{Call, Vendor};
use http::Method;
use serde_json::{Value, json};

use super::{Came, Line, Manner, Posted, Said, Trouble, Whose};
use crate::desk::Desk;
use crate::webhook::Saying;

const COMPANY: &str = "acmehotel";
const APP: &str = "acme-bot";
const PAGE: &str = "410088123456789";
const GATEWAY: &str = "https://api.app.lithium.com/bots/v3";
/// Messenger, behind it, takes no longer text.
const TEXT_CHARACTERS_MAX: usize = 2_000;
/// The HTTP Basic credentials of webhooks: `khoros:secret`, and others.
const CREDENTIALS: &str = "Basic a2hvcm9zOnNlY3JldA==";
const OTHERS: &str = "Basic a2hvcm9zOmd1ZXNz";

const MANNER: Manner = Manner {
    opening: Saying::Message,
    sayings: &[
        (52, Saying::Message),
        (8, Saying::Several),
        (8, Saying::Click),
        (8, Saying::HumanSpoke),
        (8, Saying::Returned),
        (4, Saying::Closed),
        (8, Saying::Signal),
        (4, Saying::Forged),
    ],
    gives_back: Saying::Returned,
    has_ids: true,
    batches: false,
};

struct Khoros {
    vendor: Arc<dyn Vendor>,
    /// The network has a sign of typing.
    network: &'static str,
    token: String,
}

pub(super) fn draw(number: u64, chance: &mut Chance) -> Box<dyn Line> {
    let token = format!("token-{number}");
    let settings = json!({
        "company-key": COMPANY,
        "app-id": APP,
        "gateway-url": GATEWAY,
        "token": token,
        "webhook-method": "basic",
        "webhook-identity": "khoros",
        "webhook-secret": "secret",
        "hold-ambiguous": chance.percent(15),
        "age-max-ms": if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
    });
    let vendor = botyard_vendors::connect("khoros", settings).expect("these settings are right");
    let network = ["facebook", "twitter"][chance.pick(2)];
    Box::new(Khoros { vendor, network, token })
}

impl Line for Khoros {
    fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::clone(&self.vendor)
    }

    fn manner(&self) -> &'static Manner {
        &MANNER
    }

    fn key(&self, number: usize) -> String {
        format!("{COMPANY}/{}/{PAGE}/{}", self.network, author(number))
    }

    fn post(&self, said: &Said<'_>) -> Posted {
        let whose = &said.of[0];
        let message = format!("m.{}.{}", author(whose.number), said.number);
        let mut event = json!({
            "coordinate": {
                "companyKey": COMPANY, "networkKey": self.network, "externalId": PAGE,
                "messageId": message, "botId": APP, "scope": "PRIVATE",
            },
            "author": { "id": author(whose.number), "fullName": "Somebody", "properties": {} },
            "owner": owner(whose),
            "publishedTS": said.at_ms,
            "receivedTS": said.at_ms,
            "properties": {},
        });
        let fields = match said.saying {
            // An agent may answer before Khoros has given them the conversation.
            Saying::HumanSpoke if said.number.is_multiple_of(2) => {
                event["coordinate"]["scope"] = json!("PUBLIC");
                event["owner"] = json!({ "type": "BOT", "appId": APP });
                json!({ "type": "update", "operation": "AGENT_RESPONSE", "text": said.words(0) })
            }
            Saying::HumanSpoke => {
                json!({ "type": "update", "operation": "AGENT_RESPONSE", "text": said.words(0) })
            }
            Saying::Closed => json!({ "type": "update", "operation": "CLOSED" }),
            Saying::Returned => json!({ "type": "control", "lastUpdateTS": said.at_ms }),
            Saying::Click => {
                let label = said.words(0);
                let action = json!({ "type": "reply", "payload": label, "text": label });
                json!({ "type": "message", "actions": [action] })
            }
            Saying::Several => {
                let picture = |part: usize| {
                    let url = format!("https://people.example/{}.{part}.png", said.number);
                    json!({ "url": url, "mediaType": "IMAGE" })
                };
                let media: Vec<_> = (1..said.of.len()).map(picture).collect();
                json!({ "type": "message", "text": said.words(0), "media": media })
            }
            Saying::Start
            | Saying::Message
            | Saying::SameWords
            | Saying::Signal
            | Saying::DeskReturns
            | Saying::ExternalSpeaks
            | Saying::ExternalLeaves
            | Saying::Takes
            | Saying::ForwardFailed
            | Saying::Forged => json!({ "type": "message", "text": said.words(0) }),
        };
        if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
            event.extend(fields);
        }
        let credentials = if said.saying == Saying::Forged { OTHERS } else { CREDENTIALS };
        Posted::with("authorization", credentials, event)
    }

    /// Control is passed to where it is, and what is resolved stays resolved.
    fn is_repeatable(&self, row: &Row) -> bool {
        matches!(row.action, Action::Forward(_) | Action::Abort | Action::End)
    }

    fn keeps_out(&self) -> bool {
        true
    }

    /// "This bot doesn't own the conversation": whatever the person would see of it.
    fn objects(&self, came: &Came<'_>, desk: &Desk) -> Option<Trouble> {
        (desk.with_agent && came.speaks()).then_some(Trouble::NotOwner)
    }

    fn take(&self, came: &Came<'_>, _desk: &mut Desk) {
        let Some((row, call)) = came.row_of_call() else {
            assert!(came.body().is_empty(), "an answer says something");
            return;
        };
        let body = self.read(call, came.key);
        match &row.action {
            Action::Message(message) => {
                is_said(call, &body);
                assert_eq!(body["text"], *message.text, "another text than {}", row.id);
                let characters = message.text.chars().count();
                assert!(characters <= TEXT_CHARACTERS_MAX, "{characters} characters are too many");
            }
            Action::Media(media) => {
                is_said(call, &body);
                let as_link = body["text"].as_str().is_some_and(|text| text.contains(&media.link));
                let as_file = body["media"][0]["url"] == *media.link;
                assert!(as_link != as_file, "a picture goes as one of both");
            }
            Action::Forward(_) | Action::Abort => {
                is_put(call, &body, "/control", "control");
                assert_eq!(body["owner"], json!({ "type": "AGENT" }), "to whom?");
            }
            Action::NoteCreate(note) => {
                is_put(call, &body, "/note", "note");
                assert_eq!(body["note"], *note.text, "another note than {}", row.id);
            }
            Action::End => is_put(call, &body, "/resolve", "resolve"),
            other => panic!("{} reached Khoros as {}", row.id, other.name()),
        }
    }

    fn thanks(&self, rows: &[Row]) -> (u16, String) {
        let reply = rows.iter().any(|row| matches!(row.action.name(), "message" | "media"));
        if !reply {
            return (202, json!({ "requestId": "a-request" }).to_string());
        }
        let data = json!({ "messageId": "a-message", "payloadType": "message", "requestState": "SUCCESS" });
        (200, json!({ "data": data, "requestId": "a-request" }).to_string())
    }

    fn complains(&self, trouble: Trouble) -> (u16, String) {
        let (status, words) = match trouble {
            Trouble::TooMany => (429, "too many requests"),
            Trouble::NotNow => (503, "not now"),
            Trouble::Broken => (500, "internal error"),
            Trouble::Refused | Trouble::Gone | Trouble::Unfetched | Trouble::Late => {
                (400, "that cannot be sent")
            }
            Trouble::NotOwner => (403, "This bot doesn't own the conversation"),
            Trouble::Early => (404, "no such conversation"),
            Trouble::Conflict => (409, "it may be retried"),
        };
        (status, json!({ "error": { "messages": [words] } }).to_string())
    }

    /// Right after the first words there is nothing in Care yet to be handed over, and
    /// control may be passed by others at the same time.
    fn own_trouble(&self, rows: &[Row], chance: &mut Chance) -> Option<Trouble> {
        match rows.first()?.action.name() {
            "note_create" => Some(Trouble::Early),
            "forward" => Some([Trouble::Early, Trouble::Conflict][chance.pick(2)]),
            _ => None,
        }
    }

    /// Who has answered without having the conversation gets it.
    fn hear(&self, token: &str, call: &Call) {
        assert_eq!(token, "hand-over", "there is nothing else to hear");
        assert_eq!((&call.method, &*path(call)), (&Method::PUT, "/control"));
        let body: Value = serde_json::from_slice(&call.body).expect("Khoros takes JSON");
        assert_eq!(body["owner"], json!({ "type": "AGENT" }));
    }

    fn nods(&self) -> (u16, String) {
        (202, json!({ "requestId": "a-request" }).to_string())
    }
}

impl Khoros {
    /// A call about this conversation, by who may make it.
    fn read(&self, call: &Call, key: &str) -> Value {
        let token = call.headers.get("authorization").and_then(|it| it.to_str().ok());
        assert_eq!(token, Some(&*format!("Bearer {}", self.token)), "the call shows no token");
        let body: Value = serde_json::from_slice(&call.body).expect("Khoros takes JSON");
        let coordinate = &body["coordinate"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let person = text(&body["author"]["id"]);
        let parts = ["companyKey", "networkKey", "externalId"].map(|part| text(&coordinate[part]));
        assert_eq!(format!("{}/{person}", parts.join("/")), key, "of another conversation");
        assert_eq!(coordinate["botId"], APP, "by another bot");
        if let Some(message) = coordinate.get("messageId") {
            let own = text(message).starts_with(&format!("m.{person}."));
            assert!(own, "an answer to the message of somebody else");
        }
        body
    }
}

fn author(number: usize) -> String {
    format!("person{number}")
}

fn owner(whose: &Whose<'_>) -> Value {
    if whose.desk.with_agent {
        json!({ "type": "AGENT" })
    } else {
        json!({ "type": "BOT", "appId": APP })
    }
}

fn path(call: &Call) -> String {
    call.url.strip_prefix(GATEWAY).expect("calls go to the gateway").to_owned()
}

/// What the person sees: it waits for the network's answer and is one thing.
fn is_said(call: &Call, body: &Value) {
    assert_eq!((&call.method, &*path(call)), (&Method::POST, "/respond"));
    assert_eq!(body["type"], "message");
    assert_eq!(body["processSynchronously"], true, "replies would overtake each other");
    let things = ["list", "payload", "media", "richContent"];
    let held = things.iter().filter(|thing| body.get(**thing).is_some()).count();
    assert!(held <= 1, "a reply holds one of {things:?}");
}

fn is_put(call: &Call, body: &Value, at: &str, kind: &str) {
    assert_eq!((&call.method, &*path(call)), (&Method::PUT, at));
    assert_eq!(body["type"], kind);
}
