//! One conversation as Userlike keeps it: who may still speak, what is echoed,
//! which choices are open.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::document::{
    FACEBOOK_OPTIONS_MAX, LABEL_CHARACTERS_MAX, REQUESTS_PER_MINUTE, WHATSAPP_OPTIONS_MAX,
};
use super::mediums::judge_on;
use super::record::{By, Form, Seen};
use super::rules::Packet;
use crate::fields::is_link;
use crate::record::Bounded;

/// What is known of a person, under Userlike's names.
pub type Contact = Map<String, Value>;

/// Choices that can still be clicked; older ones have scrolled away.
const CHOICES_MAX: usize = 50;

/// Whether the bot has the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has.
    Open,
    /// The bot ended it.
    Ended,
    /// The bot stepped back for the normal flow of conversations.
    Aborted,
    /// A human has it.
    Forwarded,
    /// Nobody was free and the bot did not want to know.
    Unassigned,
    /// Nothing happened for too long.
    Expired,
}

impl State {
    /// Its name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ended => "ended",
            Self::Aborted => "aborted",
            Self::Forwarded => "forwarded",
            Self::Unassigned => "unassigned",
            Self::Expired => "expired",
        }
    }
}

/// Why something of a bot is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The session is over.
    Over(String),
    /// A rule of the document.
    Rule(String),
    /// A file could not be fetched.
    Media(String),
}

/// One conversation.
#[derive(Debug)]
pub(super) struct Session {
    /// Which conversation of its account it is: keys differ from run to run, and the
    /// plan of faults must not.
    pub(super) ordinal: String,
    pub(super) state: State,
    /// Its start was made by what the person did.
    pub(super) is_begun: bool,
    pub(super) medium: String,
    pub(super) context: Map<String, Value>,
    pub(super) contact: Contact,
    pub(super) seen: Bounded<std::sync::Arc<Seen>>,
    /// How many calls came, for the plan of faults.
    pub(super) calls: u64,
    /// How many webhooks were sent, attempts included.
    pub(super) sendings: u64,
    /// How many pairs of events could have changed places.
    pub(super) pairs: u64,
    requests: VecDeque<Instant>,
    pub(super) choices: VecDeque<Choice>,
    taken: u64,
}

/// A choice that was offered.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) form: Form,
    pub(super) options: Vec<(String, String)>,
    pub(super) answered: bool,
    /// Nothing was said since.
    pub(super) is_last: bool,
}

impl Session {
    pub(super) fn new(ordinal: usize, contact: Contact, seen: usize) -> Self {
        Self {
            ordinal: ordinal.to_string(),
            state: State::Open,
            is_begun: false,
            medium: "web".to_owned(),
            context: Map::new(),
            contact,
            seen: Bounded::new(seen),
            calls: 0,
            sendings: 0,
            pairs: 0,
            requests: VecDeque::new(),
            choices: VecDeque::new(),
            taken: 0,
        }
    }

    /// Whether all of these can be taken, one after the other.
    pub(super) fn judge<'a>(
        &self,
        packets: impl Iterator<Item = &'a Packet>,
        fetches: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        let mut over = (self.state != State::Open).then(|| self.state.name());
        let mut has_email = has_email(&self.contact);
        for packet in packets {
            if let Some(why) = over {
                let refusal = format!("{} after the session was over: {why}", packet.name);
                // What a list says after its own end is a mistake of the list.
                return Err(if self.state == State::Open {
                    Refusal::Rule(refusal)
                } else {
                    Refusal::Over(refusal)
                });
            }
            if packet.is_last_word() {
                over = Some("this list ended it");
            }
            if packet.name == "contact_update" {
                has_email |= packet.payload.as_object().is_some_and(has_email_in);
            }
            self.allows(packet, has_email)?;
            judge_on(&self.medium, packet).map_err(Refusal::Rule)?;
            if packet.name == "media" {
                let link = packet.payload["link"].as_str().unwrap_or_default();
                if !is_link(link) || !fetches(link) {
                    return Err(Refusal::Media(format!("the file at {link} cannot be fetched")));
                }
            }
        }
        Ok(())
    }

    /// What depends on the medium and on what is known of the person.
    fn allows(&self, packet: &Packet, has_email: bool) -> Result<(), Refusal> {
        let refuse = |why: &str| Err(Refusal::Rule(format!("{} {why}", packet.name)));
        match &*packet.name {
            // "Media messages": all channels but SMS.
            "media" if self.medium == "sms" => refuse("on SMS, which carries no media"),
            // "button_template": for Facebook only images are supported.
            "button_template"
                if self.medium == "facebook"
                    && packet.payload["header"]["type"]
                        .as_str()
                        .is_some_and(|it| it != "image") =>
            {
                refuse("on Facebook with a header that is no image")
            }
            // "email_dispatch": the address must be present in the system prior.
            "email_dispatch" if packet.payload["recipient"]["type"] == "contact" && !has_email => {
                refuse("to a contact without an e-mail address")
            }
            _ => Ok(()),
        }
    }

    /// Takes what was judged good. Answers what the person gets to see, and
    /// whether a hand-off is to be decided now.
    pub(super) fn take(&mut self, packets: &[&Packet], by: By, now: Duration) -> Vec<Seen> {
        let mut at = now;
        let mut seen = Vec::with_capacity(packets.len());
        for packet in packets {
            let form = self.apply(packet);
            seen.push(Seen { at, number: self.taken, packet: (*packet).clone(), form, by });
            self.taken += 1;
            if packet.name == "delay" {
                // "delay": it affects what follows in the same list only.
                let seconds = packet.payload["seconds"].as_f64().unwrap_or_default();
                at += Duration::try_from_secs_f64(seconds).unwrap_or_default();
            }
        }
        seen
    }

    fn apply(&mut self, packet: &Packet) -> Option<Form> {
        // "Keeping state": a new one replaces, an empty one is ignored.
        if let Some(context) = packet.context.as_ref().filter(|context| !context.is_empty()) {
            self.context.clone_from(context);
        }
        match &*packet.name {
            "contact_update" => {
                let changes = packet.payload.as_object().into_iter().flatten();
                self.contact.extend(changes.map(|(key, value)| (key.clone(), value.clone())));
            }
            "end" => self.state = State::Ended,
            "abort" => self.state = State::Aborted,
            // Who takes it is decided by the account.
            _ if packet.is_last_word() => self.state = State::Forwarded,
            "message" | "buttons" | "button" | "media" => self.said(),
            _ if packet.is_choice() => {
                self.said();
                let form = form(&self.medium, packet);
                let options = packet.options();
                if self.choices.len() == CHOICES_MAX {
                    self.choices.pop_front();
                }
                self.choices.push_back(Choice { form, options, answered: false, is_last: true });
                return Some(form);
            }
            _ => {}
        }
        None
    }

    /// Somebody said something: a number answers no choice before it any more.
    pub(super) fn said(&mut self) {
        if let Some(choice) = self.choices.back_mut() {
            choice.is_last = false;
        }
    }

    /// "Rate limits", as a window that slides. How long until there is room, if
    /// there is none. What is turned away here does not count, so that a sender
    /// who waits gets through.
    pub(super) fn wait(&mut self, window: Duration, now: Instant) -> Option<Duration> {
        while self.requests.front().is_some_and(|at| now.duration_since(*at) >= window) {
            self.requests.pop_front();
        }
        if self.requests.len() < REQUESTS_PER_MINUTE {
            return None;
        }
        self.requests.front().map(|at| window.saturating_sub(now.duration_since(*at)))
    }

    /// Counts a request.
    pub(super) fn count(&mut self, now: Instant) {
        self.requests.push_back(now);
    }
}

fn has_email(contact: &Contact) -> bool {
    has_email_in(contact)
}

fn has_email_in(fields: &Map<String, Value>) -> bool {
    fields.get("email").and_then(Value::as_str).is_some_and(|email| !email.is_empty())
}

/// "Choice messages": where they can be tapped, and where they become a text.
fn form(medium: &str, packet: &Packet) -> Form {
    if is_native(medium, packet) { Form::Native } else { Form::Text }
}

/// Whether a choice can be tapped.
pub(super) fn is_native(medium: &str, packet: &Packet) -> bool {
    let options = packet.options();
    let short = options.iter().all(|(_, label)| label.chars().count() <= LABEL_CHARACTERS_MAX);
    match (medium, &*packet.name) {
        ("web", _) => true,
        ("facebook" | "whatsapp_business", "carousel") => false,
        ("facebook" | "whatsapp_business", "button_template") => true,
        // That too much of them becomes a text is promised for bubbles only.
        ("facebook" | "whatsapp_business", "list_template") => true,
        ("facebook", _) => short && options.len() <= FACEBOOK_OPTIONS_MAX,
        ("whatsapp_business", _) => short && options.len() <= WHATSAPP_OPTIONS_MAX,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
