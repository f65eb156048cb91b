//! How an account behaves where the document leaves a choice.

use std::time::Duration;

use crate::faults::Faults;
use crate::record::Keep;

/// Everything that can be set about an account.
#[derive(Clone, Debug)]
pub struct Options {
    /// The token of calls.
    pub token: String,
    /// The length of the minute in which 20 requests of a conversation are let
    /// through: shorter in tests that cannot wait.
    pub window: Duration,
    /// What goes wrong.
    pub faults: Faults,
    /// How much is remembered.
    pub keep: Keep,
    /// How long after each failed sending the same webhook comes again; the last
    /// failure is for good. The document names no schedule.
    pub redeliver: Vec<Duration>,
    /// Whether somebody is free when a bot hands over.
    pub operators: Operators,
    /// A 429 names the seconds until there is room. The document names no such
    /// header.
    pub says_retry_after: bool,
    /// The status for a conversation that never was. Undocumented, as the next two.
    pub status_unknown: u16,
    /// The status for a session that is over.
    pub status_over: u16,
    /// The status where a file could not be fetched: "an error response".
    pub status_media: u16,
}

/// Whether a human is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operators {
    /// Every hand-off succeeds.
    Free,
    /// Every hand-off fails.
    Away,
}

impl Options {
    /// The document's numbers, and nothing that goes wrong.
    pub fn new(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            window: Duration::from_secs(60),
            faults: Faults::none(),
            keep: Keep::ALL,
            redeliver: [1, 5, 30].map(Duration::from_secs).to_vec(),
            operators: Operators::Free,
            says_retry_after: false,
            status_unknown: 404,
            status_over: 410,
            status_media: 400,
        }
    }
}
