//! `MyAlice`: the answer of a block shows one thing, the rest is called by REST, and
//! nothing has an id.

use anyhow::Result;
use botyard_twins::account::{Outgoing, Twin};
use botyard_twins::myalice as twin;
use http::Method;
use serde_json::{Value, json};
use twin::{Block, Options, Output, Platform};

use super::{
    AFTER_ANSWER_MS, Again, Brought, Channel, Conduct, Late, Said, Vendor, brought, caller, channel,
};

const HEADER: &str = "X-Secret";
const SECRET: &str = "crash-alice-secret";
const API_KEY: &str = "crash-alice-key";
/// The block of the chatbot into which customers run: what follows the channel in the
/// address of its webhook.
const BLOCK: &str = "/text/menu";

const CHANNELS: &[Channel] = &[Channel {
    name: "myalice",
    // Blocks tell no id: the same words after a whole answer are said twice.
    again: Again::Nothing,
    batches: false,
    late: Late::Call,
    holds: false,
    hands_over: false,
    tells_failures: true,
    relays: false,
}];

/// The twin.
#[derive(Debug)]
pub(super) struct MyAlice {
    twin: Twin<Platform>,
}

impl MyAlice {
    pub(super) fn start(conduct: &Conduct) -> Result<Self> {
        let twin = twin::start(Options::new(API_KEY, HEADER, SECRET), conduct.for_a_token())?;
        let block = Block { output: Output::Text, method: Method::POST, parameters: Vec::new() };
        twin.account().add_block(BLOCK, block);
        Ok(Self { twin })
    }
}

impl Vendor for MyAlice {
    fn channels(&self) -> &'static [Channel] {
        CHANNELS
    }

    fn settings(&self, _own: &Channel, life: usize) -> Value {
        let rest = format!("{}{}", caller(&self.twin.url(), life), twin::document::BASE);
        let settings = json!({
            "webhook-header": HEADER,
            "webhook-secret": SECRET,
            "api-key": API_KEY,
            "dialect": { "rest-base": rest, "timing": { "after-answer-ms": AFTER_ANSWER_MS } },
        });
        channel("myalice", settings)
    }

    fn person(&self, number: u64) -> String {
        number.to_string()
    }

    fn begin(&self, person: &str, name: &str) -> Vec<(String, Outgoing)> {
        self.twin.account().know(uid(person), "");
        vec![(name.to_owned(), self.say(&[Said { person, text: name }]))]
    }

    fn key(&self, person: &str) -> String {
        format!("1:{person}")
    }

    fn say(&self, said: &[Said<'_>]) -> Outgoing {
        let asked = self.twin.account().ask(uid(said[0].person), BLOCK, said[0].text);
        let asked = asked.expect("there is such a block, and everybody is known");
        Outgoing { suffix: BLOCK.to_owned(), ..asked }
    }

    fn answered(&self, webhook: &Outgoing, body: &str) -> Result<Vec<String>, String> {
        self.twin.account().take(webhook, body)?;
        let answer: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
        let data = answer["data"].as_str().filter(|data| !data.is_empty());
        Ok(data.map(str::to_owned).into_iter().collect())
    }

    fn calls(&self) -> Vec<Brought> {
        brought(self.twin.account(), |call| {
            let text = call.body["text"].as_str()?;
            Some((self.key(call.conversation.as_deref()?), text.to_owned()))
        })
    }
}

fn uid(person: &str) -> u64 {
    person.parse().expect("customers have numbers")
}
