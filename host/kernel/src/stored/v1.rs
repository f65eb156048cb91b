//! Form 1 of stored entries.
//!
//! Fields are borrowed when an entry is written and owned when it is read.
//! A field may be added where its absence has a meaning; nothing else may
//! change, and the golden file beside this one says so.

mod read;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::choices::Menu;
use crate::event::Event;
use crate::id::{BotId, Digest, EventId, PartId, SessionId, TurnId};
use crate::log::{HandOff, Route, Taken};
use crate::owner::Owner;
use crate::relay::Relay;
use crate::run::{KvWrite, LogLine, RunFailure};
use crate::session::{Facts, Seed};
use crate::time::Millis;

/// The number of this form.
pub const VERSION: u32 = 1;

/// Form 1 of [`crate::log::Entry`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the cases are those of the entry")]
pub enum Entry<'a> {
    Accepted(Box<Arrival<'a>>),
    Called(Call<'a>),
    Turn(Box<Turn<'a>>),
    Settled(Settled<'a>),
}

/// Form 1 of [`crate::log::Arrival`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Arrival<'a> {
    event: Cow<'a, Event>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    facts: Option<Cow<'a, Facts>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Digest>,
    #[serde(default, skip_serializing_if = "is_default")]
    quiet: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledge: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    desk_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    route: Option<Route>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
    #[serde(default, skip_serializing_if = "is_default")]
    aside: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    by_host: bool,
    seed: Seed,
}

/// Form 1 of [`crate::log::Call`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Call<'a> {
    event: Cow<'a, EventId>,
    #[serde(default, skip_serializing_if = "is_default")]
    start: bool,
    index: u32,
    request: Digest,
    answer: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<Digest>,
    #[serde(default, skip_serializing_if = "no_reads")]
    reads: Cow<'a, BTreeMap<String, Option<String>>>,
}

/// Form 1 of [`crate::log::Turn`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Turn<'a> {
    id: Cow<'a, TurnId>,
    previous: u64,
    base: u64,
    watermark: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fused: Option<Arrival<'a>>,
    event: Cow<'a, EventId>,
    outcome: Outcome<'a>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    log: Cow<'a, [LogLine]>,
    bot: Cow<'a, BotId>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    writes: Cow<'a, [KvWrite]>,
    state: State<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    human_ms: Option<Millis>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome<'a> {
    Ran { version: Digest, actions: Cow<'a, [Action]>, cpu_us: u64 },
    Failed { version: Digest, failure: Cow<'a, RunFailure> },
    Skipped(SkipReason),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SkipReason {
    Duplicate,
    NotOwner,
    NoSession,
    HostHandOff,
    Superseded,
    SessionTimeout,
    NextPage,
    Relayed,
}

/// Form 1 of [`crate::log::Settled`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Settled<'a> {
    at_ms: Millis,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<(Cow<'a, PartId>, RowEnd<'a>)>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    answered: Cow<'a, [EventId]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    called_ms: Cow<'a, [Millis]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mirrored: Option<Digest>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    acknowledged: Cow<'a, [PartId]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claimed: Option<Cow<'a, [PartId]>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dead_letters: Vec<Row<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    revived: Vec<Row<'a>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    by_call: Cow<'a, [PartId]>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    follow_ups: Vec<Acknowledgement<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_until_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calls_from_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<Arrival<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    human_ms: Option<Millis>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RowEnd<'a> {
    Delivered,
    Dead(Cow<'a, str>),
    Quarantined,
}

#[derive(Debug, Serialize, Deserialize)]
struct State<'a> {
    turns: u64,
    owner: Owner,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<SessionState<'a>>,
    facts: Cow<'a, Facts>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    menus: Cow<'a, [Menu]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    desk_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_default")]
    route: Route,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    foreign_context: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    mirrored: Cow<'a, [Digest]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    keys: Cow<'a, [(String, Millis)]>,
    #[serde(default, skip_serializing_if = "is_empty_map")]
    kv: Cow<'a, BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    timers: Vec<Timer<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<Row<'a>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    claimed: Cow<'a, [PartId]>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    acknowledgements: Vec<Acknowledgement<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open_answers: Vec<OpenAnswer<'a>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    answered: Cow<'a, [EventId]>,
    #[serde(default, skip_serializing_if = "is_default")]
    answered_until_ms: Millis,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    skipped: Cow<'a, [Event]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    called_ms: Cow<'a, [Millis]>,
    #[serde(default, skip_serializing_if = "is_default")]
    closed_until_ms: Millis,
    #[serde(default, skip_serializing_if = "is_default")]
    calls_from_ms: Millis,
    #[serde(default, skip_serializing_if = "is_default")]
    host_hand_off: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    at_desk: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relay: Option<Cow<'a, Relay>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    human_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    returns_after_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hands_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "is_default")]
    own_email: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    typing: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct SessionState<'a> {
    id: Cow<'a, SessionId>,
    started_ms: Millis,
    active_ms: Millis,
    context: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context_by: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    times_out_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<Digest>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Timer<'a> {
    name: Cow<'a, str>,
    due_ms: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row<'a> {
    id: Cow<'a, PartId>,
    turn: Cow<'a, TurnId>,
    made_ms: Millis,
    action: Cow<'a, Action>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    by_call: Cow<'a, [Action]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_default")]
    quiet: bool,
    event: Cow<'a, EventId>,
    #[serde(default, skip_serializing_if = "is_default")]
    by_human: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hand_off: Option<HandOff>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Acknowledgement<'a> {
    id: Cow<'a, PartId>,
    made_ms: Millis,
    token: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asks_of: Option<Cow<'a, Taken>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OpenAnswer<'a> {
    request: Digest,
    received_ms: Millis,
    event: Cow<'a, EventId>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn no_reads(reads: &BTreeMap<String, Option<String>>) -> bool {
    reads.is_empty()
}

fn is_empty_map(map: &BTreeMap<String, String>) -> bool {
    map.is_empty()
}

#[cfg(test)]
mod tests;
