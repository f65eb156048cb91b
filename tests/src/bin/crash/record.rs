//! What happened, as the outside saw it.

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::vendors::Channel;

/// Times of a run in microseconds since its beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// One host process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// When it was started, by the clock on the wall, which the host writes into its
    /// log (milliseconds).
    pub(crate) began_ms: u64,
}

impl Life {
    pub(crate) fn begin() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began_ms: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// One conversation as the person, the vendor and the tenant's systems saw it.
#[derive(Debug)]
pub(crate) struct Talk {
    pub(crate) channel: &'static Channel,
    /// Who writes, by the vendor's own id.
    pub(crate) person: String,
    /// What the host calls the conversation; empty until it has begun.
    pub(crate) key: String,
    pub(crate) sent: Vec<Sent>,
    pub(crate) shown: Vec<Shown>,
    /// Answers that the host should never give.
    pub(crate) refusals: Vec<String>,
    /// Sendings of events, repetitions included.
    pub(crate) deliveries: u64,
    /// Pairs of messages that were sent out of order.
    pub(crate) pairs: u64,
    /// Answers that the client did not wait for and did not get.
    pub(crate) left: u64,
}

impl Talk {
    /// One that has not begun.
    pub(crate) fn new(channel: &'static Channel, person: String) -> Self {
        Self {
            channel,
            person,
            key: String::new(),
            sent: Vec::new(),
            shown: Vec::new(),
            refusals: Vec::new(),
            deliveries: 0,
            pairs: 0,
            left: 0,
        }
    }

    /// Events that were sent, each counted once.
    pub(crate) fn names(&self) -> u64 {
        let names: BTreeSet<&str> = self.sent.iter().map(|sent| &*sent.name).collect();
        names.len() as u64
    }
}

/// An event that was sent until it was acknowledged.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) name: String,
    pub(crate) begun_us: u64,
    /// When a whole 2xx was read.
    pub(crate) acked_us: u64,
    /// The bot breaks down on it.
    pub(crate) traps: bool,
    /// What stands before it in the same webhook.
    pub(crate) behind: Option<String>,
    /// What the person shall be shown of it besides.
    pub(crate) wants: Vec<String>,
}

/// How something reached the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// In the answer of a webhook, read to its end.
    Answer,
    /// By a call that was taken.
    Call,
}

/// Something that reached the person.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// When the answer was read or the call came; the same for all that it brought.
    pub(crate) at_us: u64,
    /// Its place in that answer or call.
    pub(crate) place: usize,
    /// Which host process sent it.
    pub(crate) life: usize,
    pub(crate) way: Way,
    /// A text, or the link of a picture.
    pub(crate) what: String,
}
