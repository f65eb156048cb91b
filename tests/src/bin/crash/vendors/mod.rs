//! The vendors on whose channels persons write: for each its strict twin, and what is
//! its own in the eyes of persons and of the oracle.

mod facebook;
mod instabot;
mod khoros;
mod lexer;
mod messenger;
mod myalice;
mod userlike;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use botyard_tests::peers::userlike::{Fault, Faults};
use botyard_twins::account::{Account, Outgoing, Vendor as Own};
use botyard_twins::record::Call;
use serde_json::{Value, json};

use crate::external::DONE;
use crate::oracle::Rule;
use crate::record::{Shown, Talk, Way};
use crate::story::Story;

pub(crate) const SIGNAL_TOKEN: &str = "crash-signal-token";
/// What a person is told when the bot breaks down.
pub(crate) const FAILURE_TEXT: &str = "Something went wrong.";
/// What a log calls an event that the bot has no name for.
pub(crate) const NAMELESS: &str = "something else";

/// What is said again and again, so that one saying is like the other.
pub(crate) const COMMON: [&str; 2] = [FAILURE_TEXT, DONE];

/// After an answer the host waits so long before it calls.
const AFTER_ANSWER_MS: u64 = 250;
/// Of the calls that one conversation may meet as "too many", one in so many is where
/// the vendor means all conversations together by it: they all wait for a second then,
/// and most hosts live shorter.
const LIMITED_SELDOM: f64 = 40.0;

/// A vendor's side.
pub(crate) trait Vendor: Send + Sync + fmt::Debug {
    /// Its channels.
    fn channels(&self) -> &'static [Channel];

    /// The settings of a channel for the host process `life`, whose calls are told from
    /// those of others by their address.
    fn settings(&self, channel: &Channel, life: usize) -> Value;

    /// A new person, by the vendor's own id. No two have the same number.
    fn person(&self, number: u64) -> String;

    /// The webhooks with which a conversation begins, each with the name by which its
    /// event is known: that of the person's first word is `name`.
    fn begin(&self, person: &str, name: &str) -> Vec<(String, Outgoing)> {
        vec![(name.to_owned(), self.say(&[Said { person, text: name }]))]
    }

    /// What the host calls the conversation of a person who has begun one.
    fn key(&self, person: &str) -> String;

    /// A webhook in which persons say something, in this order: several only where the
    /// channel has [`Channel::batches`].
    fn say(&self, said: &[Said<'_>]) -> Outgoing;

    /// Takes a whole answer, and tells what it shows: nothing, where only calls reach persons.
    ///
    /// # Errors
    ///
    /// The vendor can make nothing of it.
    fn answered(&self, _webhook: &Outgoing, _body: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }

    /// What calls have brought so far.
    fn calls(&self) -> Vec<Brought>;

    /// Calls so far for a channel as a whole: a token, a look at its health.
    fn chores(&self) -> usize {
        0
    }

    /// What must hold of a conversation besides what must hold everywhere.
    fn laws(&self, talk: &Talk, story: &Story) -> Vec<(Rule, String)> {
        let _ = (talk, story);
        Vec::new()
    }
}

/// A channel, and how it differs from others.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) name: &'static str,
    /// What the host takes for the same event although its answer was whole.
    pub(crate) again: Again,
    /// A webhook may hold several events, of several persons.
    pub(crate) batches: bool,
    /// How something reaches a person who has asked for nothing.
    pub(crate) late: Late,
    /// A call of which nobody knows whether it was taken is held.
    pub(crate) holds: bool,
    /// A conversation ends with a hand-off, after which nothing comes back.
    pub(crate) hands_over: bool,
    /// A person is told when the bot breaks down.
    pub(crate) tells_failures: bool,
    /// Bots hand conversations over to an external bot now and then.
    pub(crate) relays: bool,
}

/// What is sent again to be recognized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The start of the conversation.
    Start,
    /// Whatever was said last: it has an id.
    LastWord,
    /// Nothing has an id: the same words after a whole answer are said twice.
    Nothing,
}

/// How something comes late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Late {
    /// The host calls.
    Call,
    /// It rides in the answer of whatever the person asks next.
    NextAnswer,
}

/// Something that a person says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) person: &'a str,
    pub(crate) text: &'a str,
}

/// Something that a call has brought to a person.
#[derive(Debug)]
pub(crate) struct Brought {
    /// What the host calls the conversation.
    pub(crate) key: String,
    pub(crate) shown: Shown,
}

/// How the vendors behave.
#[derive(Clone, Debug)]
pub(crate) struct Conduct {
    /// The minute in which Userlike lets 20 calls of a conversation through.
    pub(crate) window: Duration,
    /// What goes wrong where a conversation that is told "too many" holds up no other.
    pub(crate) faults: Faults,
}

/// Starts the twins.
pub(crate) fn start(conduct: &Conduct) -> Result<Vec<Arc<dyn Vendor>>> {
    Ok(vec![
        Arc::new(userlike::Userlike::start(conduct)?),
        Arc::new(khoros::Khoros::start(conduct)?),
        Arc::new(messenger::Messenger::start(conduct)?),
        Arc::new(lexer::Lexer::start(conduct)?),
        Arc::new(myalice::MyAlice::start(conduct)?),
        Arc::new(instabot::Instabot::start()?),
    ])
}

impl Conduct {
    /// Faults of a vendor that means all conversations together by "too many".
    pub(crate) fn for_a_token(&self) -> botyard_twins::account::Conduct {
        let limited = |fault| self.faults.rate(fault) / LIMITED_SELDOM;
        let faults = self
            .faults
            .clone()
            .with(Fault::Limited, limited(Fault::Limited))
            .with(Fault::LimitedFor, limited(Fault::LimitedFor));
        botyard_twins::account::Conduct { faults, ..Default::default() }
    }
}

/// The settings of a channel: those that all have, and its own.
fn channel(vendor: &str, own: Value) -> Value {
    let mut settings = json!({
        "vendor": vendor,
        "bot": "tally",
        "signal-token": SIGNAL_TOKEN,
        "failure-texts": { "": FAILURE_TEXT },
    });
    if let (Value::Object(settings), Value::Object(own)) = (&mut settings, own) {
        settings.extend(own);
    }
    settings
}

/// Where a twin is for the host process `life`.
pub(crate) fn caller(url: &str, life: usize) -> String {
    format!("{url}/caller-{life}")
}

/// What calls have brought; `read` tells of a call whose it is and what it shows.
fn brought<V: Own>(
    account: &Account<V>,
    read: impl Fn(&Call) -> Option<(String, String)>,
) -> Vec<Brought> {
    let calls = account.calls();
    let acted = calls.iter().filter(|call| call.acted);
    let told = acted.filter_map(|call| {
        let (key, what) = read(call)?;
        let life = call.caller.as_deref().and_then(|caller| caller.parse().ok());
        Some(Brought { key, shown: shown_by_call(call.at, life, 0, what) })
    });
    told.collect()
}

fn shown_by_call(at: Duration, life: Option<usize>, place: usize, what: String) -> Shown {
    let at_us = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
    Shown { at_us, place, life: life.unwrap_or_default(), way: Way::Call, what }
}
