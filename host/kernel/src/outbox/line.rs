//! Where a kind of calls stands in the line before its destination.

use crate::destination::Admission;
use crate::time::Millis;

/// The place of the next call of one kind.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// The destination lets no call leave before this.
    pub(super) held_until_ms: Millis,
    /// The time at which the destination keeps a place for our call.
    pub(super) ticket: Option<Millis>,
}

impl Line {
    /// What the destination says: whether the call may leave.
    pub(super) fn goes(&mut self, admission: Admission) -> bool {
        match admission {
            Admission::Go => {
                self.ticket = None;
                true
            }
            Admission::Wait { until_ms, ticket } => {
                self.held_until_ms = until_ms;
                self.ticket = ticket.then_some(until_ms);
                false
            }
        }
    }
}
