//! The Messenger Platform: signed batches, one action a call, and a thread that one app
//! has control of at a time.

use std::fmt::Write as _;
use std::sync::Arc;

use botyard_chance::{Chance, mix};
use botyard_kernel::action::Action;
use botyard_kernel::log::Row;
use botyard_kernel::time::{HOUR, MINUTE, Millis, SECOND};
use botyard_vendors::{Call, Vendor};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Came, Line, Manner, Posted, Said, Trouble, Whose};
use crate::desk::Desk;
use crate::webhook::Saying;

const APP: u64 = 1_000_000_000_000_001;
/// The page's inbox, where its humans are.
const INBOX: u64 = 263_902_037_430_900;
const GRAPH: &str = "https://graph.facebook.com/v23.0";
const TEXT_CHARACTERS_MAX: usize = 2_000;
/// The edge by which a primary receiver takes a thread.
const TAKE: &str = "take_thread_control";
/// How messages after the window are called.
const TAG: &str = "HUMAN_AGENT";

const MANNER: Manner = Manner {
    opening: Saying::Message,
    sayings: &[
        (48, Saying::Message),
        (14, Saying::Several),
        (10, Saying::Click),
        (4, Saying::HumanSpoke),
        (4, Saying::Takes),
        (8, Saying::Returned),
        (8, Saying::Signal),
        (4, Saying::Forged),
    ],
    gives_back: Saying::Returned,
    has_ids: true,
    batches: true,
};

/// Where our app takes a thread that somebody at the host's desk gives back.
const TAKES: Manner = Manner {
    sayings: &[
        (48, Saying::Message),
        (14, Saying::Several),
        (10, Saying::Click),
        (4, Saying::HumanSpoke),
        (4, Saying::Takes),
        (3, Saying::Returned),
        (5, Saying::DeskReturns),
        (8, Saying::Signal),
        (4, Saying::Forged),
    ],
    ..MANNER
};

/// A page with our app.
pub(super) struct Messenger {
    vendor: Arc<dyn Vendor>,
    page: String,
    secret: String,
    token: String,
    /// After so long only tagged messages are taken: a day, or less, so that it ends
    /// within a run.
    window_ms: Millis,
    /// The page has handover roles: whoever does not have the thread is refused.
    handover: bool,
    /// Our app is the primary receiver, and takes what it does not have.
    takes: bool,
}

pub(super) fn draw(number: u64, chance: &mut Chance) -> Box<dyn Line> {
    Box::new(Messenger::draw(number, chance, true, |settings| ("messenger", settings)))
}

impl Messenger {
    /// A page; `rides` makes of its settings those of the vendor that it is for.
    pub(super) fn draw(
        number: u64,
        chance: &mut Chance,
        handover: bool,
        rides: impl FnOnce(Value) -> (&'static str, Value),
    ) -> Self {
        let (secret, token) = (format!("secret of channel {number}"), format!("token-{number}"));
        // Beside the sequence, so that other draws stay what they were.
        let takes = handover && mix(chance.clone().number()).is_multiple_of(2);
        let window_ms = if chance.percent(20) { 20 * SECOND } else { 24 * HOUR };
        let settings = json!({
            "app-secret": secret,
            "verify-token": "a-token",
            "page-token": token,
            "app-id": APP,
            "hold-ambiguous": chance.percent(15),
            "age-max-ms": if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
            "dialect": {
                "graph-url": GRAPH,
                "window-ms": window_ms,
                "tag": TAG,
                "messaging-means-ours": handover && chance.percent(30),
                "take-thread": takes,
            },
        });
        let (name, settings) = rides(settings);
        let vendor = botyard_vendors::connect(name, settings).expect("these settings are right");
        let page = format!("10203040506070{number}");
        Self { vendor, page, secret, token, window_ms, handover, takes }
    }

    pub(super) fn page(&self) -> &str {
        &self.page
    }

    fn item(&self, said: &Said<'_>, part: usize, whose: &Whose<'_>) -> Value {
        let (mid, words) = (mid(said.number, part), said.words(part));
        let page = json!({ "id": self.page });
        let person = json!({ "id": person(whose.number) });
        let from = |sender: &Value, recipient: &Value, what: &str, value: Value| {
            json!({
                "sender": sender, "recipient": recipient, "timestamp": said.at_ms, what: value,
            })
        };
        match said.saying {
            Saying::HumanSpoke => {
                let echo = json!({ "mid": mid, "is_echo": true, "app_id": INBOX, "text": words });
                from(&page, &person, "message", echo)
            }
            Saying::Takes => {
                let control = json!({ "new_owner_app_id": INBOX, "previous_owner_app_id": APP });
                from(&person, &page, "take_thread_control", control)
            }
            Saying::Returned | Saying::ForwardFailed => {
                let control = json!({ "new_owner_app_id": APP, "previous_owner_app_id": INBOX });
                from(&person, &page, "pass_thread_control", control)
            }
            Saying::Click if said.number.is_multiple_of(2) => {
                let tap = json!({ "mid": mid, "title": words, "payload": words });
                from(&person, &page, "postback", tap)
            }
            Saying::Click => {
                let tap = json!({ "mid": mid, "text": words, "quick_reply": { "payload": words } });
                from(&person, &page, "message", tap)
            }
            Saying::Start
            | Saying::Message
            | Saying::SameWords
            | Saying::Several
            | Saying::Signal
            | Saying::DeskReturns
            | Saying::ExternalSpeaks
            | Saying::ExternalLeaves
            | Saying::Closed
            | Saying::Forged => {
                from(&person, &page, "message", json!({ "mid": mid, "text": words }))
            }
        }
    }

    /// What the vendor tells besides, and what is no event.
    fn receipt(&self, said: &Said<'_>, whose: &Whose<'_>) -> Value {
        json!({
            "sender": { "id": person(whose.number) }, "recipient": { "id": self.page },
            "timestamp": said.at_ms, "read": { "watermark": said.at_ms },
        })
    }

    fn read(&self, call: &Call, key: &str) -> Value {
        let token = call.headers.get("authorization").and_then(|it| it.to_str().ok());
        assert_eq!(token, Some(&*format!("Bearer {}", self.token)), "the call shows no token");
        let body: Value = serde_json::from_slice(&call.body).expect("the Graph API takes JSON");
        let recipient = body["recipient"]["id"].as_str().unwrap_or_default();
        assert_eq!(format!("{}:{recipient}", self.page), key, "of another conversation");
        body
    }

    /// Within the window a message is a response; after it, only with a tag.
    fn is_message(&self, call: &Call, body: &Value) {
        assert_eq!(call.url, format!("{GRAPH}/me/messages"));
        let tagged = body["messaging_type"] == "MESSAGE_TAG" && body["tag"] == TAG;
        let response = body["messaging_type"] == "RESPONSE" && body.get("tag").is_none();
        assert!(tagged || response, "a message of no kind");
    }
}

impl Line for Messenger {
    fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::clone(&self.vendor)
    }

    fn manner(&self) -> &'static Manner {
        if self.takes { &TAKES } else { &MANNER }
    }

    fn key(&self, number: usize) -> String {
        format!("{}:{}", self.page, person(number))
    }

    fn post(&self, said: &Said<'_>) -> Posted {
        let entry = |(part, whose): (usize, &Whose<'_>)| {
            let standby = self.handover && whose.desk.with_agent;
            let speaks =
                !matches!(said.saying, Saying::HumanSpoke | Saying::Takes | Saying::Returned);
            let list = if standby && speaks { "standby" } else { "messaging" };
            let items = [self.receipt(said, whose), self.item(said, part, whose)];
            json!({ "id": self.page, "time": said.at_ms, list: items })
        };
        let entries: Vec<_> = said.of.iter().enumerate().map(entry).collect();
        let body = Bytes::from(json!({ "object": "page", "entry": entries }).to_string());
        let signature = signature(said.secret(&self.secret), &body);
        let mut posted = Posted::with("x-hub-signature-256", &signature, "");
        posted.body = body;
        posted
    }

    fn keeps_out(&self) -> bool {
        self.handover && !self.takes
    }

    /// Whoever takes what is theirs has it.
    fn is_repeatable(&self, row: &Row) -> bool {
        matches!(row.action, Action::Passthrough(_))
    }

    fn objects(&self, came: &Came<'_>, desk: &Desk) -> Option<Trouble> {
        if self.takes_thread(came) {
            return None;
        }
        if self.handover && desk.with_agent && came.speaks() {
            return Some(Trouble::NotOwner);
        }
        let body: Value = serde_json::from_slice(came.body()).expect("the Graph API takes JSON");
        let response = body["messaging_type"] == "RESPONSE";
        let late = came.left_ms > desk.last_word_ms + self.window_ms;
        (response && late).then_some(Trouble::Late)
    }

    fn take(&self, came: &Came<'_>, desk: &mut Desk) {
        let Some((row, call)) = came.row_of_call() else {
            assert!(came.body().is_empty(), "an answer says something");
            return;
        };
        let body = self.read(call, came.key);
        match &row.action {
            Action::Message(message) => {
                self.is_message(call, &body);
                assert_eq!(body["message"]["text"], *message.text, "another text than {}", row.id);
                let characters = message.text.chars().count();
                assert!(characters <= TEXT_CHARACTERS_MAX, "{characters} characters are too many");
            }
            Action::Media(media) => {
                self.is_message(call, &body);
                let url = &body["message"]["attachment"]["payload"]["url"];
                assert_eq!(*url, *media.link, "another file than {}", row.id);
            }
            Action::Forward(_) => {
                assert!(self.handover, "a page without handover roles passes no thread");
                assert_eq!(call.url, format!("{GRAPH}/me/pass_thread_control"));
                assert_eq!(body["target_app_id"], INBOX, "to whom?");
            }
            Action::Passthrough(_) => {
                assert!(self.takes, "who is no primary receiver takes no thread");
                assert_eq!(call.url, format!("{GRAPH}/me/{TAKE}"));
                desk.with_agent = false;
            }
            other => panic!("{} reached Messenger as {}", row.id, other.name()),
        }
    }

    fn thanks(&self, rows: &[Row]) -> (u16, String) {
        let row = rows.first().expect("a call brings something");
        if matches!(row.action, Action::Forward(_) | Action::Passthrough(_)) {
            return (200, json!({ "success": true }).to_string());
        }
        (200, json!({ "recipient_id": "7", "message_id": sent(row.id.as_str()) }).to_string())
    }

    /// Its codes say more than its statuses.
    fn complains(&self, trouble: Trouble) -> (u16, String) {
        let (status, code, subcode) = match trouble {
            Trouble::TooMany => (400, 613, None),
            Trouble::NotNow | Trouble::Conflict | Trouble::Early => (500, 1_200, None),
            Trouble::Broken => (500, 2, None),
            Trouble::Refused => (400, 100, None),
            Trouble::Gone => (400, 100, Some(2_018_001)),
            Trouble::NotOwner => (403, 10, Some(2_018_300)),
            Trouble::Unfetched => (400, 100, Some(2_018_008)),
            Trouble::Late => (400, 10, Some(2_018_278)),
        };
        let error = json!({
            "message": "it did not work", "type": "OAuthException", "code": code,
            "error_subcode": subcode,
        });
        (status, json!({ "error": error }).to_string())
    }

    fn own_trouble(&self, rows: &[Row], _chance: &mut Chance) -> Option<Trouble> {
        let media = rows.iter().any(|row| matches!(row.action, Action::Media(_)));
        media.then_some(Trouble::Unfetched)
    }

    fn tells_gone(&self) -> bool {
        true
    }
}

impl Messenger {
    /// Whether a call takes the thread: nobody must have it for that.
    fn takes_thread(&self, came: &Came<'_>) -> bool {
        let takes = |row: &Row| matches!(row.action, Action::Passthrough(_));
        self.takes && came.rows.iter().all(takes)
    }
}

fn person(number: usize) -> String {
    format!("70000000000000{number}")
}

/// The id of what a person said.
pub(super) fn mid(number: usize, part: usize) -> String {
    format!("m_{number}.{part}")
}

/// The id of what was said on the page's behalf by this part.
pub(super) fn sent(part: &str) -> String {
    format!("{SENT}{part}")
}

/// The part that was said under this id.
pub(super) fn part_of(mid: &str) -> Option<&str> {
    mid.strip_prefix(SENT)
}

/// Ids of what was said on the page's behalf begin with this.
const SENT: &str = "m_sent.";

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key is one");
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    bytes.iter().fold("sha256=".to_owned(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes every text");
        text
    })
}
