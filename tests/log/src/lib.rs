//! The log of a conversation with exactly the store's rules, for tests that play
//! the whole path by themselves.

mod calls;

use botyard_kernel::id::EventId;
use botyard_kernel::lane::Loaded;
use botyard_kernel::log::{Arrival, Call, Conversation, Entry, Seq, Settled, Turn};
use botyard_kernel::stored;
use botyard_kernel::time::Millis;

/// A settlement without its events, as it is written (bytes): the store takes no larger one.
const SETTLED_BYTES_MAX: usize = 256 * 1024;

/// The entries of one conversation, in memory.
#[derive(Default)]
pub struct Log {
    entries: Vec<Entry>,
    /// The place of the last turn, 0 where there is none.
    turn: Seq,
}

impl Log {
    /// All entries with their places, the first at 1.
    pub fn entries(&self) -> impl Iterator<Item = (Seq, &Entry)> {
        (1..).zip(&self.entries)
    }

    /// The turns, in order.
    pub fn turns(&self) -> impl Iterator<Item = (Seq, &Turn)> {
        self.entries().filter_map(|(seq, entry)| match entry {
            Entry::Turn(turn) => Some((seq, turn.as_ref())),
            Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_) => None,
        })
    }

    /// What was settled, in order.
    pub fn settled(&self) -> impl Iterator<Item = (Seq, &Settled)> {
        self.entries().filter_map(|(seq, entry)| match entry {
            Entry::Settled(settled) => Some((seq, settled)),
            Entry::Accepted(_) | Entry::Called(_) | Entry::Turn(_) => None,
        })
    }

    /// Accepted events, those of fused turns included, in order.
    pub fn arrivals(&self) -> impl Iterator<Item = (Seq, &Arrival)> {
        self.entries().filter_map(|(seq, entry)| match entry {
            Entry::Accepted(arrival) => Some((seq, arrival.as_ref())),
            Entry::Turn(turn) => turn.fused.as_deref().map(|arrival| (seq, arrival)),
            Entry::Called(_) | Entry::Settled(_) => None,
        })
    }

    /// Appends events that wait for their turns; gives their places.
    pub fn accept(&mut self, arrivals: &[Arrival]) -> Vec<Seq> {
        let append = |arrival: &Arrival| self.append(Entry::Accepted(Box::new(arrival.clone())));
        arrivals.iter().map(append).collect()
    }

    /// Appends a turn and gives its place: that of before where the turn is the
    /// last one already, none where another stands in its way.
    pub fn commit(&mut self, turn: &Turn) -> Option<Seq> {
        if self.last_turn().is_some_and(|last| last.id == turn.id) {
            return Some(self.turn);
        }
        let other_event = turn.fused.is_some() && self.waiting(turn.base).next().is_some();
        if self.turn != turn.previous || other_event {
            return None;
        }
        self.turn = self.append(Entry::Turn(Box::new(turn.clone())));
        Some(self.turn)
    }

    /// Appends what was settled with its events; gives the places of the events,
    /// and the last one.
    pub fn settle(&mut self, settled: &Settled) -> (Vec<Seq>, Seq) {
        let alone = Settled { events: Vec::new(), ..settled.clone() };
        let bytes = stored::encode(&alone).len();
        assert!(bytes <= SETTLED_BYTES_MAX, "the store refuses a settlement of {bytes} bytes");
        let own = self.append(Entry::Settled(alone));
        let events = self.accept(&settled.events);
        let last = events.last().copied().unwrap_or(own);
        (events, last)
    }

    /// What a lane starts from, with no more than `limit` events that wait.
    pub fn load(&self, limit: usize) -> Loaded {
        let turn = self.last_turn();
        let (base, watermark) = turn.map_or((0, 0), |turn| (turn.base, turn.watermark));
        let waiting: Vec<_> = self.waiting(watermark).collect();
        Loaded {
            last: self.entries.len() as Seq,
            turn: turn.map(|turn| (self.turn, turn.clone())),
            more: waiting.len() > limit,
            accepted: waiting.into_iter().take(limit).map(|(s, a)| (s, a.clone())).collect(),
            settled: self
                .settled()
                .filter(|(seq, _)| *seq > base)
                .map(|(_, settled)| settled.clone())
                .collect(),
            calls: self.open_calls(watermark),
        }
    }

    /// Appends the answer to a call.
    pub fn record(&mut self, call: &Call) -> Seq {
        self.append(Entry::Called(call.clone()))
    }

    /// Recorded calls of a bot that was given this event.
    pub fn calls(&self, on: &EventId) -> impl Iterator<Item = (Seq, &Call)> {
        self.entries().filter_map(move |(seq, entry)| match entry {
            Entry::Called(call) if call.made_on() == *on => Some((seq, call)),
            Entry::Accepted(_) | Entry::Called(_) | Entry::Turn(_) | Entry::Settled(_) => None,
        })
    }

    /// Recorded calls of events that wait.
    fn open_calls(&self, watermark: Seq) -> Vec<Call> {
        let waits = |call: &Call| self.waiting(watermark).any(|(_, it)| it.event.id == call.event);
        let calls = self.entries().filter_map(|(seq, entry)| match entry {
            Entry::Called(call) if seq > watermark && waits(call) => Some(call.clone()),
            Entry::Accepted(_) | Entry::Called(_) | Entry::Turn(_) | Entry::Settled(_) => None,
        });
        calls.collect()
    }

    /// The conversation as a lane would read it.
    pub fn state(&self) -> Conversation {
        let loaded = self.load(0);
        Conversation::after(loaded.turn.as_ref().map(|(_, turn)| turn), loaded.settled)
    }

    /// When the conversation wants attention: at once while events wait, else when
    /// its newest turn or settlement says.
    pub fn due(&self) -> Option<Millis> {
        let watermark = self.last_turn().map_or(0, |turn| turn.watermark);
        if self.waiting(watermark).next().is_some() {
            return Some(0);
        }
        let said = self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Turn(turn) => Some(turn.due_ms),
            Entry::Settled(settled) => Some(settled.due_ms),
            Entry::Accepted(_) | Entry::Called(_) => None,
        });
        said.flatten()
    }

    /// The newest turn.
    pub fn last_turn(&self) -> Option<&Turn> {
        match self.entries.get(usize::try_from(self.turn).ok()?.checked_sub(1)?) {
            Some(Entry::Turn(turn)) => Some(turn),
            Some(Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_)) | None => None,
        }
    }

    /// Events that were accepted after a place, in order.
    pub fn waiting(&self, after: Seq) -> impl Iterator<Item = (Seq, &Arrival)> {
        let from = usize::try_from(after).unwrap_or(usize::MAX).min(self.entries.len());
        (after + 1..).zip(&self.entries[from..]).filter_map(|(seq, entry)| match entry {
            Entry::Accepted(arrival) => Some((seq, arrival.as_ref())),
            Entry::Called(_) | Entry::Turn(_) | Entry::Settled(_) => None,
        })
    }

    fn append(&mut self, entry: Entry) -> Seq {
        self.entries.push(entry);
        self.entries.len() as Seq
    }
}
