//! Khoros: every event has an id, every action is a call of its own, and the host keeps
//! the token of those calls up meanwhile.

use std::time::Duration;

use anyhow::Result;
use botyard_twins::account::{Outgoing, Twin};
use botyard_twins::khoros as twin;
use botyard_twins::record::Call;
use serde_json::{Value, json};
use twin::{Act, Care, Options};

use super::{
    Again, Brought, Channel, Conduct, Late, NAMELESS, Said, Vendor, brought, caller, channel,
};

const USER: &str = "ops@example.invalid";
const PASSWORD: &str = "crash-khoros-password";
const IDENTITY: &str = "botyard";
const SECRET: &str = "crash-khoros-secret";
/// A token is refreshed a day before its end: here every ten seconds.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 60 * 60 + 10);

const CHANNELS: &[Channel] = &[Channel {
    name: "khoros",
    // A message has an id, so it is recognized for a day.
    again: Again::LastWord,
    batches: false,
    late: Late::Call,
    holds: false,
    hands_over: false,
    tells_failures: true,
    relays: false,
}];

/// The twin.
#[derive(Debug)]
pub(super) struct Khoros {
    twin: Twin<Care>,
    /// One that was made before: calls must not wait for the host's own.
    token: String,
}

impl Khoros {
    pub(super) fn start(conduct: &Conduct) -> Result<Self> {
        let options = Options { token_life: TOKEN_LIFE, ..Options::new(USER, PASSWORD) };
        let twin = twin::start(options, conduct.for_a_token())?;
        // Persons send what the registration makes, and know where to.
        let registered = twin.account().register("http://host", "BASIC_AUTH", IDENTITY, SECRET);
        registered.map_err(anyhow::Error::msg)?;
        let token = twin.account().token();
        Ok(Self { twin, token })
    }

    fn act(&self, said: &Said<'_>) -> Vec<Outgoing> {
        let account = self.twin.account();
        let webhooks = account.act(said.person, Act::Write(said.text.to_owned()));
        account.create(said.person);
        webhooks.expect("everybody can write at any time")
    }
}

impl Vendor for Khoros {
    fn channels(&self) -> &'static [Channel] {
        CHANNELS
    }

    fn settings(&self, _own: &Channel, life: usize) -> Value {
        let url = caller(&self.twin.url(), life);
        let settings = json!({
            "company-key": "acmehotel",
            "app-id": "acme-bot",
            "gateway-url": format!("{url}/bots/v3"),
            "token": self.token,
            "token-url": format!("{url}/api/v2/tokens/khorosapi/ownerId/acme-bot"),
            "user": USER,
            "password": PASSWORD,
            "webhook-method": "basic",
            "webhook-identity": IDENTITY,
            "webhook-secret": SECRET,
            // The twin knows no limit, and the careful one of the host is no matter here.
            "dialect": { "timing": { "rate-calls": 10_000 } },
        });
        channel("khoros", settings)
    }

    fn person(&self, number: u64) -> String {
        format!("7200{number:08}")
    }

    /// After the first message Khoros tells that there is a conversation.
    fn begin(&self, person: &str, name: &str) -> Vec<(String, Outgoing)> {
        let webhooks = self.act(&Said { person, text: name });
        [name, NAMELESS].into_iter().map(str::to_owned).zip(webhooks).collect()
    }

    fn key(&self, person: &str) -> String {
        format!("acmehotel/facebook/410088123456789/{person}")
    }

    fn say(&self, said: &[Said<'_>]) -> Outgoing {
        let mut webhooks = self.act(&said[0]);
        webhooks.swap_remove(0)
    }

    fn calls(&self) -> Vec<Brought> {
        brought(self.twin.account(), |call| {
            Some((self.key(call.conversation.as_deref()?), what_of(call)?))
        })
    }

    fn chores(&self) -> usize {
        let calls = self.twin.account().calls();
        calls.iter().filter(|call| call.conversation.is_none()).count()
    }
}

/// What an author sees of a call.
fn what_of(call: &Call) -> Option<String> {
    let said = call.body["type"] == "message";
    let text = said.then(|| call.body["text"].as_str()).flatten();
    let link = || call.body["media"][0]["url"].as_str();
    text.or_else(link).map(str::to_owned)
}
