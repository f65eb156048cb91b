//! The Instabot Chat API.
//!
//! As its server: whoever has a client of that API talks to a bot of ours by another
//! address and key. A client asks and reads messages out of the answer; where it gave
//! a callback URL at the start, what comes later is posted there. As its client, for
//! bots that speak for us there: [`client`], which is no channel.
//!
//! What the vendor's page states is code here; what it leaves open, errors above all,
//! is in `dialect`.

pub mod client;
mod dialect;
mod facts;
mod numbers;
mod outcome;
pub(crate) mod profile;
mod receive;
mod refusal;
mod render;
mod settings;
mod stream;
mod user;
mod verify;

use std::sync::Arc;

use botyard_kernel::action::{Action, Message};
use botyard_kernel::event::TextFormat;
use botyard_kernel::profile::{Delivery, Limited, Profile};
use botyard_kernel::time::Millis;

use self::dialect::Dialect;
pub use self::numbers::token_number;
pub use self::settings::KEYS;
use self::settings::Settings;
pub(crate) use self::settings::paste;
use crate::{
    Call, CallAnswer, Inbound, Outcome, Part, Person, Received, Rejection, Reply, SamplePlace,
    SettingsError, To, Vendor,
};

/// The vendor's name: the one that channels, passthroughs and metrics use.
pub const NAME: &str = "instabot";

/// So long a post to a callback waits behind an answer: they come by two connections, and
/// the client is to read first what was said first.
const AFTER_ANSWER_MS: Millis = 500;

/// Makes a channel out of its settings, a JSON object with these keys:
///
/// - `bot-id`: the number that clients send as `botId`.
/// - `api-key`: what clients send as `apiKey`, or a list of two while it is being
///   changed.
/// - `stream-secret`: what stream ids are signed with, 32 to 200 characters that only
///   the host knows. A list of two while it is being changed: the first one signs,
///   chats that the second one began go on.
/// - `allow-callbacks` (`true`): what comes late is posted to the `callbackUrl` of a
///   chat. Else it waits for the person's next request.
/// - `hold-ambiguous` (`false`): posts of unknown outcome wait for a human.
/// - `age-max-ms` (900,000): actions that are older are given up.
/// - `dialect`: names, switches and errors that the vendor's page does not prove.
///
/// Another `bot-id` or `stream-secret` ends all chats.
///
/// # Errors
/// In words for the tenant, without any value of a secret.
pub fn connect(settings: serde_json::Value) -> Result<Arc<dyn Vendor>, SettingsError> {
    Ok(Arc::new(Instabot { settings: Settings::read(settings)? }))
}

/// Settings with invented secrets.
pub fn sample() -> serde_json::Value {
    serde_json::json!({
        "bot-id": 474_960_032,
        "api-key": "a-sample-key",
        "stream-secret": "a-sample-secret-of-more-than-32-characters",
    })
}

/// An invented chat with a callback URL.
pub fn place() -> SamplePlace {
    let reply_to = serde_json::json!({ "callback": "https://client.example.invalid/agent" });
    SamplePlace { reply_to: Some(reply_to.to_string()), ..SamplePlace::of("1".repeat(20)) }
}

/// The setting `dialect` with all of its names and what holds where a channel
/// says nothing: what the manual has to show.
pub fn dialect_defaults() -> serde_json::Value {
    serde_json::json!(Dialect::default())
}

/// A channel: a bot of ours that clients of the Chat API talk to.
#[derive(Debug)]
struct Instabot {
    settings: Settings,
}

impl Vendor for Instabot {
    fn name(&self) -> &'static str {
        NAME
    }

    fn profile(&self, _medium: &str) -> Profile {
        profile::of_all()
    }

    fn delivery(&self) -> Delivery {
        Delivery {
            inline: true,
            answer_by_ms: self.settings.dialect.answer_by_ms,
            after_answer_ms: AFTER_ANSWER_MS,
            // One answer carries all messages, and a callback one text.
            lists: false,
            native_delay: false,
            delay_step_ms: 1,
            silent_hand_off: false,
            contacts_in_answers: false,
            rate: None,
            token_rate: None,
            // Each chat may have a callback URL of its own.
            limited: Limited::Conversation,
            acknowledgements_elsewhere: false,
            sends_start: true,
            reopens: false,
            ends_silent_sessions: false,
            age_max_ms: self.settings.age_max_ms,
            hold_ambiguous: self.settings.hold_ambiguous,
        }
    }

    /// The client knows by these words that no live agent has the chat any more.
    fn takes_back(&self) -> Option<Action> {
        let text = self.settings.dialect.agent_left.clone();
        let said = |text| Action::Message(Message { text, format: TextFormat::Plain });
        Some(text).filter(|text| !text.is_empty()).map(said)
    }

    fn secret_names(&self) -> &'static [&'static str] {
        &receive::SECRETS
    }

    fn verify(&self, request: &Inbound<'_>) -> Result<(), Rejection> {
        verify::verify(&self.settings, request)
    }

    fn read(&self, request: &Inbound<'_>, _now: Millis) -> Received {
        receive::receive(&self.settings, request)
    }

    fn answer(&self, to: &To<'_>, parts: &[Part<'_>]) -> Reply {
        render::answer(&self.settings.streams, to, parts)
    }

    fn refusal(&self, rejection: &Rejection) -> Option<Reply> {
        Some(refusal::reply(&self.settings.dialect.errors, rejection))
    }

    fn person(&self, email: &str, known: Option<&Person>) -> Option<Reply> {
        Some(user::reply(self.settings.bot_id, email, known))
    }

    fn call(&self, to: &To<'_>, parts: &[Part<'_>]) -> Call {
        render::call(&self.settings.streams, to, parts)
    }

    fn outcome(&self, answer: &CallAnswer) -> Outcome {
        outcome::of(answer)
    }
}

#[cfg(test)]
mod tests;
