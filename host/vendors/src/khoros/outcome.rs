//! What Khoros' answer to a call means.
//!
//! Of the answers its pages know 200 and 202, 400, 401, 403 for a conversation that is
//! not the bot's, 404, 409 where control is passed, and three envelopes of errors. The
//! rest is what the statuses mean anywhere.

use botyard_kernel::action::Action;
use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::{Khoros, acknowledge};
use crate::{CallAnswer, Outcome, Part};

/// A longer id of a request is none.
const REQUEST_BYTES_MAX: usize = 200;
/// A reply that is not published yet is asked for again after so long, at the earliest.
const ASKED_AGAIN_MS: Millis = 2_000;
/// Of the vendor's own words so much is told.
const WORDS_CHARACTERS_MAX: usize = 200;

/// What became of these parts. A call of none is taken for one that adds something.
pub(super) fn of(khoros: &Khoros, parts: &[Part<'_>], answer: &CallAnswer) -> Outcome {
    let call = parts.first().map_or(CallOf::Respond, |part| CallOf::action(part.action));
    match answer {
        CallAnswer::Answered { status, retry_after_ms, headers, body } => {
            let answered = Answered { khoros, call, after_ms: *retry_after_ms, headers, body };
            answered.outcome(*status, parts)
        }
        CallAnswer::NotSent(why) => retry(None, false, Blame::Host, format!("not sent: {why}")),
        CallAnswer::Lost(why) => {
            let reason = format!("Khoros gave no whole answer: {why}");
            retry(None, call.adds(), Blame::Vendor, reason)
        }
    }
}

/// What a call does, as far as it matters for trying again. No call has an idempotency
/// key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallOf {
    /// It shows something to the person, once more if repeated.
    Respond,
    /// It adds something for agents, once more if repeated.
    Note,
    /// It passes control; repeated, it changes nothing.
    Control,
    /// It sets something of the conversation; repeated, it changes nothing.
    Conversation,
    /// It changes nothing of note.
    Repeatable,
}

impl CallOf {
    fn action(action: &Action) -> Self {
        match action {
            Action::Message(_)
            | Action::Bubbles(_)
            | Action::Carousel(_)
            | Action::ButtonTemplate(_)
            | Action::ListTemplate(_)
            | Action::Buttons(_)
            | Action::RichLink(_)
            | Action::Media(_)
            | Action::Navigate(_)
            | Action::SecureForm(_)
            | Action::Passthrough(_) => Self::Respond,
            Action::NoteCreate(_) => Self::Note,
            Action::Forward(_) | Action::Abort => Self::Control,
            Action::Tag(_)
            | Action::Untag(_)
            | Action::Priority(_)
            | Action::WorkQueue(_)
            | Action::Resolve(_)
            | Action::End
            | Action::ContactUpdate(_) => Self::Conversation,
            Action::Typing(_)
            | Action::Delay(_)
            | Action::ContextUpdate(_)
            | Action::ContextClear
            | Action::ConversationUpdate(_)
            | Action::AddonDispatch(_)
            | Action::EmailDispatch(_)
            | Action::Schedule(_)
            | Action::CancelTimer(_)
            | Action::Request(_)
            | Action::Other(_) => Self::Repeatable,
        }
    }

    /// Whether repeating it would be seen.
    fn adds(self) -> bool {
        matches!(self, Self::Respond | Self::Note)
    }

    /// Whether it is about a conversation in Care, which exists only some seconds after
    /// the person's first message.
    fn needs_conversation(self) -> bool {
        matches!(self, Self::Note | Self::Control | Self::Conversation)
    }
}

struct Answered<'a> {
    khoros: &'a Khoros,
    call: CallOf,
    after_ms: Option<Millis>,
    headers: &'a HeaderMap,
    body: &'a [u8],
}

impl Answered<'_> {
    fn outcome(&self, status: StatusCode, parts: &[Part<'_>]) -> Outcome {
        let code = status.as_u16();
        let words = words(self.body);
        let said = said(code, &words);
        match code {
            200..=299 if self.is_error() => Outcome::Fatal {
                reason: format!("Khoros could not publish it: {said}"),
                blame: Blame::Vendor,
            },
            200..=299 => Outcome::Delivered {
                follow_ups: Vec::new(),
                asks: self.request().filter(|_| !parts.is_empty()).map(acknowledge::question),
            },
            408 | 409 | 425 | 429 => {
                self.retry(false, Blame::Vendor, format!("{said}: it may take the call later"))
            }
            400..=499 => self.refused(code, &words, &said),
            // The vendor turned it away before looking at it.
            503 => self.retry(false, Blame::Vendor, format!("{said}: it cannot take calls now")),
            500..=599 => {
                let adds = self.call.adds();
                self.retry(adds, Blame::Vendor, format!("{said}: it failed at its work"))
            }
            _ => self.retry(false, Blame::Tenant, wrong_gateway(&said)),
        }
    }

    fn refused(&self, code: u16, words: &str, said: &str) -> Outcome {
        match code {
            400 | 401 if code == 401 || words.eq_ignore_ascii_case("unauthorized") => {
                self.retry(false, Blame::Tenant, format!("{said}: {}", self.token_advice()))
            }
            400 if names_place(words) => Outcome::Fatal {
                reason: format!("{said}: compare the registration with the channel's settings"),
                blame: Blame::Tenant,
            },
            // The conversation goes on, with somebody else: it is not gone.
            403 if words.contains("own the conversation") => Outcome::Taken(format!(
                "{said}: an agent or another bot owns the conversation. Where none of them took \
                 it, look whether the bot is LIVE and healthy at Khoros"
            )),
            403 => self.retry(
                false,
                Blame::Tenant,
                format!("{said}: may this token call the Bot API for `app-id` and `company-key`?"),
            ),
            404 if self.call.needs_conversation() => self.early(said),
            404 => self.retry(false, Blame::Tenant, wrong_gateway(said)),
            _ => Outcome::Fatal {
                reason: format!("{said}: compare the action with what the network takes"),
                blame: Blame::Bot,
            },
        }
    }

    /// Right after the person's first words there is nothing to hand over yet.
    fn early(&self, said: &str) -> Outcome {
        let timing = &self.khoros.settings.dialect.timing;
        Outcome::Retry {
            after_ms: Some(self.after_ms.unwrap_or(0).max(timing.early_wait_ms)),
            ambiguous: false,
            reason: format!("{said}: the conversation does not exist in Care yet"),
            blame: Blame::Vendor,
            tries_max: Some(timing.early_tries),
        }
    }

    /// A synchronous reply that the network did not take.
    fn is_error(&self) -> bool {
        state(self.body).as_deref() == Some("ERROR")
    }

    /// The request of a reply that was taken and is published later. What only agents see
    /// is always taken so, and nobody waits for it.
    fn request(&self) -> Option<String> {
        let later = matches!(state(self.body).as_deref(), None | Some("PENDING"));
        if self.call != CallOf::Respond || !later {
            return None;
        }
        let body: Value = serde_json::from_slice(self.body).unwrap_or_default();
        let told = body.get("requestId").and_then(Value::as_str).map(str::to_owned);
        let name = self.khoros.settings.dialect.request_header.as_str();
        let header = || self.headers.get(name)?.to_str().ok().map(str::to_owned);
        told.or_else(header).filter(|id| !id.is_empty() && id.len() <= REQUEST_BYTES_MAX)
    }

    fn token_advice(&self) -> &'static str {
        match (&self.khoros.token, &self.khoros.settings.creation) {
            (None, _) => "there is no token yet, one is being asked for",
            (Some(_), None) => "the token is not valid: put a new one into `token`",
            (Some(_), Some(_)) => "the token is not valid: is another one active for `app-id`?",
        }
    }

    fn retry(&self, ambiguous: bool, blame: Blame, reason: String) -> Outcome {
        retry(self.after_ms, ambiguous, blame, reason)
    }
}

/// What became of a request that was to be carried out later. An answer that does not
/// say so is no end of it, nor is none: it is asked for again until the host gives up.
pub(super) fn of_request(answer: &CallAnswer) -> Outcome {
    let wait = |after_ms: Option<Millis>, reason: String| Outcome::Retry {
        after_ms: Some(after_ms.unwrap_or(0).max(ASKED_AGAIN_MS)),
        ambiguous: false,
        reason,
        blame: Blame::Vendor,
        tries_max: None,
    };
    let (status, after_ms, body) = match answer {
        CallAnswer::Answered { status, retry_after_ms, body, .. } => {
            (status, *retry_after_ms, body)
        }
        CallAnswer::NotSent(why) => return wait(None, format!("Khoros was not asked: {why}")),
        CallAnswer::Lost(why) => {
            return wait(None, format!("Khoros gave no whole answer: {why}"));
        }
    };
    let words = words(body);
    match (status.is_success(), state(body).as_deref()) {
        (true, Some("ERROR")) => Outcome::Fatal {
            reason: format!("Khoros took the reply and could not publish it: {words}"),
            blame: Blame::Vendor,
        },
        (true, Some("PENDING")) => {
            wait(after_ms, "Khoros has not published the reply yet".to_owned())
        }
        (true, Some("SUCCESS")) => Outcome::DELIVERED,
        (true, _) => {
            let said = said(status.as_u16(), &words);
            wait(after_ms, format!("{said}, and not whether it has published the reply"))
        }
        // Whether it was published is not known: that is no failure of it.
        (false, _) => wait(after_ms, said(status.as_u16(), &words)),
    }
}

/// How a request stands, where the answer says so.
fn state(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    // A reply tells of itself by the first name, the request of it by the other.
    let state = body.pointer("/data/requestState").or_else(|| body.pointer("/data/state"))?;
    Some(state.as_str()?.to_owned())
}

fn wrong_gateway(said: &str) -> String {
    format!("{said}: compare `gateway-url` with the account's region")
}

/// Whether the words are about the company's account on a network, which a bot does not
/// choose.
fn names_place(words: &str) -> bool {
    ["networkKey", "externalId", "companyKey"].iter().any(|it| words.contains(it))
}

/// The status with the vendor's own words.
pub(super) fn said(code: u16, words: &str) -> String {
    if words.is_empty() {
        format!("Khoros answered {code}")
    } else {
        format!("Khoros answered {code} (\"{words}\")")
    }
}

/// The vendor's own words in any of its three envelopes, on one line.
pub(super) fn words(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let places = ["/error/messages", "/error/message", "/errors", "/data/error", "/message"];
    let found = places.iter().find_map(|place| body.pointer(place)).unwrap_or(&Value::Null);
    let one = std::slice::from_ref(found);
    let texts = found.as_array().map_or(one, Vec::as_slice).iter().filter_map(Value::as_str);
    let line = texts.collect::<Vec<_>>().join("; ");
    let bare = line.chars().map(|c| if c.is_control() { ' ' } else { c });
    bare.take(WORDS_CHARACTERS_MAX).collect::<String>().trim().to_owned()
}

fn retry(after_ms: Option<Millis>, ambiguous: bool, blame: Blame, reason: String) -> Outcome {
    Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max: None }
}
