//! From what is computed with to what is written. A new field cannot be
//! forgotten here: the way back does not compile without it.

use std::borrow::Cow;

use super::{
    Acknowledgement, Arrival, Call, Entry, OpenAnswer, Outcome, Row, RowEnd, SessionState, Settled,
    SkipReason, State, Timer, Turn,
};
use crate::call::Journal;
use crate::log;

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
        let log::Call { event, of_start, index, request, answer, journal } = call;
        let Journal { version, config, reads } = journal;
        Self::Called(Call {
            event: Cow::Borrowed(event),
            start: *of_start,
            index: *index,
            request: *request,
            answer: answer.into(),
            version: *version,
            config: *config,
            reads: Cow::Borrowed(reads),
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
        let log::Arrival { event, facts, vendor_context, key, request, .. } = arrival;
        let log::Arrival { quiet, acknowledge, reply_to, desk_id, route, owner, .. } = arrival;
        let log::Arrival { aside, by_host, seed, .. } = arrival;
        Self {
            event: Cow::Borrowed(event),
            facts: facts.as_ref().map(Cow::Borrowed),
            context: vendor_context.as_ref().map(Into::into),
            key: key.as_ref().map(Into::into),
            request: *request,
            quiet: *quiet,
            acknowledge: acknowledge.as_ref().map(Into::into),
            reply_to: reply_to.as_ref().map(Into::into),
            desk_id: desk_id.as_ref().map(Into::into),
            route: *route,
            owner: *owner,
            aside: *aside,
            by_host: *by_host,
            seed: *seed,
        }
    }
}

impl<'a> From<&'a log::Turn> for Turn<'a> {
    fn from(turn: &'a log::Turn) -> Self {
        let log::Turn { id, previous, base, watermark, fused, event, outcome, .. } = turn;
        let log::Turn { log, bot, bot_writes, state, due_ms, human_ms, .. } = turn;
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
            human_ms: *human_ms,
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
                log::SkipReason::Superseded => SkipReason::Superseded,
                log::SkipReason::SessionTimeout => SkipReason::SessionTimeout,
                log::SkipReason::NextPage => SkipReason::NextPage,
                log::SkipReason::Relayed => SkipReason::Relayed,
            }),
        }
    }
}

impl<'a> From<&'a log::Settled> for Settled<'a> {
    fn from(settled: &'a log::Settled) -> Self {
        let log::Settled { at_ms, rows, answered, called_ms, mirrored, .. } = settled;
        let log::Settled { acknowledged, claimed, dead_letters, revived, by_call, .. } = settled;
        let log::Settled { follow_ups, owner, events, due_ms, human_ms, .. } = settled;
        let log::Settled { closed_until_ms, calls_from_ms, .. } = settled;
        Self {
            at_ms: *at_ms,
            rows: rows.iter().map(|(id, end)| (Cow::Borrowed(id), end.into())).collect(),
            answered: answered.into(),
            called_ms: called_ms.into(),
            mirrored: *mirrored,
            acknowledged: acknowledged.into(),
            claimed: claimed.as_ref().map(Into::into),
            dead_letters: dead_letters.iter().map(Into::into).collect(),
            revived: revived.iter().map(Into::into).collect(),
            by_call: by_call.into(),
            follow_ups: follow_ups.iter().map(Into::into).collect(),
            closed_until_ms: *closed_until_ms,
            calls_from_ms: *calls_from_ms,
            owner: *owner,
            events: events.iter().map(Into::into).collect(),
            due_ms: *due_ms,
            human_ms: *human_ms,
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
        let log::Conversation { menus, reply_to, route, keys, kv, timers, rows, claimed, .. } =
            state;
        let log::Conversation { acknowledgements, open_answers, skipped, .. } = state;
        let log::Conversation { answered, answered_until_ms, called_ms, host_hand_off, .. } = state;
        let log::Conversation { closed_until_ms, calls_from_ms, .. } = state;
        let log::Conversation { human_ms, returns_after_ms, relay, desk_id, .. } = state;
        let log::Conversation { at_desk, hands_ms, own_email, typing, .. } = state;
        Self {
            turns: *turns,
            owner: *owner,
            session: session.as_ref().map(Into::into),
            facts: Cow::Borrowed(facts),
            menus: menus.into(),
            reply_to: reply_to.as_ref().map(Into::into),
            desk_id: desk_id.as_ref().map(Into::into),
            route: *route,
            foreign_context: foreign_context.as_ref().map(Into::into),
            mirrored: mirrored.into(),
            keys: keys.into(),
            kv: Cow::Borrowed(kv),
            timers: timers.iter().map(Into::into).collect(),
            rows: rows.iter().map(Into::into).collect(),
            claimed: claimed.into(),
            acknowledgements: acknowledgements.iter().map(Into::into).collect(),
            open_answers: open_answers.iter().map(Into::into).collect(),
            answered: answered.into(),
            answered_until_ms: *answered_until_ms,
            skipped: skipped.into(),
            called_ms: called_ms.into(),
            closed_until_ms: *closed_until_ms,
            calls_from_ms: *calls_from_ms,
            host_hand_off: *host_hand_off,
            relay: relay.as_ref().map(Cow::Borrowed),
            at_desk: *at_desk,
            human_ms: *human_ms,
            returns_after_ms: *returns_after_ms,
            hands_ms: *hands_ms,
            own_email: *own_email,
            typing: *typing,
        }
    }
}

impl<'a> From<&'a log::SessionState> for SessionState<'a> {
    fn from(session: &'a log::SessionState) -> Self {
        let log::SessionState { id, started_ms, active_ms, context, .. } = session;
        let log::SessionState { context_by, times_out_ms, version, .. } = session;
        Self {
            id: Cow::Borrowed(id),
            started_ms: *started_ms,
            active_ms: *active_ms,
            context: context.into(),
            context_by: *context_by,
            times_out_ms: *times_out_ms,
            version: *version,
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
        let log::Row { id, turn, made_ms, action, by_call, context, .. } = row;
        let log::Row { quiet, event, by_human, hand_off, .. } = row;
        Self {
            id: Cow::Borrowed(id),
            turn: Cow::Borrowed(turn),
            made_ms: *made_ms,
            action: Cow::Borrowed(action),
            by_call: by_call.into(),
            context: context.as_ref().map(Into::into),
            quiet: *quiet,
            event: Cow::Borrowed(event),
            by_human: *by_human,
            hand_off: *hand_off,
        }
    }
}

impl<'a> From<&'a log::Acknowledgement> for Acknowledgement<'a> {
    fn from(acknowledgement: &'a log::Acknowledgement) -> Self {
        let log::Acknowledgement { id, made_ms, token, asks_of } = acknowledgement;
        let asks_of = asks_of.as_ref().map(Cow::Borrowed);
        Self { id: Cow::Borrowed(id), made_ms: *made_ms, token: token.into(), asks_of }
    }
}

impl<'a> From<&'a log::OpenAnswer> for OpenAnswer<'a> {
    fn from(open: &'a log::OpenAnswer) -> Self {
        let log::OpenAnswer { request, received_ms, event } = open;
        Self { request: *request, received_ms: *received_ms, event: Cow::Borrowed(event) }
    }
}
