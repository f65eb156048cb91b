//! An external bot to which bots hand conversations over: the strict twin of Instabot. It
//! says what it has heard; its live agents speak where they were told to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use botyard_twins::account::{Outgoing, Twin};
use botyard_twins::instabot::{Bot, LEFT, Node, start_bot};
use botyard_twins::record::Call;
use serde_json::{Value, json};

use crate::vendors::{Conduct, caller};

/// What the tenant calls it.
pub(crate) const NAME: &str = "external";
/// With this, behind other words, a person says that they are done with it. To the bot it
/// is a pause, as the external bot may have done before.
pub(crate) const BYE: &str = "; pause 1";
/// And with this it says so itself, each time.
pub(crate) const DONE: &str = "That is all.";
/// Where it is told that hosts are, wherever they are.
pub(crate) const HERE: &str = "https://crash.example";

const API_KEY: &str = "crash-external-key";
const BOT: u64 = 474_960_033;

/// The twin.
#[derive(Debug)]
pub(crate) struct External {
    twin: Twin<Bot>,
}

/// A chat as the external bot knows it.
#[derive(Debug, Default)]
pub(crate) struct Chat {
    /// What it was told, in order.
    pub(crate) words: Vec<Word>,
    /// What its live agents have said, in order; nothing where they have left.
    pub(crate) agents: Vec<Option<String>>,
}

/// Something that the external bot was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    /// Which host process asked.
    pub(crate) life: usize,
    /// The address of the person; empty where only the chat is named.
    pub(crate) person: String,
}

/// What an external bot can be asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// To take a conversation.
    Start,
    /// To answer this.
    Say(String),
    /// Who a person is.
    Who,
}

/// Something that the external bot was told.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    /// A live agent had the chat, so that nothing was answered.
    pub(crate) is_live: bool,
}

impl External {
    pub(crate) fn start(conduct: &Conduct) -> Result<Self> {
        let flow = vec![Node::Echo { bye: BYE.to_owned(), done: DONE.to_owned() }];
        Ok(Self { twin: start_bot(API_KEY, BOT, flow, conduct.for_a_token())? })
    }

    /// Its settings for the host process `life`.
    pub(crate) fn settings(&self, life: usize) -> Value {
        json!({
            "vendor": "instabot",
            "base-url": caller(&self.twin.url(), life),
            "api-key": API_KEY,
            "bot-id": BOT,
            "dialect": { "end-texts": [DONE] },
        })
    }

    /// The chat in which one of these was said.
    pub(crate) fn chat_with(&self, names: &BTreeSet<String>) -> Option<String> {
        let calls = self.twin.account().calls();
        let said = calls.iter().rev().filter(|call| call.acted);
        let mut streams = said.filter_map(|call| {
            let text = call.body["message"]["text"].as_str()?;
            names.contains(name_of(text)).then(|| call.body["streamId"].as_str())?
        });
        streams.next().map(str::to_owned)
    }

    /// What a live agent posts into a chat, who leaves where they say nothing; and the
    /// path to which.
    pub(crate) fn agent(&self, stream: &str, text: Option<&str>) -> Result<(String, Outgoing)> {
        let account = self.twin.account();
        let callback = account.callback(stream).context("the chat has no callback")?;
        let path = callback.strip_prefix(HERE).context("the callback is not here")?.to_owned();
        let post = account.ask_agent(stream, text.unwrap_or(LEFT));
        Ok((path, post.context("nobody knows the chat")?))
    }

    /// Whatever hosts have asked, and it has answered.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        let account = self.twin.account();
        let calls = account.calls();
        let acted = calls.iter().filter(|call| call.acted);
        let asked = acted.filter_map(|call| {
            let question = if call.path == "/secure/user" {
                Question::Who
            } else if call.body["streamId"].is_string() {
                Question::Say(text_of(call))
            } else {
                Question::Start
            };
            let life = call.caller.as_deref()?.parse().ok()?;
            let person = call.body["email"].as_str().unwrap_or_default().to_owned();
            Some(Asked { question, life, person })
        });
        asked.collect()
    }

    /// All chats, also those in which nothing was said.
    pub(crate) fn chats(&self) -> Vec<Chat> {
        let account = self.twin.account();
        let calls = account.calls();
        let chat = |stream: String| {
            let agents = account.agents(&stream);
            let own = calls.iter().filter(|it| it.acted && it.body["streamId"] == *stream);
            let word =
                |call: &Arc<Call>| Word { text: text_of(call), is_live: is_live(&agents, call.at) };
            let words = own.map(word).collect();
            let said = |(_, text): &(Duration, String)| Some(text.clone()).filter(|it| it != LEFT);
            Chat { words, agents: agents.iter().map(said).collect() }
        };
        account.streams().into_iter().map(chat).collect()
    }
}

fn text_of(call: &Call) -> String {
    call.body["message"]["text"].as_str().unwrap_or_default().to_owned()
}

/// Whether a live agent has a chat at this time.
fn is_live(agents: &[(Duration, String)], at: Duration) -> bool {
    agents.iter().rev().find(|(said, _)| *said <= at).is_some_and(|(_, text)| text != LEFT)
}

/// The name of a message, which stands before what it asks for.
pub(crate) fn name_of(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

/// By what the event is known that a live agent has left a chat.
pub(crate) fn left(stream: &str) -> String {
    format!("left {stream}")
}
