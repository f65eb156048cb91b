//! A conversation of the model, and what its entries add up to.

use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::{Arrival, Call, Entry, Seq, Turn};
use botyard_kernel::owner::Owner;
use botyard_kernel::time::Millis;

use crate::Loaded;
use crate::archive::time_of;

/// A conversation.
pub(super) struct Lane {
    pub(super) key: ConversationKey,
    pub(super) number: u64,
    /// From the oldest that is kept on; the newest is never taken away.
    pub(super) entries: Vec<Kept>,
    pub(super) active_ms: Option<Millis>,
    pub(super) turns: u64,
    pub(super) owner: Option<Owner>,
    /// When it was last erased.
    pub(super) erased: Option<Millis>,
}

/// An entry in its place.
pub(super) struct Kept {
    pub(super) seq: Seq,
    /// Tells entries of all conversations apart.
    pub(super) number: u64,
    /// Of turns that count among those of their bot.
    pub(super) at_ms: Option<Millis>,
    pub(super) entry: Entry,
}

impl Lane {
    pub(super) fn new(key: ConversationKey, number: u64) -> Self {
        let (entries, active_ms, owner, erased) = (Vec::new(), None, None, None);
        Self { key, number, entries, active_ms, turns: 0, owner, erased }
    }

    pub(super) fn last(&self) -> Seq {
        self.entries.last().map_or(0, |kept| kept.seq)
    }

    pub(super) fn is_tombstone(&self) -> bool {
        self.erased.is_some() && self.active_ms.is_none()
    }

    pub(super) fn watermark(&self) -> Seq {
        last_turn(self).map_or(0, |(_, turn)| turn.watermark)
    }

    pub(super) fn append(&mut self, entry: Entry, at_ms: Option<Millis>, made: &mut u64) -> Seq {
        *made += 1;
        let (seq, number) = (self.last() + 1, *made);
        self.active_ms = self.active_ms.max(at_ms);
        let at_ms = at_ms.filter(|_| matches!(entry, Entry::Turn(_)));
        self.entries.push(Kept { seq, number, at_ms, entry });
        seq
    }

    pub(super) fn accept(&mut self, arrivals: Vec<Arrival>, made: &mut u64) -> Vec<Seq> {
        let append = |arrival: Arrival| {
            let at_ms = Some(arrival.event.received_ms);
            self.append(accepted(arrival), at_ms, made)
        };
        arrivals.into_iter().map(append).collect()
    }

    pub(super) fn turn(&mut self, turn: Turn, made: &mut u64) -> Seq {
        self.turns += 1;
        self.owner = Some(turn.state.owner);
        let at_ms = time_of(&turn, self.active_ms);
        self.append(Entry::Turn(Box::new(turn)), Some(at_ms), made)
    }
}

pub(super) fn load(lane: &Lane, limit: usize) -> Loaded {
    let turn = last_turn(lane);
    let (base, watermark) = turn.map_or((0, 0), |(_, turn)| (turn.base, turn.watermark));
    let open: Vec<_> = waiting(lane, watermark).collect();
    let accepted: Vec<_> =
        open.iter().take(limit).map(|(seq, arrival)| (*seq, (*arrival).clone())).collect();
    let settled = numbered(lane).filter_map(|(seq, entry)| match entry {
        Entry::Settled(settled) if seq > base => Some(settled.clone()),
        _ => None,
    });
    let is_open = |call: &Call| accepted.iter().any(|(_, arrival)| arrival.event.id == call.event);
    let calls = numbered(lane).filter_map(|(seq, entry)| match entry {
        Entry::Called(call) if seq > watermark && is_open(call) => Some(call.clone()),
        _ => None,
    });
    Loaded {
        last: lane.last(),
        turn: turn.map(|(seq, turn)| (seq, turn.clone())),
        more: open.len() > limit,
        settled: settled.collect(),
        calls: calls.collect(),
        accepted,
    }
}

/// When a conversation wants attention: at once while events wait, else when
/// its newest turn or settlement says.
pub(super) fn due(lane: &Lane) -> Option<Millis> {
    let watermark = last_turn(lane).map_or(0, |(_, turn)| turn.watermark);
    if waiting(lane, watermark).next().is_some() {
        return Some(0);
    }
    let said = numbered(lane).rev().find_map(|(_, entry)| match entry {
        Entry::Turn(turn) => Some(turn.due_ms),
        Entry::Settled(settled) => Some(settled.due_ms),
        Entry::Accepted(_) | Entry::Called(_) => None,
    });
    said.flatten()
}

/// Since when a human has the conversation, as its newest turn or settlement says.
pub(super) fn human_since(lane: &Lane) -> Option<Millis> {
    let said = numbered(lane).rev().find_map(|(_, entry)| match entry {
        Entry::Turn(turn) => Some(turn.human_ms),
        Entry::Settled(settled) => Some(settled.human_ms),
        Entry::Accepted(_) | Entry::Called(_) => None,
    });
    said.flatten()
}

pub(super) fn last_turn(lane: &Lane) -> Option<(Seq, &Turn)> {
    let mut turns = numbered(lane).filter_map(|(seq, entry)| match entry {
        Entry::Turn(turn) => Some((seq, turn.as_ref())),
        Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_) => None,
    });
    turns.next_back()
}

pub(super) fn waiting(lane: &Lane, after: Seq) -> impl Iterator<Item = (Seq, &Arrival)> {
    numbered(lane).filter_map(move |(seq, entry)| match entry {
        Entry::Accepted(arrival) if seq > after => Some((seq, arrival.as_ref())),
        _ => None,
    })
}

pub(super) fn numbered(lane: &Lane) -> impl DoubleEndedIterator<Item = (Seq, &Entry)> {
    lane.entries.iter().map(|kept| (kept.seq, &kept.entry))
}

fn accepted(arrival: Arrival) -> Entry {
    Entry::Accepted(Box::new(arrival))
}
