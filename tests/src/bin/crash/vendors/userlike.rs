//! Userlike: actions ride in answers or are called as lists; nothing has an id but the
//! start, which a conversation has once.

use anyhow::Result;
use botyard_tests::peers::userlike as twin;
use botyard_twins::account::Outgoing;
use http::Method;
use serde_json::{Value, json};
use twin::{Contact, Options, Packet, packets};

use super::{
    AFTER_ANSWER_MS, Again, Brought, Channel, Conduct, FAILURE_TEXT, Late, Said, Vendor, channel,
    shown_by_call,
};

const HEADER: &str = "api-security-token";
const SECRET: &str = "crash-webhook-secret";
const API_TOKEN: &str = "crash-api-token";
/// What tells the calls of one host from those of the next, in their address.
const LIFE: &str = "life";

const CHANNELS: &[Channel] = &[
    // Actions ride in the answers of webhooks.
    Channel { name: "inline", tells_failures: true, ..COMMON },
    // As `inline`, and bots hand over to an external bot and get back what they gave.
    Channel { name: "relay", tells_failures: true, relays: true, ..COMMON },
    // Every action is a call.
    Channel { name: "calls", ..COMMON },
    // As `calls`, and a call of which nobody knows whether it was taken is held.
    Channel { name: "held", holds: true, ..COMMON },
];
const COMMON: Channel = Channel {
    name: "",
    again: Again::Start,
    batches: false,
    late: Late::Call,
    holds: false,
    hands_over: false,
    tells_failures: false,
    relays: false,
};

/// The twin.
#[derive(Debug)]
pub(super) struct Userlike {
    twin: twin::Userlike,
    window_ms: u64,
}

impl Userlike {
    pub(super) fn start(conduct: &Conduct) -> Result<Self> {
        let (window, faults) = (conduct.window, conduct.faults.clone());
        let options = Options { window, faults, ..Options::new(API_TOKEN) };
        let twin = twin::Userlike::with(options, ([127, 0, 0, 1], 0).into())?;
        Ok(Self { twin, window_ms: u64::try_from(window.as_millis())? })
    }

    /// A webhook as Userlike would send it now.
    fn webhook(&self, cid: &str, name: &str, payload: Value) -> Outgoing {
        let body = json!({
            "info": {
                "approach_mode": "normal",
                "cid": cid,
                "contact": { "id": 40_000, "name": "", "email": "" },
                "context": self.twin.account().context(cid),
                "conversation": {
                    "id": 990_000,
                    "url": "https://app.example.invalid/conversations/990000",
                    "subject": "",
                    "topics": [],
                    "locale": "en",
                    "contact_channel": { "state": "valid", "type": "web" },
                },
                "widget": { "id": 5512, "name": "Shop widget" },
            },
            "packet": { "name": name, "payload": payload },
        });
        Outgoing {
            conversation: cid.to_owned(),
            hook: String::new(),
            method: Method::POST,
            suffix: String::new(),
            headers: vec![(HEADER.to_owned(), SECRET.to_owned())],
            body: body.to_string().into_bytes(),
        }
    }
}

impl Vendor for Userlike {
    fn channels(&self) -> &'static [Channel] {
        CHANNELS
    }

    fn settings(&self, own: &Channel, life: usize) -> Value {
        let timing =
            json!({ "rate-window-ms": self.window_ms, "after-answer-ms": AFTER_ANSWER_MS });
        let inline = matches!(own.name, "inline" | "relay");
        let failure_texts =
            if own.tells_failures { json!({ "": FAILURE_TEXT }) } else { Value::Null };
        let settings = json!({
            "webhook-header": HEADER,
            "webhook-secret": SECRET,
            "api-url": format!("{}?{LIFE}={life}", self.twin.api_url()),
            "api-token": API_TOKEN,
            "dialect": { "timing": timing },
            "inline": inline,
            "hold-ambiguous": own.holds,
            "failure-texts": failure_texts,
        });
        channel("userlike", settings)
    }

    fn person(&self, number: u64) -> String {
        format!("chatbot::612:{number:08x}")
    }

    fn begin(&self, person: &str, _name: &str) -> Vec<(String, Outgoing)> {
        let account = self.twin.account();
        if account.state(person).is_none() {
            account.open(person, Contact::new());
        }
        vec![("start".to_owned(), self.webhook(person, "start", json!({})))]
    }

    fn key(&self, person: &str) -> String {
        person.to_owned()
    }

    fn say(&self, said: &[Said<'_>]) -> Outgoing {
        let Said { person, text } = said[0];
        self.webhook(person, "message", json!({ "body": text }))
    }

    fn answered(&self, _webhook: &Outgoing, body: &str) -> Result<Vec<String>, String> {
        // Signs of nothing to say have other forms.
        if !body.starts_with('[') {
            return Ok(Vec::new());
        }
        let packets = packets(body.as_bytes())?;
        self.twin.account().take(&packets);
        Ok(packets.iter().filter_map(what_of).collect())
    }

    fn calls(&self) -> Vec<Brought> {
        let mut brought = Vec::new();
        for call in self.twin.account().calls().iter().filter(|call| call.acted) {
            let life = call.query.as_deref().and_then(life_of);
            for (place, packet) in call.packets.iter().enumerate() {
                if let Some(what) = what_of(packet) {
                    let shown = shown_by_call(call.at, life, place, what);
                    brought.push(Brought { key: packet.cid.clone(), shown });
                }
            }
        }
        brought
    }
}

/// Whose call it was, by the query of its address.
fn life_of(query: &str) -> Option<usize> {
    query.strip_prefix(LIFE)?.strip_prefix('=')?.parse().ok()
}

/// What a person sees of a packet.
fn what_of(packet: &Packet) -> Option<String> {
    let link = || packet.payload.get("link").and_then(Value::as_str);
    match packet.name.as_str() {
        "message" => packet.text().map(str::to_owned),
        "media" => link().map(str::to_owned),
        _ => None,
    }
}
