//! Userlike (now Lime Connect), Chatbot API v1.
//!
//! Events arrive as one JSON object a webhook. Actions leave as one JSON list,
//! in the webhook's 200 answer or by a call to the bot's own API URL. What the
//! vendor's page states is code here; what it leaves open is in `dialect`.

mod choices;
mod dialect;
mod facts;
mod fields;
mod outcome;
pub(crate) mod profile;
mod receive;
mod render;
mod settings;
mod verify;

use std::sync::Arc;

use botyard_kernel::profile::{Delivery, Limited, Profile, Rate};
use botyard_kernel::time::Millis;

use self::dialect::Dialect;
pub use self::settings::KEYS;
use self::settings::Settings;
pub(crate) use self::settings::paste;
use crate::{
    Call, CallAnswer, Inbound, Outcome, Part, Received, Rejection, Reply, SettingsError, To, Vendor,
};

/// The vendor's name: the one that channels, passthroughs and metrics use.
pub const NAME: &str = "userlike";

/// Makes a channel out of its settings, a JSON object with these keys:
///
/// - `webhook-secret`: the value of the webhook header, or a list of two while
///   it is being changed; `webhook-header` names the header
///   (`API-SECURITY-TOKEN` where absent).
/// - `webhook-url-secret`: for accounts without headers, what follows the
///   channel's name in the webhook URL; again one or two, 16 to 200 letters,
///   digits, `-`, `_`, `.` or `~`. One of the two secrets must be there; where
///   both are, both are checked.
/// - `api-url` and `api-token`: the bot's API URL and API security token.
/// - `inline` (`true`): actions may ride in the answers of webhooks.
/// - `hold-ambiguous` (`false`): sends of unknown outcome wait for a human.
/// - `age-max-ms` (900,000): actions that are older are given up.
/// - `dialect`: key names and switches that the vendor's page does not prove.
///
/// # Errors
/// In words for the tenant, without any value of a secret.
pub fn connect(settings: serde_json::Value) -> Result<Arc<dyn Vendor>, SettingsError> {
    Ok(Arc::new(Userlike { settings: Settings::read(settings)? }))
}

/// Settings with invented secrets.
pub fn sample() -> serde_json::Value {
    serde_json::json!({
        "webhook-secret": "a-sample-secret",
        "api-url": "https://api.userlike.example/v1/",
        "api-token": "a-sample-token",
    })
}

/// The setting `dialect` with all of its names and what holds where a channel
/// says nothing: what the manual has to show.
pub fn dialect_defaults() -> serde_json::Value {
    serde_json::json!(Dialect::default())
}

/// A channel: a bot in a Userlike account.
#[derive(Debug)]
struct Userlike {
    settings: Settings,
}

impl Vendor for Userlike {
    fn name(&self) -> &'static str {
        NAME
    }

    fn profile(&self, medium: &str) -> Profile {
        profile::of(&self.settings.dialect, medium)
    }

    fn delivery(&self) -> Delivery {
        let timing = &self.settings.dialect.timing;
        Delivery {
            inline: self.settings.inline,
            // Nothing is worth waiting for where nothing may ride.
            answer_by_ms: if self.settings.inline { timing.answer_by_ms } else { 0 },
            after_answer_ms: timing.after_answer_ms,
            lists: true,
            native_delay: true,
            delay_step_ms: render::delay_step_ms(&self.settings.dialect),
            silent_hand_off: false,
            contacts_in_answers: false,
            rate: Some(Rate { calls: timing.rate_calls.get(), window_ms: timing.rate_window_ms }),
            token_rate: None,
            // "20 requests per minute with the same `cid`".
            limited: Limited::Conversation,
            acknowledgements_elsewhere: false,
            sends_start: true,
            reopens: false,
            // The widget's "Live conversation timeout" and what follows it.
            ends_silent_sessions: true,
            age_max_ms: self.settings.age_max_ms,
            hold_ambiguous: self.settings.hold_ambiguous,
        }
    }

    /// "Differences in Choice Message Behavior": only the first tap is a `click` there.
    fn late_taps(&self) -> &'static [&'static str] {
        &["facebook", "whatsapp_business"]
    }

    fn verify(&self, request: &Inbound<'_>) -> Result<(), Rejection> {
        verify::verify(&self.settings, request)
    }

    fn read(&self, request: &Inbound<'_>, _now: Millis) -> Received {
        receive::receive(&self.settings, request)
    }

    fn answer(&self, to: &To<'_>, parts: &[Part<'_>]) -> Reply {
        render::answer(&self.settings.dialect, to.conversation, parts)
    }

    fn call(&self, to: &To<'_>, parts: &[Part<'_>]) -> Call {
        render::call(&self.settings, to.conversation, parts)
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
