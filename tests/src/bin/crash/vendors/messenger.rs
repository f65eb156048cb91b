//! Messenger by itself, on a page with handover roles: a hand-off passes the thread to the
//! page's inbox, and whoever speaks without it is refused.

use anyhow::Result;
use botyard_twins::account::Outgoing;
use serde_json::Value;

use super::facebook::Facebook;
use super::{Again, Brought, Channel, Conduct, Late, Said, Vendor, channel};
use crate::oracle::Rule;
use crate::record::Talk;
use crate::story::{How, Story};

/// Not the page on which Lexer rides.
const PAGE: &str = "410088123456790";

const CHANNELS: &[Channel] = &[Channel {
    name: "messenger",
    // Messenger sends again what it has sent, with the same `mid`.
    again: Again::LastWord,
    // "Batches" of events of a page, whoever wrote them.
    batches: true,
    late: Late::Call,
    holds: false,
    hands_over: true,
    tells_failures: true,
    relays: false,
}];

/// The twin.
#[derive(Debug)]
pub(super) struct Messenger {
    facebook: Facebook,
}

impl Messenger {
    pub(super) fn start(conduct: &Conduct) -> Result<Self> {
        Ok(Self { facebook: Facebook::start(PAGE, conduct)? })
    }
}

impl Vendor for Messenger {
    fn channels(&self) -> &'static [Channel] {
        CHANNELS
    }

    fn settings(&self, _own: &Channel, life: usize) -> Value {
        channel("messenger", self.facebook.settings(life))
    }

    fn person(&self, number: u64) -> String {
        format!("2420{number:012}")
    }

    fn key(&self, person: &str) -> String {
        self.facebook.key(person)
    }

    fn say(&self, said: &[Said<'_>]) -> Outgoing {
        self.facebook.say(said)
    }

    fn calls(&self) -> Vec<Brought> {
        self.facebook.calls()
    }

    /// The inbox has the thread after a hand-off, and nobody before.
    fn laws(&self, talk: &Talk, story: &Story) -> Vec<(Rule, String)> {
        let passes = |outcome: &How| matches!(outcome, How::Ran { hands_over: true, .. });
        let passed = story.turns.iter().any(|turn| passes(&turn.outcome));
        let has_it = self.facebook.is_with_app(&talk.person);
        let wrong = || match passed {
            true => "the bot handed over, and the thread was not passed on".to_owned(),
            false => "the thread was passed on, and the bot handed nothing over".to_owned(),
        };
        (has_it == passed).then(|| (Rule::Claims, wrong())).into_iter().collect()
    }
}
