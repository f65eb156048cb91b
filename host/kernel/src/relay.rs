//! An external bot that has a conversation: what the person says goes to it, and what
//! it says goes to the person, until it is over.
//!
//! One thing is asked of it at a time, so that nothing is overtaken. What it is asked,
//! and what came of it, is written down like a bot's own `request`; how it is put to
//! that bot's vendor is the business of whoever makes the call.

mod door;
mod silence;

use serde::{Deserialize, Serialize};

pub use self::door::{Door, POSTS_WAITING_MAX, door};
use self::silence::is_silence;
pub(crate) use self::silence::{Patience, silence_id};
use crate::action::{Action, Bubbles, Choice, ContactUpdate, Message, Request, TextFormat};
use crate::event::{Event, EventBody, Response, ResponseOutcome};
use crate::id::{EventId, PartId, TurnId};
use crate::json;
use crate::outbox::response_id;
use crate::session::Facts;
use crate::time::Millis;

/// The name of requests to external bots, and of events that they send by themselves.
pub const RELAY: &str = "botyard.relay";
/// What stands before the name of an external bot in the address of such a request.
pub const SCHEME: &str = "relay:";
/// At most so many bytes wait to be said to an external bot, as they are stored; the
/// oldest give way.
pub const WAITING_BYTES_MAX: usize = 64 * 1024;
/// At most so many bytes of one text are said to it.
pub const SAID_BYTES_MAX: usize = 16 * 1024;
/// At most so many texts are taken of one answer.
pub const TEXTS_MAX: usize = 32;
/// At most so many bytes of them, with their options, as they are stored.
pub const TEXTS_BYTES_MAX: usize = 64 * 1024;

/// What is remembered of an external bot while it has a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relay {
    /// Its name in the tenant's settings.
    pub bot: String,
    /// The key of the conversation there; absent until it has begun. A secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    /// Something was asked of it, and nothing has come of that yet.
    asked: bool,
    /// The part that asks; absent while nothing is asked. Older hosts did not write it
    /// down: what they asked is answered by whatever bears the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<PartId>,
    /// What is still to be said to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Said>,
    /// It is done, and what it has learned of the person is still to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaving: Option<Leaving>,
    /// When the bot has the conversation again, if this one says nothing until then; absent
    /// where it has had the last word, and where the channel waits for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    silent_ms: Option<Millis>,
    /// It is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    over: Option<Over>,
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    option: Option<String>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// Why, in words.
    pub reason: String,
    /// It never began: the hand-over failed.
    pub failed: bool,
}

/// It is done, and is still asked what it knows of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Leaving {
    over: Over,
    /// It has been asked.
    asked: bool,
}

/// What is asked of an external bot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// To take the conversation of this person.
    Start(Person),
    /// To answer this.
    Say {
        /// The key of the conversation there.
        stream: String,
        /// What the person said, or the label of what they chose.
        text: String,
        /// The option that they chose, by the id that it came with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        option: Option<String>,
    },
    /// What it knows of this person by now, who was handed over to it.
    Who(Person),
}

/// Who is handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Person {
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The language tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// What they write on.
    pub medium: String,
}

/// What an external bot says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Heard {
    /// The key of the conversation there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// What the person is to be told, in order.
    pub texts: Vec<Text>,
    /// Why it is over, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// What it knows of the person, where it was asked that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactUpdate>,
    /// What of its answer could not be read, in words for the log of our bot.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A text, with what may be chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The text; empty where there are options alone.
    pub text: String,
    /// Ids and labels; one may be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(String, String)>,
}

/// What follows from an event.
#[derive(Debug)]
pub(crate) struct Follows {
    /// The turn whose actions these are.
    turn: TurnId,
    /// What is said to the person, and asked of the external bot.
    pub(crate) actions: Vec<Action>,
    /// What is worth a line in the log.
    pub(crate) notes: Vec<String>,
    /// What it has learned of the person.
    pub(crate) contact: Option<ContactUpdate>,
}

impl Relay {
    /// An external bot is asked to take a conversation over; the request, which is this
    /// part, says so.
    pub(crate) fn begin(
        bot: &str,
        facts: &Facts,
        part: PartId,
        patience: Patience,
    ) -> (Self, Action) {
        let relay = Self {
            bot: bot.to_owned(),
            stream: None,
            asked: true,
            part: Some(part),
            waiting: Vec::new(),
            leaving: None,
            silent_ms: patience.ends_ms(),
            over: None,
        };
        let start = relay.ask(&Ask::Start(Person::of(facts)));
        (relay, start)
    }

    /// Whether it has taken the conversation: nobody can speak for it before.
    pub fn has_begun(&self) -> bool {
        self.stream.is_some()
    }

    /// How it ended, if it has.
    pub fn over(&self) -> Option<&Over> {
        self.over.as_ref()
    }

    /// Whether it waits for what comes of this part.
    pub(crate) fn waits_for(&self, part: &PartId) -> bool {
        self.asked && self.part.as_ref().is_none_or(|own| own == part)
    }

    /// Something happened, to somebody of whom this is known; what follows are the
    /// actions of this turn.
    pub(crate) fn on(
        &mut self,
        event: &Event,
        facts: &Facts,
        turn: TurnId,
        patience: Patience,
    ) -> Follows {
        let mut follows = Follows { turn, actions: Vec::new(), notes: Vec::new(), contact: None };
        match &event.body {
            EventBody::Other(_) if is_silence(&event.id) => self.fall_silent(),
            EventBody::Message(message) => self.say(&message.text, None, &mut follows),
            EventBody::Click(click) => {
                let text = click.label.as_ref().or(click.typed_text.as_ref());
                let option = click.option_ids.first().cloned();
                // Who taps something that has no label says its name.
                let text = text.or(option.as_ref()).cloned().unwrap_or_default();
                self.say(&text, option, &mut follows);
            }
            EventBody::Media(media) => self.say(&media.link, None, &mut follows),
            EventBody::Location(place) => {
                self.say(&format!("{}, {}", place.latitude, place.longitude), None, &mut follows);
            }
            EventBody::Response(response) if self.is_answered_by(&event.id) => {
                self.answered(response, &mut follows);
            }
            // To a question from before the conversation came back and was handed over again.
            EventBody::Response(_) => follows.notes.extend(unheard(&event.body)),
            EventBody::Other(payload) => self.heard_alone(&payload.json, &mut follows),
            EventBody::Start(_)
            | EventBody::Timer(_)
            | EventBody::Signal(_)
            | EventBody::ForwardFailed(_)
            | EventBody::Returned(_)
            | EventBody::HumanSpoke(_)
            | EventBody::Ended(_)
            | EventBody::CampaignUnsubscribe(_)
            | EventBody::DeliveryFailed(_) => {}
        }
        self.owe(!follows.actions.is_empty(), patience);
        self.ask_next(facts, &mut follows);
        follows
    }

    fn say(&mut self, text: &str, option: Option<String>, follows: &mut Follows) {
        if text.trim().is_empty() {
            let bot = &self.bot;
            let note = format!("an empty text is not said to the external bot `{bot}`");
            return follows.notes.push(note);
        }
        let kept = text.floor_char_boundary(SAID_BYTES_MAX);
        if kept < text.len() {
            let cut = text.len() - kept;
            follows.notes.push(format!(
                "the last {cut} bytes of a text are not said to the external bot `{}`: it is told \
                 {SAID_BYTES_MAX} bytes at once",
                self.bot
            ));
        }
        self.waiting.push(Said { text: text[..kept].to_owned(), option });
        self.shed(follows);
    }

    /// What has waited longest gives way. The bot finds it in `session.skipped` when it
    /// has the conversation again.
    fn shed(&mut self, follows: &mut Follows) {
        let mut bytes: usize = self.waiting.iter().map(json::bytes).sum();
        let gives_way = |said: &&Said| {
            let excess = bytes > WAITING_BYTES_MAX;
            bytes -= if excess { json::bytes(*said) } else { 0 };
            excess
        };
        let count = self.waiting.iter().take_while(gives_way).count();
        if count > 0 {
            self.waiting.drain(..count);
            follows.notes.push(format!(
                "the {count} oldest messages that wait for the external bot `{}` are not said to \
                 it: it has not answered for so long that more than {WAITING_BYTES_MAX} bytes wait",
                self.bot
            ));
        }
    }

    fn ask_next(&mut self, facts: &Facts, follows: &mut Follows) {
        if self.asked || self.over.is_some() {
            return;
        }
        let Some(stream) = self.stream.clone() else { return };
        let ask = if let Some(leaving) = &mut self.leaving {
            leaving.asked = true;
            Ask::Who(Person::of(facts))
        } else if self.waiting.is_empty() {
            return;
        } else {
            let Said { text, option } = self.waiting.remove(0);
            Ask::Say { stream, text, option }
        };
        self.asked = true;
        self.part = Some(PartId::of(&follows.turn, follows.actions.len(), 0));
        follows.actions.push(self.ask(&ask));
    }

    fn is_answered_by(&self, event: &EventId) -> bool {
        self.asked && self.part.as_ref().is_none_or(|part| response_id(part) == *event)
    }

    fn answered(&mut self, response: &Response, follows: &mut Follows) {
        (self.asked, self.part) = (false, None);
        // Whether it tells who the person is or not, it is over.
        if let Some(leaving) = self.leaving.take_if(|leaving| leaving.asked) {
            follows.contact = told(response).and_then(|heard| heard.contact);
            self.over = Some(leaving.over);
            return;
        }
        match &response.outcome {
            ResponseOutcome::Failed(why) => self.end(why.clone()),
            ResponseOutcome::Answered(_) => match told(response) {
                Some(heard) => self.heard(heard, follows),
                None => self.end("its answer is too large".to_owned()),
            },
        }
    }

    /// It speaks without being asked: whoever may do so knows the key.
    fn heard_alone(&mut self, json: &str, follows: &mut Follows) {
        let heard: Option<Heard> = serde_json::from_str(json).ok();
        match heard.filter(|heard| heard.stream.is_some() && heard.stream == self.stream) {
            Some(heard) => self.heard(heard, follows),
            None => follows.notes.push(format!(
                "somebody spoke for the external bot `{}` in another conversation of it: that was \
                 left out",
                self.bot
            )),
        }
    }

    fn heard(&mut self, heard: Heard, follows: &mut Follows) {
        self.stream = self.stream.take().or(heard.stream);
        follows.notes.extend(heard.notes);
        let mut bytes = 0;
        let fits = |text: &&Text| {
            bytes += json::bytes(*text);
            bytes <= TEXTS_BYTES_MAX
        };
        let fitting = heard.texts.iter().take(TEXTS_MAX).take_while(fits).count();
        let excess = heard.texts.len() - fitting;
        if excess > 0 {
            follows.notes.push(format!(
                "the last {excess} texts of an answer of the external bot `{}` are left out: \
                 {TEXTS_MAX} texts and {TEXTS_BYTES_MAX} bytes are taken",
                self.bot
            ));
        }
        follows.actions.extend(heard.texts.into_iter().take(fitting).filter_map(spoken));
        match heard.over {
            Some(reason) => self.end(reason),
            None if self.stream.is_none() => self.end("it named no conversation".to_owned()),
            None => {}
        }
    }

    fn end(&mut self, reason: String) {
        let failed = self.stream.is_none();
        let over = Over { reason, failed };
        if failed {
            self.over.get_or_insert(over);
        } else {
            self.leaving.get_or_insert(Leaving { over, asked: false });
        }
    }

    fn ask(&self, ask: &Ask) -> Action {
        Action::Request(Request {
            name: RELAY.to_owned(),
            method: "POST".to_owned(),
            url: format!("{SCHEME}{}", self.bot),
            headers: Vec::new(),
            // Texts and names alone: they are always JSON.
            body: serde_json::to_string(ask).ok(),
            timeout_ms: None,
        })
    }
}

impl Person {
    fn of(facts: &Facts) -> Self {
        let contact = &facts.contact;
        Self {
            name: contact.name.clone(),
            email: contact.email.clone(),
            locale: facts.locale.clone(),
            medium: facts.medium.clone(),
        }
    }
}

/// What an answer says, if it is one.
fn told(response: &Response) -> Option<Heard> {
    let ResponseOutcome::Answered(answer) = &response.outcome else { return None };
    serde_json::from_str(&answer.body).ok()
}

/// Whether an event is about an external bot, or comes from one: then it may hold the key of
/// the conversation there.
pub fn is_relays(body: &EventBody) -> bool {
    let answers = matches!(body, EventBody::Response(response) if response.name == RELAY);
    answers || matches!(body, EventBody::Other(payload) if payload.name == RELAY)
}

/// Whether an action asks an external bot something: no bot of ours can name one so.
pub(crate) fn is_ask(action: &Action) -> bool {
    matches!(action, Action::Request(request) if request.name == RELAY)
}

/// A line for the log about what comes from an external bot too late to be told, if it
/// said anything.
pub(crate) fn unheard(body: &EventBody) -> Option<String> {
    let json = match body {
        EventBody::Response(Response { outcome: ResponseOutcome::Answered(answer), .. }) => {
            &answer.body
        }
        EventBody::Other(payload) => &payload.json,
        EventBody::Response(_)
        | EventBody::Start(_)
        | EventBody::Message(_)
        | EventBody::Click(_)
        | EventBody::Media(_)
        | EventBody::Location(_)
        | EventBody::Timer(_)
        | EventBody::Signal(_)
        | EventBody::ForwardFailed(_)
        | EventBody::Returned(_)
        | EventBody::HumanSpoke(_)
        | EventBody::Ended(_)
        | EventBody::CampaignUnsubscribe(_)
        | EventBody::DeliveryFailed(_) => return None,
    };
    let heard: Result<Heard, _> = serde_json::from_str(json);
    // What cannot be read may have been a text.
    let count = heard.map_or(1, |heard| heard.texts.len());
    let line = || {
        format!(
            "{count} texts of an external bot came when it did not have the conversation any \
             more: they are left out"
        )
    };
    (count > 0).then(line)
}

/// What the person is told of a text; nothing of an empty one.
fn spoken(text: Text) -> Option<Action> {
    let Text { text, options } = text;
    let format = TextFormat::Plain;
    if options.is_empty() {
        let said = !text.trim().is_empty();
        return said.then_some(Action::Message(Message { text, format }));
    }
    let text = if text.trim().is_empty() { "…".to_owned() } else { text };
    let options =
        options.into_iter().map(|(id, label)| Choice { id, label, short_label: None }).collect();
    Some(Action::Bubbles(Bubbles { text, format, options, fallback: None }))
}
