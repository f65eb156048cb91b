//! `MyAlice`, the chatbot builder with its API blocks, its ticket webhooks and its REST API.
//!
//! A block of a chatbot calls us when a person comes to it and shows what we answer, one
//! thing a call. What else there is to say goes by REST. What a ticket webhook tells
//! moves the owner of the conversation. What the vendor's pages state is code here; what
//! they leave open is in `dialect`.

mod data;
mod dialect;
mod facts;
mod form;
mod ids;
mod outcome;
pub(crate) mod profile;
mod receive;
mod render;
mod rest;
mod settings;
mod tickets;
mod verify;
mod when;

use std::sync::Arc;

use botyard_kernel::profile::{Delivery, Limited, Profile};
use botyard_kernel::time::Millis;

use self::dialect::Dialect;
use self::settings::Settings;
pub(crate) use self::settings::paste;
pub use self::settings::{KEYS, WAIT_TEXT_CHARACTERS_MAX};
use crate::{
    Call, CallAnswer, Inbound, Outcome, Part, Received, Rejection, Reply, SamplePlace,
    SettingsError, To, Vendor,
};

/// The vendor's name: the one that channels, passthroughs and metrics use.
pub const NAME: &str = "myalice";

/// Makes a channel out of its settings, a JSON object with these keys:
///
/// - `webhook-secret`: the value of the header that each "API" of the Integration page
///   carries, or a list of two while it is being changed; `webhook-header` names the
///   header (`X-Secret` where absent).
/// - `tickets-url-secret`: for ticket webhooks that carry no header, what follows
///   `tickets/` in their URL; again one or two, 16 to 200 letters, digits, `-`, `_`, `.`
///   or `~`. Where it is absent ticket webhooks carry the header as well.
/// - `api-key`: the key of the REST API.
/// - `wait-text` (empty): what a text block shows while the bot is not done in time and
///   its words follow, at most [`WAIT_TEXT_CHARACTERS_MAX`] characters.
/// - `platform-ids` (all): a list of the channels of `MyAlice` that may use this one.
/// - `hold-ambiguous` (`false`): sends of unknown outcome wait for a human.
/// - `age-max-ms` (900,000): actions that are older are given up.
/// - `dialect`: key names and switches that the vendor's pages do not prove.
///
/// The URL of an "API" ends with its output type and a name for the place in the
/// chatbot, `text/orders`; the types are `text`, `image`, `gallery`, `button` and
/// `quick-reply`. The URL of ticket webhooks ends with `tickets`.
///
/// # Errors
/// In words for the tenant, without any value of a secret.
pub fn connect(settings: serde_json::Value) -> Result<Arc<dyn Vendor>, SettingsError> {
    Ok(Arc::new(MyAlice { settings: Settings::read(settings)? }))
}

/// Settings with invented secrets.
pub fn sample() -> serde_json::Value {
    serde_json::json!({ "webhook-secret": "a-sample-secret", "api-key": "a-sample-key" })
}

/// An invented customer who came to a text block.
pub fn place() -> SamplePlace {
    let reply_to = Some("+15550100000".to_owned());
    SamplePlace { conversation: "77:1022".to_owned(), reply_to, form: "text" }
}

/// The setting `dialect` with all of its names and what holds where a channel
/// says nothing: what the manual has to show.
pub fn dialect_defaults() -> serde_json::Value {
    serde_json::json!(Dialect::default())
}

/// A channel: a `MyAlice` project.
#[derive(Debug)]
struct MyAlice {
    settings: Settings,
}

impl Vendor for MyAlice {
    fn name(&self) -> &'static str {
        NAME
    }

    fn profile(&self, _medium: &str) -> Profile {
        profile::all()
    }

    fn delivery(&self) -> Delivery {
        let timing = &self.settings.dialect.timing;
        Delivery {
            inline: true,
            answer_by_ms: timing.answer_by_ms,
            after_answer_ms: timing.after_answer_ms,
            lists: false,
            native_delay: false,
            delay_step_ms: 1,
            silent_hand_off: false,
            contacts_in_answers: true,
            // The vendor states none.
            rate: None,
            token_rate: None,
            limited: Limited::Token,
            acknowledgements_elsewhere: false,
            sends_start: false,
            reopens: true,
            ends_silent_sessions: false,
            age_max_ms: self.settings.age_max_ms,
            hold_ambiguous: self.settings.hold_ambiguous,
        }
    }

    fn verify(&self, request: &Inbound<'_>) -> Result<(), Rejection> {
        verify::verify(&self.settings, request)
    }

    fn read(&self, request: &Inbound<'_>, _now: Millis) -> Received {
        receive::receive(&self.settings, request)
    }

    fn answer(&self, to: &To<'_>, parts: &[Part<'_>]) -> Reply {
        render::answer(&self.settings, to, parts)
    }

    fn rides(&self, form: &str) -> Option<&'static [&'static str]> {
        Some(form::rides(form, &self.settings.dialect.data))
    }

    fn call(&self, to: &To<'_>, parts: &[Part<'_>]) -> Call {
        rest::call(&self.settings, to, parts)
    }

    fn outcome(&self, answer: &CallAnswer) -> Outcome {
        outcome::of(&self.settings.dialect, &[], answer)
    }

    fn outcome_for(&self, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
        outcome::of(&self.settings.dialect, parts, answer)
    }
}

#[cfg(test)]
mod tests;
