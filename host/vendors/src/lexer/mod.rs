//! Lexer Respond, chatbot API: a team inbox beside a channel of the Messenger Platform.
//!
//! The bot talks to the person through [`crate::messenger`]. Lexer is told what
//! happened: each message of a person that the bot takes is *claimed*, which closes
//! it in the team's inbox, and each message of the bot is *echoed*, so that the team
//! sees who wrote it. Neither holds up a reply: both are acknowledgements.
//!
//! To hand over is to stop claiming, and nothing else: no call is made for it, unless
//! the dialect says that the page has handover roles as well (`pass-thread`). While
//! neither the bot has the conversation nor an external bot behind it, nothing is
//! claimed, and what the person writes stands in the team's inbox. Lexer never says that the team is done.
//! So the channel says when the bot has the conversation again: when no human has
//! spoken for as long as `returns-after-ms` says; and, on pages with handover roles,
//! when control of the thread is passed to our app (which the host does by itself at the
//! end of that time, where the Messenger dialect says `take-thread`), or with the person's next message,
//! where the Messenger dialect says `messaging-means-ours`.

mod acknowledge;
mod dialect;
mod outcome;
pub(crate) mod profile;
mod settings;

use std::sync::Arc;

use botyard_kernel::action::Action;
use botyard_kernel::id::Digest;
use botyard_kernel::profile::{Delivery, Profile};
use botyard_kernel::time::Millis;
use http::StatusCode;

use self::acknowledge::{Notice, Object};
use self::dialect::Dialect;
pub use self::settings::KEYS;
use self::settings::Settings;
use crate::{
    Call, CallAnswer, Inbound, Outcome, Part, Received, Rejection, Reply, SettingsError, To,
    Vendor, messenger,
};

/// The vendor's name: the one that channels, passthroughs and metrics use.
pub const NAME: &str = "lexer";

/// Makes a channel out of its settings, a JSON object with these keys:
///
/// - `messenger`: the settings of the Messenger channel that this one rides on.
/// - `client-id`: the number of the Lexer client.
/// - `token`: the API token of the Bot User.
/// - `hub-url` (`https://hub.lexer.io`): where Lexer is.
/// - `dialect`: switches that the vendor's page does not prove.
///
/// # Errors
/// In words for the tenant, without any value of a secret.
pub fn connect(settings: serde_json::Value) -> Result<Arc<dyn Vendor>, SettingsError> {
    Ok(Arc::new(Lexer { settings: Settings::read(settings)? }))
}

/// Settings with invented secrets.
pub fn sample() -> serde_json::Value {
    serde_json::json!({
        "messenger": messenger::sample(),
        "client-id": 42,
        "token": "a-sample-token",
    })
}

/// The setting `dialect` with all of its names and what holds where a channel says
/// nothing: what the manual has to show.
pub fn dialect_defaults() -> serde_json::Value {
    serde_json::json!(Dialect::default())
}

/// A channel: a page with our app, and a Bot User in a Lexer account.
#[derive(Debug)]
struct Lexer {
    settings: Settings,
}

impl Vendor for Lexer {
    fn name(&self) -> &'static str {
        NAME
    }

    fn account(&self) -> Option<Digest> {
        self.settings.messenger.account()
    }

    fn profile(&self, medium: &str) -> Profile {
        profile::of(medium, self.settings.dialect.pass_thread)
    }

    fn delivery(&self) -> Delivery {
        Delivery {
            acknowledgements_elsewhere: true,
            silent_hand_off: !self.settings.dialect.pass_thread,
            ..self.settings.messenger.delivery()
        }
    }

    fn secret_names(&self) -> &'static [&'static str] {
        self.settings.messenger.secret_names()
    }

    fn returns_in_vain(&self) -> Option<&'static str> {
        let passed = self.settings.dialect.pass_thread && self.takes_back().is_none();
        passed.then_some(
            "with `pass-thread` a hand-off passes the thread on, and Facebook refuses whoever \
             speaks without it, so a bot would be heard by nobody; set `take-thread` in the \
             `dialect` of the Messenger settings, if the app is the page's primary receiver, or \
             leave the key out",
        )
    }

    fn takes_back(&self) -> Option<Action> {
        self.settings.messenger.takes_back_of(NAME)
    }

    fn verify(&self, request: &Inbound<'_>) -> Result<(), Rejection> {
        self.settings.messenger.verify(request)
    }

    fn read(&self, request: &Inbound<'_>, now: Millis) -> Received {
        let taps = self.settings.dialect.claim_postbacks;
        self.settings.messenger.read_with(request, now, &|heard| {
            // Of what is written elsewhere, Instagram, Lexer takes no claims.
            let claims = heard.medium == messenger::FACEBOOK && (taps || !heard.postback);
            let claim = Notice::Claim(Object::new(heard.mid, heard.at_ms, heard.page));
            claims.then(|| claim.token())
        })
    }

    fn answer(&self, to: &To<'_>, parts: &[Part<'_>]) -> Reply {
        self.settings.messenger.answer(to, parts)
    }

    fn call(&self, to: &To<'_>, parts: &[Part<'_>]) -> Call {
        self.settings.messenger.call_of(NAME, to, parts, None)
    }

    fn call_at(&self, to: &To<'_>, parts: &[Part<'_>], now: Millis) -> Call {
        self.settings.messenger.call_of(NAME, to, parts, Some(now))
    }

    fn acknowledge(&self, _to: &To<'_>, token: &str) -> Option<Call> {
        Some(Notice::of_token(token)?.call(&self.settings))
    }

    fn says_too_many(&self, status: StatusCode, body: &[u8]) -> bool {
        self.settings.messenger.says_too_many(status, body)
    }

    fn outcome(&self, answer: &CallAnswer) -> Outcome {
        outcome::of(answer)
    }

    fn outcome_for(&self, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
        self.settings.messenger.outcome_for(parts, answer)
    }

    /// The Send API names the message that it sent and not when: so the time is that of
    /// its answer, by our clock. Where that is behind Facebook's, a reply still comes after
    /// what it answers.
    fn outcome_at(
        &self,
        to: &To<'_>,
        parts: &[Part<'_>],
        answer: &CallAnswer,
        now: Millis,
    ) -> Outcome {
        let outcome = self.outcome_for(parts, answer);
        let echoes = self.settings.dialect.echo && messenger::is_on_facebook(to);
        if !matches!(outcome, Outcome::Delivered { .. }) || !echoes {
            return outcome;
        }
        let page = messenger::page_of(to.conversation);
        let heard_ms = messenger::heard_ms(to);
        let now = heard_ms.map_or(now, |heard_ms| now.max(heard_ms.saturating_add(1)));
        let echo = messenger::message_id(answer)
            .zip(page)
            .map(|(mid, page)| Notice::Echo(Object::new(&mid, now, page)).token());
        Outcome::delivered(echo.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
