//! Khoros Care, Automation Framework, Bot API v3.
//!
//! Events arrive as one JSON object a webhook, all of them: also those of conversations
//! that an agent owns. Each action leaves as a call of its own. What the seeds and the
//! vendor's pages state is code here; what they leave open is in `dialect`.

mod acknowledge;
mod dialect;
mod facts;
mod message;
mod outcome;
mod place;
pub(crate) mod profile;
mod receive;
mod register;
mod render;
mod reply;
mod respond;
mod settings;
mod state;
mod upkeep;
mod verify;

use std::sync::Arc;

use botyard_kernel::id::Digest;
use botyard_kernel::profile::{Delivery, Limited, Profile, Rate};
use botyard_kernel::time::Millis;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use self::dialect::Dialect;
pub use self::settings::KEYS;
use self::settings::Settings;
pub(crate) use self::settings::paste;
use crate::known;
use crate::{
    Call, CallAnswer, Inbound, Outcome, Part, Received, Rejection, Reply, SamplePlace,
    SettingsError, To, Upkeep, Vendor,
};

/// The vendor's name: the one that channels, passthroughs and metrics use.
pub const NAME: &str = "khoros";

/// Makes a channel out of its settings, a JSON object with these keys:
///
/// - `company-key`: the company; webhooks of another one are kept as damaged.
/// - `app-id`: the bot's id at Khoros.
/// - `gateway-url`: the Bot API of the account's region.
/// - `token`: a token that exists already, or `token-url`, `user` and `password` with
///   which one is made; both may be there. Either is refreshed every week.
/// - `webhook-method` (`basic` or `hmac`), `webhook-identity` and `webhook-secret`, one
///   or two while it is being changed: the credentials of the registration.
/// - `registrations`, a list of `network` and `external-id`, with `callback-url`,
///   `bot-name`, `contact-email`, `avatar-url`, `public-filter` and `metadata`: where
///   the channel registers itself. Without it somebody else did.
/// - `mode` (`live`): how these registrations stand. `maintenance` leaves what comes to
///   agents; `retired` takes the registrations back, and the token that the host got.
/// - `hold-ambiguous` (`false`): sends of unknown outcome wait for a human.
/// - `age-max-ms` (900,000): actions that are older are given up.
/// - `dialect`: what the vendor's pages do not prove.
///
/// # Errors
/// In words for the tenant, without any value of a secret.
pub fn connect(settings: Value) -> Result<Arc<dyn Vendor>, SettingsError> {
    let settings = Settings::read(settings)?;
    let token = settings.token.as_deref().and_then(settings::bearer);
    Ok(Arc::new(Khoros { settings: Arc::new(settings), token }))
}

/// Settings with invented secrets.
pub fn sample() -> Value {
    serde_json::json!({
        "company-key": "acmehotel",
        "app-id": "acme-bot",
        "gateway-url": "https://api.app.lithium.com/bots/v3",
        "token": "a-sample-token",
        "webhook-method": "basic",
        "webhook-identity": "a-sample-identity",
        "webhook-secret": "a-sample-secret",
    })
}

/// The same for the company and the bot that a webhook's body is for.
pub fn sample_for(body: &[u8]) -> Value {
    let mut settings = sample();
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    let names = [("company-key", "/coordinate/companyKey"), ("app-id", "/coordinate/botId")];
    for (key, pointer) in names {
        let named = event.pointer(pointer).and_then(place::id);
        if let Some(named) = named.filter(|named| !named.trim().is_empty()) {
            settings[key] = named.into();
        }
    }
    settings
}

/// An invented person who wrote on this network.
pub fn place(medium: &str) -> SamplePlace {
    reply::sample(medium)
}

/// How Khoros answers a call that it takes: what nobody waits for has a name by which it can
/// be asked for.
pub fn taken(call: &Call) -> CallAnswer {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let waits = body.get("processSynchronously") == Some(&Value::Bool(true));
    let name = HeaderName::from_static("x-amzn-requestid");
    let named = (!waits).then(|| (name, HeaderValue::from_static("a-request")));
    known::taken(named.into_iter().collect())
}

/// The setting `dialect` with all of its names and what holds where a channel says
/// nothing: what the manual has to show.
pub fn dialect_defaults() -> Value {
    serde_json::json!(Dialect::default())
}

/// A channel: a bot of a company.
#[derive(Clone, Debug)]
struct Khoros {
    settings: Arc<Settings>,
    /// What calls carry; marked as sensitive, so that it is never shown.
    token: Option<HeaderValue>,
}

impl Khoros {
    fn request(&self, method: Method, path: &str, body: Option<Value>) -> Call {
        let url = &self.settings.gateway_url;
        render::request(url, self.token.as_ref(), method, path, body.as_ref())
    }
}

impl Vendor for Khoros {
    fn name(&self) -> &'static str {
        NAME
    }

    fn account(&self) -> Option<Digest> {
        let Settings { gateway_url, company_key, app_id, .. } = &*self.settings;
        let parts = [NAME, gateway_url, company_key, app_id];
        Some(Digest::of_parts(parts.map(str::as_bytes)))
    }

    fn profile(&self, medium: &str) -> Profile {
        profile::of(&self.settings.dialect, medium)
    }

    fn states_owner(&self) -> bool {
        true
    }

    fn returns_in_vain(&self) -> Option<&'static str> {
        Some(
            "it says who has a conversation and refuses whoever speaks without it, so a bot would \
             be heard by nobody; leave the key out",
        )
    }

    fn delivery(&self) -> Delivery {
        let timing = &self.settings.dialect.timing;
        Delivery {
            // "We will ignore all response bodies."
            inline: false,
            answer_by_ms: 0,
            after_answer_ms: 0,
            lists: false,
            native_delay: false,
            delay_step_ms: 1,
            silent_hand_off: false,
            contacts_in_answers: false,
            rate: None,
            token_rate: timing
                .rate_calls
                .map(|calls| Rate { calls: calls.get(), window_ms: timing.rate_window_ms }),
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

    fn answer(&self, _to: &To<'_>, _parts: &[Part<'_>]) -> Reply {
        Reply { status: StatusCode::ACCEPTED, content_type: "application/json", body: Bytes::new() }
    }

    fn call(&self, to: &To<'_>, parts: &[Part<'_>]) -> Call {
        render::call(self, to, parts)
    }

    fn acknowledge(&self, to: &To<'_>, token: &str) -> Option<Call> {
        acknowledge::call(self, to, token)
    }

    fn upkeep(&self) -> Option<&dyn Upkeep> {
        Some(self)
    }

    fn outcome(&self, answer: &CallAnswer) -> Outcome {
        outcome::of(self, &[], answer)
    }

    fn outcome_of(&self, token: &str, answer: &CallAnswer) -> Outcome {
        if acknowledge::is_question(token) {
            outcome::of_request(answer)
        } else {
            self.outcome(answer)
        }
    }

    fn outcome_for(&self, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
        outcome::of(self, parts, answer)
    }
}

#[cfg(test)]
mod tests;
