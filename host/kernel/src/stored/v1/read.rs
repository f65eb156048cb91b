//! From what is read to what is computed with.

use std::borrow::Cow;

use super::{
    Acknowledgement, Arrival, Call, Entry, OpenAnswer, Outcome, Row, RowEnd, SessionState, Settled,
    SkipReason, State, Timer, Turn,
};
use crate::call::Journal;
use crate::log;

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
            acknowledge: arrival.acknowledge.map(Cow::into_owned),
            reply_to: arrival.reply_to.map(Cow::into_owned),
            desk_id: arrival.desk_id.map(Cow::into_owned),
            route: arrival.route,
            owner: arrival.owner,
            aside: arrival.aside,
            by_host: arrival.by_host,
            seed: arrival.seed,
        }
    }
}

impl From<Call<'_>> for log::Call {
    fn from(call: Call<'_>) -> Self {
        Self {
            event: call.event.into_owned(),
            of_start: call.start,
            index: call.index,
            request: call.request,
            answer: call.answer.into_owned(),
            journal: Journal {
                version: call.version,
                config: call.config,
                reads: call.reads.into_owned(),
            },
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
            human_ms: turn.human_ms,
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
                SkipReason::Superseded => log::SkipReason::Superseded,
                SkipReason::SessionTimeout => log::SkipReason::SessionTimeout,
                SkipReason::NextPage => log::SkipReason::NextPage,
                SkipReason::Relayed => log::SkipReason::Relayed,
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
            acknowledged: settled.acknowledged.into_owned(),
            claimed: settled.claimed.map(Cow::into_owned),
            dead_letters: settled.dead_letters.into_iter().map(Into::into).collect(),
            revived: settled.revived.into_iter().map(Into::into).collect(),
            by_call: settled.by_call.into_owned(),
            follow_ups: settled.follow_ups.into_iter().map(Into::into).collect(),
            closed_until_ms: settled.closed_until_ms,
            calls_from_ms: settled.calls_from_ms,
            owner: settled.owner,
            events: settled.events.into_iter().map(Into::into).collect(),
            due_ms: settled.due_ms,
            human_ms: settled.human_ms,
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
            menus: state.menus.into_owned(),
            reply_to: state.reply_to.map(Cow::into_owned),
            desk_id: state.desk_id.map(Cow::into_owned),
            route: state.route,
            foreign_context: state.foreign_context.map(Cow::into_owned),
            mirrored: state.mirrored.into_owned(),
            keys: state.keys.into_owned(),
            kv: state.kv.into_owned(),
            timers: state.timers.into_iter().map(Into::into).collect(),
            rows: state.rows.into_iter().map(Into::into).collect(),
            claimed: state.claimed.into_owned(),
            acknowledgements: state.acknowledgements.into_iter().map(Into::into).collect(),
            open_answers: state.open_answers.into_iter().map(Into::into).collect(),
            answered: state.answered.into_owned(),
            answered_until_ms: state.answered_until_ms,
            skipped: state.skipped.into_owned(),
            called_ms: state.called_ms.into_owned(),
            closed_until_ms: state.closed_until_ms,
            calls_from_ms: state.calls_from_ms,
            host_hand_off: state.host_hand_off,
            relay: state.relay.map(Cow::into_owned),
            at_desk: state.at_desk,
            human_ms: state.human_ms,
            returns_after_ms: state.returns_after_ms,
            hands_ms: state.hands_ms,
            own_email: state.own_email,
            typing: state.typing,
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
            times_out_ms: session.times_out_ms,
            version: session.version,
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
            by_call: row.by_call.into_owned(),
            context: row.context.map(Cow::into_owned),
            quiet: row.quiet,
            event: row.event.into_owned(),
            by_human: row.by_human,
            hand_off: row.hand_off,
        }
    }
}

impl From<Acknowledgement<'_>> for log::Acknowledgement {
    fn from(acknowledgement: Acknowledgement<'_>) -> Self {
        let Acknowledgement { id, made_ms, token, asks_of } = acknowledgement;
        let asks_of = asks_of.map(Cow::into_owned);
        Self { id: id.into_owned(), made_ms, token: token.into_owned(), asks_of }
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
