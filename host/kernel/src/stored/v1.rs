//! Form 1 of stored entries.
//!
//! Fields are borrowed when an entry is written and owned when it is read.
//! A field may be added where its absence has a meaning; nothing else may
//! change, and the golden file beside this one says so.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::event::Event;
use crate::id::{BotId, Digest, EventId, PartId, SessionId, TurnId};
use crate::log;
use crate::owner::Owner;
use crate::run::{KvWrite, LogLine, RunFailure};
use crate::session::{Facts, Seed};
use crate::time::Millis;

/// The number of this form.
pub const VERSION: u32 = 1;

/// Form 1 of [`log::Entry`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the cases are those of the entry")]
pub enum Entry<'a> {
    Accepted(Box<Arrival<'a>>),
    Called(Call<'a>),
    Turn(Box<Turn<'a>>),
    Settled(Settled<'a>),
}

/// Form 1 of [`log::Arrival`].
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
    seed: Seed,
}

/// Form 1 of [`log::Call`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Call<'a> {
    event: Cow<'a, EventId>,
    index: u32,
    request: Digest,
    answer: Cow<'a, str>,
}

/// Form 1 of [`log::Turn`].
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
}

/// Form 1 of [`log::Settled`].
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_until_ms: Option<Millis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    events: Vec<Arrival<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due_ms: Option<Millis>,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open_answers: Vec<OpenAnswer<'a>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    skipped: Cow<'a, [Event]>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    called_ms: Cow<'a, [Millis]>,
    #[serde(default, skip_serializing_if = "is_default")]
    closed_until_ms: Millis,
    #[serde(default, skip_serializing_if = "is_default")]
    host_hand_off: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct SessionState<'a> {
    id: Cow<'a, SessionId>,
    started_ms: Millis,
    active_ms: Millis,
    context: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context_by: Option<Digest>,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_default")]
    quiet: bool,
    event: Cow<'a, EventId>,
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

fn is_empty_map(map: &BTreeMap<String, String>) -> bool {
    map.is_empty()
}

// What is computed with, to what is written. A new field cannot be forgotten:
// the way back, below, does not compile without it.

impl<'a> From<&'a log::Entry> for Entry<'a> {
    fn from(entry: &'a log::Entry) -> Self {
        match entry {
            log::Entry::Accepted(arrival) => arrival.as_ref().into(),
            log::Entry::Called(call) => call.into(),
            log::Entry::Turn(turn) => turn.as_ref().into(),
            log::Entry::Settled(settled) => settled.into(),
        }
    }
}

impl<'a> From<&'a log::Arrival> for Entry<'a> {
    fn from(arrival: &'a log::Arrival) -> Self {
        Self::Accepted(Box::new(arrival.into()))
    }
}

impl<'a> From<&'a log::Call> for Entry<'a> {
    fn from(call: &'a log::Call) -> Self {
        let log::Call { event, index, request, answer } = call;
        Self::Called(Call {
            event: Cow::Borrowed(event),
            index: *index,
            request: *request,
            answer: answer.into(),
        })
    }
}

impl<'a> From<&'a log::Turn> for Entry<'a> {
    fn from(turn: &'a log::Turn) -> Self {
        Self::Turn(Box::new(turn.into()))
    }
}

impl<'a> From<&'a log::Settled> for Entry<'a> {
    fn from(settled: &'a log::Settled) -> Self {
        Self::Settled(settled.into())
    }
}

impl<'a> From<&'a log::Arrival> for Arrival<'a> {
    fn from(arrival: &'a log::Arrival) -> Self {
        let log::Arrival { event, facts, vendor_context, key, request, quiet, seed } = arrival;
        Self {
            event: Cow::Borrowed(event),
            facts: facts.as_ref().map(Cow::Borrowed),
            context: vendor_context.as_ref().map(Into::into),
            key: key.as_ref().map(Into::into),
            request: *request,
            quiet: *quiet,
            seed: *seed,
        }
    }
}

impl<'a> From<&'a log::Turn> for Turn<'a> {
    fn from(turn: &'a log::Turn) -> Self {
        let log::Turn { id, previous, base, watermark, fused, event, outcome, .. } = turn;
        let log::Turn { log, bot, bot_writes, state, due_ms, .. } = turn;
        Self {
            id: Cow::Borrowed(id),
            previous: *previous,
            base: *base,
            watermark: *watermark,
            fused: fused.as_deref().map(Into::into),
            event: Cow::Borrowed(event),
            outcome: outcome.into(),
            log: log.into(),
            bot: Cow::Borrowed(bot),
            writes: bot_writes.into(),
            state: state.into(),
            due_ms: *due_ms,
        }
    }
}

impl<'a> From<&'a log::Outcome> for Outcome<'a> {
    fn from(outcome: &'a log::Outcome) -> Self {
        match outcome {
            log::Outcome::Ran { version, actions, cpu_us } => {
                Self::Ran { version: *version, actions: actions.into(), cpu_us: *cpu_us }
            }
            log::Outcome::Failed { version, failure } => {
                Self::Failed { version: *version, failure: Cow::Borrowed(failure) }
            }
            log::Outcome::Skipped(reason) => Self::Skipped(match reason {
                log::SkipReason::Duplicate => SkipReason::Duplicate,
                log::SkipReason::NotOwner => SkipReason::NotOwner,
                log::SkipReason::NoSession => SkipReason::NoSession,
                log::SkipReason::HostHandOff => SkipReason::HostHandOff,
            }),
        }
    }
}

impl<'a> From<&'a log::Settled> for Settled<'a> {
    fn from(settled: &'a log::Settled) -> Self {
        let log::Settled { at_ms, rows, answered, called_ms, mirrored, .. } = settled;
        let log::Settled { closed_until_ms, owner, events, due_ms, .. } = settled;
        Self {
            at_ms: *at_ms,
            rows: rows.iter().map(|(id, end)| (Cow::Borrowed(id), end.into())).collect(),
            answered: answered.into(),
            called_ms: called_ms.into(),
            mirrored: *mirrored,
            closed_until_ms: *closed_until_ms,
            owner: *owner,
            events: events.iter().map(Into::into).collect(),
            due_ms: *due_ms,
        }
    }
}

impl<'a> From<&'a log::RowEnd> for RowEnd<'a> {
    fn from(end: &'a log::RowEnd) -> Self {
        match end {
            log::RowEnd::Delivered => Self::Delivered,
            log::RowEnd::Dead(why) => Self::Dead(why.into()),
            log::RowEnd::Quarantined => Self::Quarantined,
        }
    }
}

impl<'a> From<&'a log::Conversation> for State<'a> {
    fn from(state: &'a log::Conversation) -> Self {
        let log::Conversation { turns, owner, session, facts, foreign_context, mirrored, .. } =
            state;
        let log::Conversation { keys, kv, timers, rows, open_answers, skipped, .. } = state;
        let log::Conversation { called_ms, closed_until_ms, host_hand_off, .. } = state;
        Self {
            turns: *turns,
            owner: *owner,
            session: session.as_ref().map(Into::into),
            facts: Cow::Borrowed(facts),
            foreign_context: foreign_context.as_ref().map(Into::into),
            mirrored: mirrored.into(),
            keys: keys.into(),
            kv: Cow::Borrowed(kv),
            timers: timers.iter().map(Into::into).collect(),
            rows: rows.iter().map(Into::into).collect(),
            open_answers: open_answers.iter().map(Into::into).collect(),
            skipped: skipped.into(),
            called_ms: called_ms.into(),
            closed_until_ms: *closed_until_ms,
            host_hand_off: *host_hand_off,
        }
    }
}

impl<'a> From<&'a log::SessionState> for SessionState<'a> {
    fn from(session: &'a log::SessionState) -> Self {
        let log::SessionState { id, started_ms, active_ms, context, context_by } = session;
        Self {
            id: Cow::Borrowed(id),
            started_ms: *started_ms,
            active_ms: *active_ms,
            context: context.into(),
            context_by: *context_by,
        }
    }
}

impl<'a> From<&'a log::TimerState> for Timer<'a> {
    fn from(timer: &'a log::TimerState) -> Self {
        let log::TimerState { name, due_ms, payload } = timer;
        Self { name: name.into(), due_ms: *due_ms, payload: payload.as_ref().map(Into::into) }
    }
}

impl<'a> From<&'a log::Row> for Row<'a> {
    fn from(row: &'a log::Row) -> Self {
        let log::Row { id, turn, made_ms, action, context, quiet, event } = row;
        Self {
            id: Cow::Borrowed(id),
            turn: Cow::Borrowed(turn),
            made_ms: *made_ms,
            action: Cow::Borrowed(action),
            context: context.as_ref().map(Into::into),
            quiet: *quiet,
            event: Cow::Borrowed(event),
        }
    }
}

impl<'a> From<&'a log::OpenAnswer> for OpenAnswer<'a> {
    fn from(open: &'a log::OpenAnswer) -> Self {
        let log::OpenAnswer { request, received_ms, event } = open;
        Self { request: *request, received_ms: *received_ms, event: Cow::Borrowed(event) }
    }
}

// What is read, to what is computed with.

impl From<Entry<'_>> for log::Entry {
    fn from(entry: Entry<'_>) -> Self {
        match entry {
            Entry::Accepted(arrival) => Self::Accepted(Box::new((*arrival).into())),
            Entry::Called(call) => Self::Called(call.into()),
            Entry::Turn(turn) => Self::Turn(Box::new((*turn).into())),
            Entry::Settled(settled) => Self::Settled(settled.into()),
        }
    }
}

impl From<Arrival<'_>> for log::Arrival {
    fn from(arrival: Arrival<'_>) -> Self {
        Self {
            event: arrival.event.into_owned(),
            facts: arrival.facts.map(Cow::into_owned),
            vendor_context: arrival.context.map(Cow::into_owned),
            key: arrival.key.map(Cow::into_owned),
            request: arrival.request,
            quiet: arrival.quiet,
            seed: arrival.seed,
        }
    }
}

impl From<Call<'_>> for log::Call {
    fn from(call: Call<'_>) -> Self {
        Self {
            event: call.event.into_owned(),
            index: call.index,
            request: call.request,
            answer: call.answer.into_owned(),
        }
    }
}

impl From<Turn<'_>> for log::Turn {
    fn from(turn: Turn<'_>) -> Self {
        Self {
            id: turn.id.into_owned(),
            previous: turn.previous,
            base: turn.base,
            watermark: turn.watermark,
            fused: turn.fused.map(|arrival| Box::new(arrival.into())),
            event: turn.event.into_owned(),
            outcome: turn.outcome.into(),
            log: turn.log.into_owned(),
            bot: turn.bot.into_owned(),
            bot_writes: turn.writes.into_owned(),
            state: turn.state.into(),
            due_ms: turn.due_ms,
        }
    }
}

impl From<Outcome<'_>> for log::Outcome {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Ran { version, actions, cpu_us } => {
                Self::Ran { version, actions: actions.into_owned(), cpu_us }
            }
            Outcome::Failed { version, failure } => {
                Self::Failed { version, failure: failure.into_owned() }
            }
            Outcome::Skipped(reason) => Self::Skipped(match reason {
                SkipReason::Duplicate => log::SkipReason::Duplicate,
                SkipReason::NotOwner => log::SkipReason::NotOwner,
                SkipReason::NoSession => log::SkipReason::NoSession,
                SkipReason::HostHandOff => log::SkipReason::HostHandOff,
            }),
        }
    }
}

impl From<Settled<'_>> for log::Settled {
    fn from(settled: Settled<'_>) -> Self {
        let rows = settled.rows.into_iter().map(|(id, end)| (id.into_owned(), end.into()));
        Self {
            at_ms: settled.at_ms,
            rows: rows.collect(),
            answered: settled.answered.into_owned(),
            called_ms: settled.called_ms.into_owned(),
            mirrored: settled.mirrored,
            closed_until_ms: settled.closed_until_ms,
            owner: settled.owner,
            events: settled.events.into_iter().map(Into::into).collect(),
            due_ms: settled.due_ms,
        }
    }
}

impl From<RowEnd<'_>> for log::RowEnd {
    fn from(end: RowEnd<'_>) -> Self {
        match end {
            RowEnd::Delivered => Self::Delivered,
            RowEnd::Dead(why) => Self::Dead(why.into_owned()),
            RowEnd::Quarantined => Self::Quarantined,
        }
    }
}

impl From<State<'_>> for log::Conversation {
    fn from(state: State<'_>) -> Self {
        Self {
            turns: state.turns,
            owner: state.owner,
            session: state.session.map(Into::into),
            facts: state.facts.into_owned(),
            foreign_context: state.foreign_context.map(Cow::into_owned),
            mirrored: state.mirrored.into_owned(),
            keys: state.keys.into_owned(),
            kv: state.kv.into_owned(),
            timers: state.timers.into_iter().map(Into::into).collect(),
            rows: state.rows.into_iter().map(Into::into).collect(),
            open_answers: state.open_answers.into_iter().map(Into::into).collect(),
            skipped: state.skipped.into_owned(),
            called_ms: state.called_ms.into_owned(),
            closed_until_ms: state.closed_until_ms,
            host_hand_off: state.host_hand_off,
        }
    }
}

impl From<SessionState<'_>> for log::SessionState {
    fn from(session: SessionState<'_>) -> Self {
        Self {
            id: session.id.into_owned(),
            started_ms: session.started_ms,
            active_ms: session.active_ms,
            context: session.context.into_owned(),
            context_by: session.context_by,
        }
    }
}

impl From<Timer<'_>> for log::TimerState {
    fn from(timer: Timer<'_>) -> Self {
        Self {
            name: timer.name.into_owned(),
            due_ms: timer.due_ms,
            payload: timer.payload.map(Cow::into_owned),
        }
    }
}

impl From<Row<'_>> for log::Row {
    fn from(row: Row<'_>) -> Self {
        Self {
            id: row.id.into_owned(),
            turn: row.turn.into_owned(),
            made_ms: row.made_ms,
            action: row.action.into_owned(),
            context: row.context.map(Cow::into_owned),
            quiet: row.quiet,
            event: row.event.into_owned(),
        }
    }
}

impl From<OpenAnswer<'_>> for log::OpenAnswer {
    fn from(open: OpenAnswer<'_>) -> Self {
        Self {
            request: open.request,
            received_ms: open.received_ms,
            event: open.event.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
