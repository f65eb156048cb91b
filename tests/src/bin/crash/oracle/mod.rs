//! What must hold when everything has come to rest: the host's own log against
//! what persons, the vendors and the shop saw.

mod asked;
mod delivery;
mod events;
mod relayed;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::external::{Asked, Chat};
use crate::record::{Life, Talk};
use crate::story::Story;
use crate::vendors::Vendor;

/// A promise that was broken.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) conversation: String,
    /// Where it was, if it was on one.
    pub(crate) channel: Option<&'static str>,
    pub(crate) rule: Rule,
    pub(crate) text: String,
}

/// The promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    Lost,
    Doubled,
    Order,
    Count,
    Outcome,
    PartIds,
    Undelivered,
    Repeated,
    DeliveryOrder,
    Timers,
    Requests,
    Refused,
    Unknown,
    Claims,
    Relayed,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in {}: {}", self.rule, self.conversation, self.text)
    }
}

/// Everything that is known about a run.
pub(crate) struct Evidence<'a> {
    pub(crate) lives: &'a [Life],
    /// The idempotency keys under which the shop was asked for an order.
    pub(crate) lookups: &'a BTreeMap<String, BTreeSet<String>>,
    /// What external bots were told and have said.
    pub(crate) chats: &'a [Chat],
    /// What hosts have asked them.
    pub(crate) asked: &'a [Asked],
}

/// Checks one conversation.
pub(crate) fn check(
    talk: &Talk,
    story: &Story,
    evidence: &Evidence<'_>,
    vendor: &dyn Vendor,
) -> Vec<Violation> {
    let conversation = format!("{}/{}", talk.channel.name, talk.key);
    let mut case = Case { talk, story, evidence, conversation, found: Vec::new() };
    case.events();
    case.what_was_said_became_parts();
    case.deliveries();
    case.external_bots_and_persons_heard_each_other();
    case.external_bots_were_asked_once();
    for (rule, text) in vendor.laws(talk, story) {
        case.violation(rule, text);
    }
    case.found
}

/// Whatever asks a web service for something, asks again under the same key.
pub(crate) fn one_key_an_order(evidence: &Evidence<'_>) -> Vec<Violation> {
    let several = evidence.lookups.iter().filter(|(_, keys)| keys.len() != 1);
    several
        .map(|(order, keys)| Violation {
            conversation: "the shop".to_owned(),
            channel: None,
            rule: Rule::Requests,
            text: format!("order {order} was asked for under the keys {keys:?}, not under one"),
        })
        .collect()
}

/// Nothing reaches a conversation that nobody has.
pub(crate) fn nobodys(keys: &BTreeSet<String>) -> Vec<Violation> {
    let violation = |key: &String| Violation {
        conversation: key.clone(),
        channel: None,
        rule: Rule::Unknown,
        text: "a call was made for it, and nobody has this conversation".to_owned(),
    };
    keys.iter().map(violation).collect()
}

/// A conversation under examination.
struct Case<'a> {
    talk: &'a Talk,
    story: &'a Story,
    evidence: &'a Evidence<'a>,
    conversation: String,
    found: Vec<Violation>,
}

impl Case<'_> {
    fn violation(&mut self, rule: Rule, text: String) {
        let conversation = self.conversation.clone();
        let channel = Some(self.talk.channel.name);
        self.found.push(Violation { conversation, channel, rule, text });
    }
}
