//! External bots that bots hand conversations over to, by Instabot's Chat API: the host's
//! end is the real one, and the other end is played here by rules of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::id::PartId;
use botyard_kernel::outbox::Requested;
use botyard_kernel::relay::Ask;
use botyard_kernel::time::SECOND;
use botyard_vendors::external::{Asked, ExternalBot, connect_external};
use botyard_vendors::{Call, CallAnswer};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use crate::calls::answered;
use crate::runs::words_of;

/// What tenants call their external bot, and what stands for it where vendors are named.
pub(crate) const NAME: &str = "external";

const BASE: &str = "https://external.example/v1";
const KEY: &str = "an-external-key";
const BOT: u64 = 474_960_032;
/// The number of the first chat.
const FIRST_CHAT: usize = 478_158_890;
/// With this the bot says that it is done.
pub(crate) const DONE: &str = "That is all.";
/// With this its vendor says that a live agent has left.
const LEFT: &str = "Agent has ended this live session";
/// With this it says that a chat is over.
const GONE: u16 = 410;
/// With this it says that it does not understand.
const REFUSED: u16 = 400;
/// Where callbacks go.
const HERE: &str = "https://host.example/relays";

/// What stands before a broken promise that concerns external bots.
const MARK: &str = "external bots: ";

/// The external bot of all tenants.
pub(crate) struct External {
    /// The host's end.
    pub(crate) bot: Arc<dyn ExternalBot>,
    pub(crate) chats: Vec<Chat>,
    /// What became of what it was asked.
    pub(crate) questions: BTreeMap<PartId, Fate>,
    texts: usize,
}

/// A chat as the external bot knows it.
pub(crate) struct Chat {
    pub(crate) conversation: usize,
    /// Where its live agents may speak.
    callback: Option<String>,
    /// What it was told, each by what it was told with.
    pub(crate) heard: Vec<(PartId, String)>,
}

/// What the external bot said at once.
#[derive(Clone)]
pub(crate) struct Spoken {
    /// By what the chat is known.
    pub(crate) stream: String,
    pub(crate) texts: Vec<String>,
}

/// A call to the external bot that has left.
pub(crate) struct Question {
    /// What asks.
    pub(crate) part: PartId,
    pub(crate) ask: Ask,
    pub(crate) request: Call,
}

/// What became of a question, as the hosts that asked were told.
#[derive(Default)]
pub(crate) struct Fate {
    /// What it said, each time.
    pub(crate) said: Vec<Spoken>,
    /// It said that the chat is over.
    pub(crate) is_gone: bool,
    /// It said that it does not understand.
    pub(crate) is_refused: bool,
    /// How often nobody could know what came of it.
    pub(crate) unanswered: u32,
    /// The host that is alive knows what came of it, and need not ask again.
    is_certain: bool,
}

/// What the external bot does with a question.
pub(crate) struct Reply {
    pub(crate) body: Value,
    pub(crate) said: Option<Spoken>,
}

impl External {
    /// Settings as a server makes them.
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let settings = json!({
            "base-url": BASE,
            "api-key": KEY,
            "bot-id": BOT,
            "dialect": {
                "end-texts": [DONE],
                "gone-statuses": [GONE],
                "ask-user": chance.percent(70),
            },
        });
        let bot = connect_external("instabot", settings).expect("these settings are right");
        Self { bot, chats: Vec::new(), questions: BTreeMap::new(), texts: 0 }
    }

    /// Where it may speak by itself in a conversation.
    pub(crate) fn callback(conversation: usize) -> String {
        format!("{HERE}/{conversation}")
    }

    /// Whom a question is about.
    pub(crate) fn asked<'a>(guest: &'a str, callback: Option<&'a str>) -> Asked<'a> {
        Asked { guest, callback_url: callback }
    }

    /// A question comes from the host that is alive.
    ///
    /// # Panics
    /// When that knows already what came of it.
    pub(crate) fn comes(&self, part: &PartId) {
        let certain = self.questions.get(part).is_some_and(|fate| fate.is_certain);
        assert!(!certain, "{part} was asked again although it was answered");
    }

    /// The host that is alive is told this, and with it what was `said`, if anything.
    pub(crate) fn note(&mut self, question: &Question, answer: &CallAnswer, said: Option<Spoken>) {
        let fate = self.questions.entry(question.part.clone()).or_default();
        let status = match answer {
            CallAnswer::Answered { status, .. } => Some(status.as_u16()),
            CallAnswer::NotSent(_) | CallAnswer::Lost(_) => None,
        };
        match status {
            Some(200) => fate.said.extend(said),
            Some(GONE) => fate.is_gone = true,
            Some(REFUSED) => fate.is_refused = true,
            Some(_) | None => fate.unanswered += 1,
        }
        fate.is_certain = question.is_who() || matches!(status, Some(200 | GONE | REFUSED));
    }

    /// The host died: the next one knows only of what `ended` in its store.
    pub(crate) fn doubt(&mut self, ended: &BTreeSet<PartId>) {
        for (part, fate) in &mut self.questions {
            fate.is_certain &= ended.contains(part);
        }
    }

    /// Takes a question, which must be as the vendor's page has it, and answers it.
    ///
    /// # Panics
    /// When it is not.
    pub(crate) fn hear(
        &mut self,
        conversation: usize,
        question: &Question,
        calm: bool,
        chance: &mut Chance,
    ) -> Reply {
        let Question { part, request, .. } = question;
        assert_eq!(request.method, Method::POST);
        let path = request.url.strip_prefix(BASE).expect("calls go to the account's address");
        let body: Value = serde_json::from_slice(&request.body).expect("the Chat API takes JSON");
        assert_eq!(question.is_who(), path == "/secure/user", "{path} was asked for {part}");
        if question.is_who() {
            judge_person(&body);
            let body = json!({ "objectId": 1, "username": body["email"], "customProperties": {} });
            return Reply { body, said: None };
        }
        assert_eq!(path, "/secure/send");
        let chat = match body["streamId"].as_str() {
            Some(stream) => self.respond(conversation, part, stream, &body),
            None => self.begin(conversation, &body),
        };
        let said = Spoken { stream: stream_of(chat), texts: self.speak(calm, chance) };
        let messages: Vec<_> = said.texts.iter().map(|text| json!({ "text": text })).collect();
        let body = json!({ "messages": messages, "streamId": said.stream });
        Reply { body, said: Some(said) }
    }

    fn begin(&mut self, conversation: usize, body: &Value) -> usize {
        judge_person(body);
        assert_eq!((&body["start"], &body["botId"]), (&json!(true), &json!(BOT)));
        assert!(body["metadata"].is_object(), "metadata is an object");
        let callback = body["callbackUrl"].as_str().map(str::to_owned);
        let own = callback.as_ref().is_none_or(|it| *it == Self::callback(conversation));
        assert!(own, "{callback:?} is the address of another conversation");
        self.chats.push(Chat { conversation, callback, heard: Vec::new() });
        self.chats.len() - 1
    }

    fn respond(&mut self, conversation: usize, part: &PartId, stream: &str, body: &Value) -> usize {
        let chat = chat_of(stream).filter(|chat| *chat < self.chats.len());
        let number = chat.unwrap_or_else(|| panic!("{part} went to {stream}, which is no chat"));
        let chat = &mut self.chats[number];
        assert_eq!(chat.conversation, conversation, "{part} went to the chat of somebody else");
        let text = body["message"]["text"].as_str().expect("a message has a text");
        chat.heard.push((part.clone(), text.to_owned()));
        number
    }

    /// What it says next; sometimes more than one message holds, or that it is done, but
    /// not where all is `calm`.
    fn speak(&mut self, calm: bool, chance: &mut Chance) -> Vec<String> {
        let mut texts: Vec<String> = (0..chance.below(4)).map(|_| self.text()).collect();
        if chance.percent(5) {
            let long = format!("{} goes on and on. ", self.text());
            texts.push(long.repeat(600));
        }
        if !calm && chance.percent(12) {
            texts.push(DONE.to_owned());
        }
        texts
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("external text {}", self.texts)
    }

    /// The chats about a conversation, each with what it is known by.
    pub(crate) fn chats_of(&self, conversation: usize) -> impl Iterator<Item = (String, &Chat)> {
        let chats = self.chats.iter().enumerate();
        let own = chats.filter(move |(_, chat)| chat.conversation == conversation);
        own.map(|(at, chat)| (stream_of(at), chat))
    }

    /// What is posted where a live agent writes into a chat of this conversation, or leaves
    /// it: mostly the last one, and that one alone where all is `calm`.
    pub(crate) fn post(
        &mut self,
        conversation: usize,
        leaves: bool,
        calm: bool,
        chance: &mut Chance,
    ) -> Option<Bytes> {
        let own = |(_, chat): &(usize, &Chat)| {
            chat.conversation == conversation && chat.callback.is_some()
        };
        let chats: Vec<_> = self.chats.iter().enumerate().filter(own).map(|(at, _)| at).collect();
        let last = *chats.last()?;
        let chat = if !calm && chance.percent(10) { chats[chance.pick(chats.len())] } else { last };
        let text = if leaves { LEFT.to_owned() } else { self.text() };
        Some(json!({ "streamId": stream_of(chat), "text": text }).to_string().into())
    }
}

impl Question {
    /// Whether it is about the person and not in a chat.
    fn is_who(&self) -> bool {
        matches!(self.ask, Ask::Who(_))
    }
}

/// Looks whether a promise that concerns external bots is kept, so that whoever reads that
/// it is broken knows that from others.
pub(crate) fn rule<T>(kept: impl FnOnce() -> T) -> T {
    panic::catch_unwind(AssertUnwindSafe(kept)).unwrap_or_else(|why| {
        panic::resume_unwind(Box::new(format!("{MARK}{}", words_of(&*why))));
    })
}

/// Whether a promise that was broken concerns external bots.
pub(crate) fn is_of_external(why: &str) -> bool {
    why.starts_with(MARK)
}

/// The person and the account that a call names.
fn judge_person(body: &Value) {
    assert_eq!(body["apiKey"], KEY, "the call shows no key");
    let email = body["email"].as_str().unwrap_or_default();
    assert!(email.contains('@'), "{email:?} is no address");
}

fn stream_of(chat: usize) -> String {
    (FIRST_CHAT + chat).to_string()
}

fn chat_of(stream: &str) -> Option<usize> {
    stream.parse::<usize>().ok()?.checked_sub(FIRST_CHAT)
}

/// What a live agent has posted: the chat, and the text, unless it says that they have left.
pub(crate) fn posted(body: &[u8]) -> (String, Option<String>) {
    let body: Value = serde_json::from_slice(body).expect("it was written here");
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    (text("streamId"), Some(text("text")).filter(|text| text != LEFT))
}

/// How a question may be answered by whom it does not reach, or who does not act on it.
pub(crate) fn trouble(chance: &mut Chance) -> (CallAnswer, bool) {
    let acted = chance.percent(50);
    let status = |status| answered((status, String::new()), None);
    match chance.below(100) {
        0..=24 => (status(429), false),
        25..=49 => (status(500), acted),
        50..=74 => (CallAnswer::Lost("the connection broke".to_owned()), acted),
        75..=89 => (CallAnswer::NotSent("nobody is there".to_owned()), false),
        90..=95 => (status(GONE), false),
        96..=97 => (status(401), false),
        _ => (status(REFUSED), false),
    }
}

/// The service is left alone for a while.
pub(crate) fn held(now: u64, chance: &mut Chance) -> Requested {
    Requested::Held { until_ms: now + chance.below(20 * SECOND) }
}
