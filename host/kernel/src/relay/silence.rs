//! An external bot that says nothing more, without a word of the end.

use crate::id::EventId;
use crate::relay::{Over, Relay};
use crate::time::Millis;

/// For how long an external bot may owe the person a word, from a turn that is made now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// When that turn is made.
    pub(crate) now: Millis,
    /// Absent where nobody ever loses it.
    pub(crate) after_ms: Option<Millis>,
}

impl Patience {
    pub(super) fn ends_ms(self) -> Option<Millis> {
        Some(self.now.saturating_add(self.after_ms?))
    }
}

/// The id of the host's own event for an external bot that has said nothing until this time,
/// after so many turns.
pub(crate) fn silence_id(turns: u64, at_ms: Millis) -> EventId {
    EventId(format!("silence.{turns}.{at_ms}"))
}

/// Whether it is the host's own event for that.
pub(super) fn is_silence(event: &EventId) -> bool {
    event.as_str().starts_with("silence.")
}

impl Relay {
    /// When it has said nothing for too long, if it says nothing until then.
    pub(crate) fn silent_at(&self) -> Option<Millis> {
        self.silent_ms.filter(|_| self.over.is_none() && self.leaving.is_none())
    }

    /// It owes the person a word from the first of theirs on that it has not answered: who
    /// goes on writing does not wait longer for that. Where more of theirs still waits, the
    /// time begins anew with each of its own.
    pub(super) fn owe(&mut self, spoke: bool, patience: Patience) {
        if spoke {
            self.silent_ms = None;
        }
        if self.silent_ms.is_none() && !self.waiting.is_empty() {
            self.silent_ms = patience.ends_ms();
        }
    }

    /// It has owed the person a word for too long. Who does not even answer what it was
    /// asked is not asked who the person is.
    pub(super) fn fall_silent(&mut self) {
        let reason = "it has said nothing for too long".to_owned();
        if self.asked {
            let failed = !self.has_begun();
            self.over.get_or_insert(Over { reason, failed });
        } else {
            self.end(reason);
        }
    }
}
