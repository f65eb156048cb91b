//! The log of the one conversation, with exactly the store's rules.

use botyard_kernel::lane::Loaded;
use botyard_kernel::log::{Arrival, Call, Entry, Seq, Settled, Turn};

#[derive(Default)]
pub(crate) struct Log {
    entries: Vec<Entry>,
}

impl Log {
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Seq, &Entry)> {
        (1..).zip(&self.entries)
    }

    pub(crate) fn turns(&self) -> impl Iterator<Item = (Seq, &Turn)> {
        self.entries().filter_map(|(seq, entry)| match entry {
            Entry::Turn(turn) => Some((seq, turn.as_ref())),
            _ => None,
        })
    }

    pub(crate) fn settled(&self) -> impl Iterator<Item = (Seq, &Settled)> {
        self.entries().filter_map(|(seq, entry)| match entry {
            Entry::Settled(settled) => Some((seq, settled)),
            _ => None,
        })
    }

    /// Accepted events, those of fused turns included, in order.
    pub(crate) fn arrivals(&self) -> impl Iterator<Item = (Seq, &Arrival)> {
        self.entries().filter_map(|(seq, entry)| match entry {
            Entry::Accepted(arrival) => Some((seq, arrival.as_ref())),
            Entry::Turn(turn) => turn.fused.as_deref().map(|arrival| (seq, arrival)),
            _ => None,
        })
    }

    pub(crate) fn accept(&mut self, arrivals: &[Arrival]) -> Vec<Seq> {
        let append = |arrival: &Arrival| self.append(Entry::Accepted(Box::new(arrival.clone())));
        arrivals.iter().map(append).collect()
    }

    pub(crate) fn commit(&mut self, turn: &Turn) -> Option<Seq> {
        let last = self.turns().last().map(|(seq, last)| (seq, last.id.clone()));
        if let Some((seq, _)) = last.as_ref().filter(|(_, id)| *id == turn.id) {
            return Some(*seq);
        }
        let other_turn = last.map_or(0, |(seq, _)| seq) != turn.previous;
        let other_event = turn.fused.is_some() && self.waiting(turn.base).next().is_some();
        if other_turn || other_event {
            return None;
        }
        Some(self.append(Entry::Turn(Box::new(turn.clone()))))
    }

    pub(crate) fn settle(&mut self, settled: &Settled) -> (Vec<Seq>, Seq) {
        let alone = Settled { events: Vec::new(), ..settled.clone() };
        let own = self.append(Entry::Settled(alone));
        let events = self.accept(&settled.events);
        let last = events.last().copied().unwrap_or(own);
        (events, last)
    }

    pub(crate) fn load(&self, limit: usize) -> Loaded {
        let turn = self.turns().last();
        let (base, watermark) = turn.map_or((0, 0), |(_, turn)| (turn.base, turn.watermark));
        let waiting: Vec<_> = self.waiting(watermark).collect();
        Loaded {
            last: self.entries.len() as Seq,
            turn: turn.map(|(seq, turn)| (seq, turn.clone())),
            more: waiting.len() > limit,
            accepted: waiting.into_iter().take(limit).map(|(s, a)| (s, a.clone())).collect(),
            settled: self
                .settled()
                .filter(|(seq, _)| *seq > base)
                .map(|(_, s)| s.clone())
                .collect(),
            calls: self.open_calls(watermark),
        }
    }

    pub(crate) fn record(&mut self, call: &Call) -> Seq {
        self.append(Entry::Called(call.clone()))
    }

    fn open_calls(&self, watermark: Seq) -> Vec<Call> {
        let open = |call: &Call| {
            self.waiting(watermark).any(|(_, arrival)| arrival.event.id == call.event)
        };
        let calls = self.entries().filter_map(|(seq, entry)| match entry {
            Entry::Called(call) if seq > watermark && open(call) => Some(call.clone()),
            _ => None,
        });
        calls.collect()
    }

    pub(crate) fn waiting(&self, after: Seq) -> impl Iterator<Item = (Seq, &Arrival)> {
        self.entries().filter_map(move |(seq, entry)| match entry {
            Entry::Accepted(arrival) if seq > after => Some((seq, arrival.as_ref())),
            _ => None,
        })
    }

    fn append(&mut self, entry: Entry) -> Seq {
        self.entries.push(entry);
        self.entries.len() as Seq
    }
}
