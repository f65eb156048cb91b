//! Clients that take the host for Instabot: whatever is to be said rides in the answer of
//! what they ask, then or later.
//!
//! A client may name a callback for what comes late. None does here: it is named once,
//! at the start of a chat, so its calls could not be told by host processes; and calls
//! are made for all other vendors.

use anyhow::Result;
use botyard_twins::account::{self, Outgoing, Twin};
use botyard_twins::instabot::{Client, Options, start_client};
use serde_json::{Value, json};

use super::{Again, Brought, Channel, Late, Said, Vendor, channel};

const API_KEY: &str = "crash-instabot-key";
const BOT: u64 = 474_960_032;
const STREAM_SECRET: &str = "crash-instabot-stream-secret-of-32";
/// So many digits of a stream name the chat.
const NAME_DIGITS: usize = 20;

const CHANNELS: &[Channel] = &[Channel {
    name: "instabot",
    // Nothing has an id. A start that is repeated is the start of another chat.
    again: Again::Nothing,
    batches: false,
    late: Late::NextAnswer,
    holds: false,
    hands_over: false,
    tells_failures: true,
    relays: false,
}];

/// The twin.
#[derive(Debug)]
pub(super) struct Instabot {
    twin: Twin<Client>,
}

impl Instabot {
    /// It is called by nobody, so nothing goes wrong there.
    pub(super) fn start() -> Result<Self> {
        let options = Options { api_key: API_KEY.to_owned(), bot_id: BOT, has_callback: false };
        Ok(Self { twin: start_client(options, account::Conduct::default())? })
    }
}

impl Vendor for Instabot {
    fn channels(&self) -> &'static [Channel] {
        CHANNELS
    }

    fn settings(&self, _own: &Channel, _life: usize) -> Value {
        let settings = json!({ "bot-id": BOT, "api-key": API_KEY, "stream-secret": STREAM_SECRET });
        channel("instabot", settings)
    }

    fn person(&self, number: u64) -> String {
        format!("guest-{number}@example.invalid")
    }

    /// Where the answer of a start is lost, the client begins another chat: nobody knows
    /// the first one.
    fn begin(&self, person: &str, _name: &str) -> Vec<(String, Outgoing)> {
        vec![("start".to_owned(), self.twin.account().ask_to_begin(person))]
    }

    fn key(&self, person: &str) -> String {
        let stream = self.twin.account().stream(person).unwrap_or_default();
        stream.chars().take(NAME_DIGITS).collect()
    }

    fn say(&self, said: &[Said<'_>]) -> Outgoing {
        let asked = self.twin.account().ask(said[0].person, said[0].text);
        asked.expect("whoever writes has begun a chat")
    }

    fn answered(&self, webhook: &Outgoing, body: &str) -> Result<Vec<String>, String> {
        self.twin.account().take(webhook, body)?;
        let answer: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
        let messages = answer["messages"].as_array().into_iter().flatten();
        Ok(messages.filter_map(|it| it["text"].as_str()).map(str::to_owned).collect())
    }

    fn calls(&self) -> Vec<Brought> {
        Vec::new()
    }
}
