//! External bots: programs of others that a conversation can be handed over to.

use std::fmt;
use std::sync::Arc;

use botyard_kernel::action::ContactUpdate;
use botyard_kernel::event::Answer;
use botyard_kernel::outbox::Requested;
use botyard_kernel::relay::{Ask, Heard};
use serde_json::Value;

use crate::instabot::client::Client;
use crate::{Call, CallAnswer, Outcome, SettingsError};

/// A program of somebody else that speaks to persons through us.
pub trait ExternalBot: Send + Sync + fmt::Debug {
    /// The vendor's name.
    fn vendor(&self) -> &'static str;

    /// The call that asks it something.
    fn ask(&self, ask: &Ask, to: &Asked<'_>) -> Call;

    /// What it said to that.
    ///
    /// # Errors
    /// What is to be done about it. [`Outcome::Gone`] says that the conversation is over.
    fn heard(&self, answer: &CallAnswer) -> Result<Heard, Outcome>;

    /// Whether it is asked, at its end, what it knows of the person.
    fn asks_who(&self) -> bool;

    /// What it knows of the person; nothing where it does not say.
    fn known(&self, answer: &CallAnswer) -> Option<ContactUpdate>;

    /// What it says by itself, as it is posted to the callback URL. Whoever knows the
    /// address may have posted it.
    ///
    /// # Errors
    /// When it is not as the vendor documents it, in words for the vendor.
    fn spoke(&self, body: &[u8]) -> Result<Heard, String>;
}

/// What a call needs besides what is asked.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Names the person where they have no address of their own; ASCII.
    pub guest: &'a str,
    /// Where it may speak by itself; absent where nobody can reach us. A secret.
    pub callback_url: Option<&'a str>,
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_callback = self.callback_url.is_some();
        f.debug_struct("Asked").field("has_callback", &has_callback).finish_non_exhaustive()
    }
}

/// What comes of a question that nobody needs to be asked: it is not asked then.
pub fn unasked(bot: &dyn ExternalBot, ask: &Ask) -> Option<Requested> {
    let asks_in_vain = matches!(ask, Ask::Who(_)) && !bot.asks_who();
    asks_in_vain.then(|| answered(bot.vendor(), &Heard::default()))
}

/// What comes of a question that was sent, or of one that is held back.
pub fn come_of(bot: &dyn ExternalBot, ask: &Ask, sent: Result<CallAnswer, Requested>) -> Requested {
    let vendor = bot.vendor();
    if matches!(ask, Ask::Who(_)) {
        // Nobody waits for an answer that does not come at once: the bot goes on.
        let contact = sent.ok().and_then(|answer| bot.known(&answer));
        return answered(vendor, &Heard { contact, ..Heard::default() });
    }
    let answer = match sent {
        Ok(answer) => answer,
        Err(held) => return held,
    };
    match bot.heard(&answer) {
        Ok(heard) => answered(vendor, &heard),
        Err(Outcome::Gone(reason) | Outcome::Taken(reason)) => {
            answered(vendor, &Heard { over: Some(reason), ..Heard::default() })
        }
        Err(Outcome::Retry { reason, .. }) => Requested::Unanswered(reason),
        Err(Outcome::Fatal { reason, .. }) => Requested::Refused(reason),
        Err(Outcome::Delivered { .. }) => Requested::Refused(format!("{vendor} said nothing")),
    }
}

fn answered(vendor: &str, heard: &Heard) -> Requested {
    match serde_json::to_string(heard) {
        Ok(body) => {
            let (headers, truncated) = (Vec::new(), false);
            Requested::Answered(Answer { status: 200, headers, body, truncated })
        }
        Err(error) => Requested::Refused(format!("what {vendor} said cannot be kept: {error}")),
    }
}

/// Makes an external bot out of its settings, a JSON object.
///
/// # Errors
/// When there is no such vendor or the settings are not its own, in words for the tenant.
pub fn connect_external(
    vendor: &str,
    settings: Value,
) -> Result<Arc<dyn ExternalBot>, SettingsError> {
    match vendor {
        "instabot" => Ok(Arc::new(Client::connect(settings)?)),
        _ => Err(SettingsError(format!(
            "no external bots of `{vendor}` are known; known are those of: instabot"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::relay::Person;
    use http::{HeaderMap, StatusCode};
    use serde_json::json;

    use super::*;

    fn bot(asks_who: bool) -> Arc<dyn ExternalBot> {
        let settings = json!({
            "base-url": "https://external.example/v1",
            "api-key": "a-key",
            "bot-id": 7,
            "dialect": { "ask-user": asks_who, "gone-statuses": [410] },
        });
        connect_external("instabot", settings).expect("these settings are right")
    }

    fn answer(status: u16, body: &str) -> Result<CallAnswer, Requested> {
        let status = StatusCode::from_u16(status).expect("these are statuses");
        let (headers, body) = (HeaderMap::new(), body.to_owned().into());
        Ok(CallAnswer::Answered { status, retry_after_ms: None, headers, body })
    }

    fn said(requested: Requested) -> Heard {
        let Requested::Answered(answer) = requested else { panic!("it came to {requested:?}") };
        serde_json::from_str(&answer.body).expect("it was written by the host")
    }

    #[test]
    fn a_question_comes_to_what_was_said_or_to_what_is_to_be_done() {
        let (bot, ask) = (bot(true), Ask::Start(Person::default()));
        let of = |sent| come_of(&*bot, &ask, sent);
        let heard = said(of(answer(200, r#"{"messages":[{"text":"Hello"}],"streamId":"9"}"#)));
        assert_eq!((heard.stream.as_deref(), heard.over), (Some("9"), None));
        assert_eq!(heard.texts[0].text, "Hello");
        let gone = said(of(answer(410, "")));
        assert!(gone.over.is_some() && gone.texts.is_empty() && gone.stream.is_none());
        assert!(matches!(of(answer(500, "")), Requested::Unanswered(_)));
        assert!(matches!(of(answer(401, "")), Requested::Unanswered(_)), "somebody mends the key");
        assert!(matches!(of(answer(400, "")), Requested::Refused(_)));
        let lost = Ok(CallAnswer::Lost("the connection broke".to_owned()));
        assert!(matches!(of(lost), Requested::Unanswered(_)));
        let held = of(Err(Requested::Held { until_ms: 5 }));
        assert!(matches!(held, Requested::Held { until_ms: 5 }));
    }

    #[test]
    fn nobody_waits_to_hear_who_a_person_is() {
        let ask = Ask::Who(Person::default());
        let bot_asks = bot(true);
        let of = |sent| said(come_of(&*bot_asks, &ask, sent));
        let known = r#"{"username":"a@b.example","customProperties":{"size":"M"}}"#;
        let contact = of(answer(200, known)).contact.expect("it knows something");
        assert_eq!(contact.custom_fields.as_deref(), Some(r#"{"size":"M"}"#));
        assert_eq!(of(answer(500, "")), Heard::default());
        assert_eq!(of(Err(Requested::Held { until_ms: 5 })), Heard::default());
        assert!(unasked(&*bot_asks, &ask).is_none());
        assert!(unasked(&*bot(false), &Ask::Start(Person::default())).is_none());
        assert_eq!(unasked(&*bot(false), &ask).map(said), Some(Heard::default()));
    }
}
