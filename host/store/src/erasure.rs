//! What an erasure leaves of a conversation, and what it lets in afterwards.

use botyard_kernel::call::Journal;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::{
    Arrival, Call, Conversation, KEYS_MAX, Outcome, Row, Seq, Settled, SkipReason, Turn,
};
use botyard_kernel::time::Millis;

use crate::{Stamp, StoreError, limits};

/// The turn that stands where everything before it is erased. It knows the keys of the
/// events that were there, those that still waited included, and nothing of people.
///
/// It is a turn like any other, so that nobody who reads the log has to know of
/// erasures: one that was prepared before has a conflict, and the conversation goes on
/// behind it as a new one would.
pub(crate) fn tombstone(
    key: &ConversationKey,
    last: Seq,
    turn: Option<(Seq, Turn)>,
    waiting: &[Arrival],
) -> Turn {
    let (previous, old) = turn.map_or((0, None), |(seq, turn)| (seq, Some(turn)));
    let (bot, state) = old.map_or_else(
        || (String::new().into(), Conversation::default()),
        |turn| (turn.bot, turn.state),
    );
    let mut keys = state.keys;
    for arrival in waiting {
        keys.extend(arrival.key.clone().map(|key| (key, arrival.event.received_ms)));
    }
    keys.drain(..keys.len().saturating_sub(KEYS_MAX));
    let state = Conversation {
        turns: state.turns,
        keys,
        open_answers: state.open_answers,
        answered: state.answered,
        answered_until_ms: state.answered_until_ms,
        called_ms: state.called_ms,
        ..Conversation::default()
    };
    Turn {
        id: format!("erased-{}-{}", key.digest().short(), last + 1).into(),
        previous,
        base: last,
        watermark: last,
        fused: None,
        event: String::new().into(),
        outcome: Outcome::Skipped(SkipReason::NoSession),
        log: vec![],
        bot,
        bot_writes: vec![],
        state,
        due_ms: None,
        human_ms: None,
    }
}

/// A tombstone as it is written. Where the keys of many waiting events came in addition,
/// the oldest give way: one more duplicate is better than a person who stays.
pub(crate) fn written(tombstone: &mut Turn) -> Result<Vec<u8>, StoreError> {
    loop {
        let half = tombstone.state.keys.len().div_ceil(2);
        match limits::turn(tombstone) {
            Err(StoreError::TooLarge { .. }) if half > 0 => {
                tombstone.state.keys.drain(..half);
            }
            written => return written,
        }
    }
}

/// When a conversation was erased, as what comes later is told from what was there: by the
/// clock of whoever wants it, and never before what the host has made until then.
pub(crate) fn erased_ms(
    stamp: &Stamp,
    turn: Option<&Turn>,
    settled: impl Iterator<Item = Settled>,
) -> Millis {
    let state = turn.map(|turn| &turn.state);
    let rows = state.into_iter().flat_map(|state| &state.rows).map(|row| row.made_ms);
    let acknowledgements = state.into_iter().flat_map(|state| &state.acknowledgements);
    let told = rows.chain(acknowledgements.map(|it| it.made_ms));
    let settled = settled.flat_map(|settled| {
        let revived = settled.revived.iter().map(|row| row.made_ms);
        let follow_ups = settled.follow_ups.iter().map(|it| it.made_ms);
        revived.chain(follow_ups).collect::<Vec<_>>()
    });
    told.chain(settled).max().unwrap_or_default().max(stamp.at_ms)
}

/// What may be settled in a conversation that was erased: of rows that were made before,
/// no word comes back. Where nothing has happened since, what is settled is of before,
/// unless it gives up something new.
///
/// Letters that are sent again have a new time: only those may be that still are letters
/// (`is_letter`). What a human says comes with its event, and was never one.
pub(crate) fn admitted(
    settled: &Settled,
    erased_ms: Millis,
    nothing_since: bool,
    is_letter: impl Fn(&Row) -> bool,
) -> Settled {
    let mut admitted = settled.clone();
    let is_new = |made_ms: Millis| made_ms > erased_ms;
    let said_now = |row: &Row| row.by_human && !settled.events.is_empty() && is_new(row.made_ms);
    admitted.dead_letters.retain(|row| is_new(row.made_ms));
    admitted.revived.retain(|row| said_now(row) || is_letter(row));
    admitted.follow_ups.retain(|follow_up| is_new(follow_up.made_ms));
    let is_of_before = nothing_since && admitted.dead_letters.is_empty();
    if is_of_before || admitted.dead_letters.len() < settled.dead_letters.len() {
        // What follows from giving them up would tell of them.
        admitted.events.clear();
    }
    if is_of_before {
        admitted.owner = None;
        admitted.due_ms = None;
        admitted.human_ms = None;
    }
    admitted
}

/// A call whose event was erased while it was made, as it is written: nobody will ask
/// for its answer.
pub(crate) fn wordless(call: &Call) -> Result<Vec<u8>, StoreError> {
    limits::call(&without_words(call))
}

pub(crate) fn without_words(call: &Call) -> Call {
    Call { answer: String::new(), journal: Journal::default(), ..call.clone() }
}
