//! What must hold of calls within turns, and of what is recorded of them.

use botyard_kernel::id::EventId;
use botyard_kernel::log::{Entry, Outcome};
use botyard_kernel::plan::host_start_id;
use botyard_kernel::run::LogLevel;

use crate::Log;

impl Log {
    /// No request leaves before its event is stored, and none that was answered.
    ///
    /// # Panics
    /// When this one does.
    pub fn call_may_leave(&self, on: &EventId, index: u32) {
        let stored = self.entries().any(|(_, entry)| match entry {
            Entry::Accepted(it) => it.event.id == *on || host_start_id(&it.event.id) == *on,
            Entry::Called(_) | Entry::Turn(_) | Entry::Settled(_) => false,
        });
        assert!(stored, "a call left before {on} was accepted");
        let known = self.calls(on).any(|(_, call)| call.index == index);
        assert!(!known, "call {index} of {on} was recorded and left again");
    }

    /// Every bot was told what is recorded, whatever happened in between. The bots
    /// write what they were told into their logs, one line for each call.
    ///
    /// # Panics
    /// When a bot was told something else.
    pub fn calls_were_answered_once(&self) {
        for (seq, turn) in self.turns() {
            match &turn.outcome {
                Outcome::Ran { .. } | Outcome::Failed { .. } => {}
                Outcome::Skipped(_) => continue,
            }
            let told = turn.log.iter().filter(|line| line.level == LogLevel::Info);
            for (index, told) in told.enumerate() {
                let mut calls = self.calls(&turn.event).filter(|(at, _)| *at < seq);
                let first = calls.find(|(_, call)| call.index as usize == index);
                let first = first.map(|(_, call)| &call.answer);
                assert_eq!(first, Some(&told.message), "call {index} of {}", turn.event);
            }
        }
    }
}
