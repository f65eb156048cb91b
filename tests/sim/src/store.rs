//! The store: does what it is asked for sooner or later, or fails before or after.

use botyard_kernel::lane::{Input, WAITING_MAX};
use botyard_kernel::log::{Arrival, Call, Settled, Turn};

use crate::world::{Life, Step, World};

/// What a lane asks of the store.
pub(crate) enum Write {
    Load,
    Accept(Vec<Arrival>),
    Commit(Box<Turn>),
    Settle(Box<Settled>),
    Record(Box<Call>),
}

impl Write {
    pub(crate) fn brief(&self) -> String {
        let ids = |arrivals: &[Arrival]| -> Vec<String> {
            arrivals.iter().map(|arrival| arrival.event.id.to_string()).collect()
        };
        match self {
            Self::Load => "load".to_owned(),
            Self::Accept(arrivals) => format!("accept {:?}", ids(arrivals)),
            Self::Commit(turn) => {
                let fused = if turn.fused.is_some() { "fused " } else { "" };
                let (base, watermark) = (turn.base, turn.watermark);
                format!("commit {fused}{} base {base} watermark {watermark}", turn.event)
            }
            Self::Record(call) => format!("record call {} of {}", call.index, call.made_on()),
            Self::Settle(it) if !it.by_call.is_empty() => {
                format!("settle by call {:?}", it.by_call)
            }
            Self::Settle(it) => format!(
                "settle {:?} claimed {:?} answered {:?} events {:?} due {:?}",
                it.rows,
                it.claimed,
                it.answered,
                ids(&it.events),
                it.due_ms
            ),
        }
    }

    fn is_load(&self) -> bool {
        matches!(self, Self::Load)
    }
}

impl World {
    /// The store has taken its time over something.
    pub(crate) fn end_write(&mut self, conversation: usize, life: Life, write: Write) {
        let full = !self.calm && self.now < self.full_until && !write.is_load();
        let fails = self.goes_wrong(self.weather.store_percent);
        let input = if full || (fails && self.chance.percent(50)) {
            Input::StoreFailed
        } else if !fails && self.refuses_size(&write) {
            Input::TooLarge
        } else {
            let settled = if let Write::Settle(settled) = &write { &settled.rows[..] } else { &[] };
            let settled: Vec<_> = settled.iter().map(|(id, _)| id.clone()).collect();
            let done = self.do_write(conversation, write);
            if fails {
                self.rewritten.extend(settled);
                Input::StoreFailed
            } else {
                done
            }
        };
        self.tell(|| format!("conversation {conversation}: the store is done: {}", brief(&input)));
        // What is stored and what the lane knows of it are two moments.
        let pause = self.chance.below(3);
        self.after(pause, Step::Tell { conversation, life, input });
    }

    /// Writes; a host that dies afterwards does not hear of it.
    pub(crate) fn do_write(&mut self, conversation: usize, write: Write) -> Input {
        let read_max = self.read_max(conversation);
        let log = &mut self.logs[conversation];
        match write {
            Write::Load => Input::Loaded(Box::new(log.load(read_max))),
            Write::Accept(arrivals) => Input::Accepted(log.accept(&arrivals)),
            Write::Commit(turn) => Input::Committed(log.commit(&turn)),
            Write::Record(call) => Input::Recorded(log.record(&call)),
            Write::Settle(settled) => {
                let (events, last) = log.settle(&settled);
                Input::Settled { events, last }
            }
        }
    }

    /// How many waiting events are read at once. A redelivery without an id is known
    /// among those only, so where there are none many are read.
    pub(crate) fn read_max(&self, conversation: usize) -> usize {
        let channel = self.site.channel_of(conversation);
        // What external bots say has none.
        let has_ids = channel.line.manner().has_ids && channel.rules.policy.relays.is_empty();
        if has_ids { self.weather.read_max } else { WAITING_MAX }
    }

    /// Rarely, something is too large for the store.
    fn refuses_size(&mut self, write: &Write) -> bool {
        match write {
            Write::Accept(_) | Write::Commit(_) | Write::Record(_) => {
                self.goes_wrong(1) && self.chance.percent(30)
            }
            Write::Load | Write::Settle(_) => false,
        }
    }
}

fn brief(input: &Input) -> String {
    match input {
        Input::Loaded(loaded) => format!("loaded up to {}", loaded.last),
        other => format!("{other:?}"),
    }
}
