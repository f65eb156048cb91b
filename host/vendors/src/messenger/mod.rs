//! Facebook's Messenger Platform, which also carries Instagram's direct messages.
//!
//! Events arrive signed and in batches: every item of every entry is an event of its
//! own. Actions leave one by one through the Send API and the calls for the control
//! of a thread. What the vendor's pages state is code here; what is only remembered
//! or guessed is in `dialect`.
//!
//! Who may speak follows the control of the thread:
//!
//! - items of `standby` belong to another app: they are told with the owner `human`;
//! - control that goes to another app, or an echo of a text that is not ours, gives
//!   the conversation to a human;
//! - control that is passed to our app gives it back to the bot.

mod bounded;
mod dialect;
mod facts;
mod items;
mod keys;
mod messages;
mod outcome;
pub(crate) mod profile;
mod receive;
mod render;
mod settings;
mod templates;
mod verify;

use std::sync::Arc;

use botyard_kernel::action::Action;
use botyard_kernel::id::Digest;
use botyard_kernel::profile::{Delivery, Limited, Profile};
use botyard_kernel::time::Millis;
use bytes::Bytes;
use http::StatusCode;

use self::dialect::Dialect;
pub(crate) use self::items::{FACEBOOK, Heard};
pub use self::settings::KEYS;
use self::settings::Settings;
pub(crate) use self::settings::paste;
use crate::{
    Call, CallAnswer, Inbound, Outcome, Part, Received, Rejection, Reply, SamplePlace,
    SettingsError, To, Vendor,
};

/// The vendor's name: the one that channels, passthroughs and metrics use.
pub const NAME: &str = "messenger";

/// Makes a channel out of its settings, a JSON object with these keys:
///
/// - `app-secret`: the app's secret, or a list of two while it is being changed.
///   Webhooks are signed with it.
/// - `verify-token`: what was typed in where the webhook was subscribed, or a list of
///   two.
/// - `page-token`: the page's access token, which calls carry.
/// - `app-id`: the app's own id, as a text or a number: by it we know our own echoes,
///   and control of a thread that comes to us.
/// - `graph-url`: where calls go, with the version of the API; the dialect's
///   `graph-url` where absent.
/// - `handover-roles` (`true`): a hand-off passes control of the thread to another app of the
///   page. A page that has no such roles refuses that: there, people go to the host's desk.
/// - `hold-ambiguous` (`false`): sends of unknown outcome wait for a human.
/// - `age-max-ms` (900,000): actions that are older are given up.
/// - `dialect`: names, limits and switches that the vendor's pages do not prove.
///
/// # Errors
/// In words for the tenant, without any value of a secret.
pub fn connect(settings: serde_json::Value) -> Result<Arc<dyn Vendor>, SettingsError> {
    Ok(Arc::new(Messenger::new(settings)?))
}

/// Settings with invented secrets.
pub fn sample() -> serde_json::Value {
    serde_json::json!({
        "app-secret": "a-sample-secret",
        "verify-token": "a-sample-token",
        "page-token": "a-sample-page-token",
        "app-id": "1000000000000001",
    })
}

/// An invented person who wrote to a page.
pub fn place() -> SamplePlace {
    SamplePlace::of("102030405060708:7000000000000001")
}

/// The setting `dialect` with all of its names and what holds where a channel says
/// nothing: what the manual has to show.
pub fn dialect_defaults() -> serde_json::Value {
    serde_json::json!(Dialect::default())
}

/// A channel: a page with our app. Other vendors may ride on it.
#[derive(Debug)]
pub(crate) struct Messenger {
    settings: Settings,
}

impl Messenger {
    pub(crate) fn new(settings: serde_json::Value) -> Result<Self, SettingsError> {
        Ok(Self { settings: Settings::read(settings)? })
    }

    /// Whether whatever comes to be answered is the bot's to answer, whoever spoke before.
    pub(crate) fn messaging_means_ours(&self) -> bool {
        self.settings.dialect.messaging_means_ours
    }

    /// A page where a hand-off passes no thread on: the app goes on getting what the
    /// person writes, which tells nothing of who has the conversation.
    pub(crate) fn keeping_threads(mut self) -> Self {
        self.settings.passes_threads = false;
        self
    }

    /// As [`Vendor::takes_back`], as a passthrough of that vendor.
    pub(crate) fn takes_back_of(&self, vendor: &str) -> Option<Action> {
        let takes = self.settings.dialect.take_thread;
        takes.then(|| Action::Passthrough(render::take_thread(vendor)))
    }

    /// Reads a webhook that was verified; `acknowledge` says what the acknowledgement
    /// of a person's message needs.
    pub(crate) fn read_with(
        &self,
        request: &Inbound<'_>,
        now: Millis,
        acknowledge: &dyn Fn(&Heard<'_>) -> Option<String>,
    ) -> Received {
        receive::read(&self.settings, request, now, acknowledge)
    }

    /// As [`Vendor::call_at`], with the passthroughs of that vendor.
    pub(crate) fn call_of(
        &self,
        vendor: &str,
        to: &To<'_>,
        parts: &[Part<'_>],
        now: Option<Millis>,
    ) -> Call {
        render::call(&self.settings, vendor, to, parts, now)
    }
}

/// The page's id in the key of a conversation.
pub(crate) fn page_of(conversation: &str) -> Option<&str> {
    conversation.split_once(':').map(|(page, _)| page)
}

/// Whether a reply reaches the person on Facebook, by what their last message said.
pub(crate) fn is_on_facebook(to: &To<'_>) -> bool {
    let last = last_heard(to);
    last.as_ref().and_then(|last| last.get("medium")).is_none_or(|medium| medium == FACEBOOK)
}

/// When the person wrote last, by Facebook's clock.
pub(crate) fn heard_ms(to: &To<'_>) -> Option<Millis> {
    last_heard(to)?.get("last_ms")?.as_u64()
}

/// What a reply needs besides the key.
fn last_heard(to: &To<'_>) -> Option<serde_json::Value> {
    serde_json::from_str(to.reply_to?).ok()
}

/// The id of the message that an answer of the Send API names; absent where none was
/// sent.
pub(crate) fn message_id(answer: &CallAnswer) -> Option<String> {
    match answer {
        CallAnswer::Answered { body, .. } => outcome::message_id(body),
        CallAnswer::NotSent(_) | CallAnswer::Lost(_) => None,
    }
}

impl Vendor for Messenger {
    fn name(&self) -> &'static str {
        NAME
    }

    fn account(&self) -> Option<Digest> {
        let Settings { graph_url, authorization, .. } = &self.settings;
        let parts = [NAME.as_bytes(), graph_url.as_bytes(), authorization.as_bytes()];
        Some(Digest::of_parts(parts))
    }

    fn profile(&self, medium: &str) -> Profile {
        let mut profile = profile::of(medium);
        if !self.settings.passes_threads {
            profile.native.retain(|name| !name.starts_with("forward") && *name != "abort");
        }
        profile
    }

    fn takes_back(&self) -> Option<Action> {
        self.takes_back_of(NAME)
    }

    fn delivery(&self) -> Delivery {
        let dialect = &self.settings.dialect;
        Delivery {
            inline: false,
            answer_by_ms: 0,
            after_answer_ms: 0,
            lists: false,
            native_delay: false,
            delay_step_ms: 1,
            silent_hand_off: false,
            contacts_in_answers: false,
            rate: None,
            token_rate: dialect.token_rate(),
            limited: Limited::Token,
            acknowledgements_elsewhere: false,
            sends_start: false,
            reopens: true,
            ends_silent_sessions: false,
            age_max_ms: self.settings.age_max_ms,
            hold_ambiguous: self.settings.hold_ambiguous,
        }
    }

    fn secret_names(&self) -> &'static [&'static str] {
        &[verify::TOKEN]
    }

    fn verify(&self, request: &Inbound<'_>) -> Result<(), Rejection> {
        verify::verify(&self.settings, request)
    }

    fn read(&self, request: &Inbound<'_>, now: Millis) -> Received {
        self.read_with(request, now, &|_| None)
    }

    /// Nothing rides in answers, and of their bodies the vendor reads nothing.
    fn answer(&self, _to: &To<'_>, _parts: &[Part<'_>]) -> Reply {
        Reply { status: StatusCode::OK, content_type: "text/plain", body: Bytes::new() }
    }

    fn call(&self, to: &To<'_>, parts: &[Part<'_>]) -> Call {
        self.call_of(NAME, to, parts, None)
    }

    fn call_at(&self, to: &To<'_>, parts: &[Part<'_>], now: Millis) -> Call {
        self.call_of(NAME, to, parts, Some(now))
    }

    /// The vendor says so with a code of its own and not with the status.
    fn says_too_many(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::TOO_MANY_REQUESTS
            || outcome::says_too_many(&self.settings.dialect, body)
    }

    fn outcome(&self, answer: &CallAnswer) -> Outcome {
        outcome::of(&self.settings.dialect, answer)
    }
}

#[cfg(test)]
pub(crate) mod tests;
