//! What does not leave: it has become too old or too much, or somebody else speaks.

use crate::id::PartId;
use crate::log::{Conversation, Row, RowEnd, Settled};
use crate::outbox::{Outbox, SETTLED_ROWS_MAX, WAITING_BYTES_MAX, fitting, settle, vendor_rows};
use crate::profile::Delivery;
use crate::time::{MINUTE, Millis};

impl Outbox {
    /// Speech that waits while somebody else has the conversation.
    pub(super) fn withhold(&self, state: &Conversation, now: Millis) -> Option<Settled> {
        let free = |row: &&Row| !self.is_on_its_way(&row.id);
        let rows: Vec<_> = settle::withheld(state)
            .into_iter()
            .filter(free)
            .take(SETTLED_ROWS_MAX)
            .map(|row| (row.id.clone(), RowEnd::Quarantined))
            .collect();
        (!rows.is_empty()).then(|| Settled { at_ms: now, rows, ..Settled::default() })
    }

    pub(super) fn give_up(
        &self,
        queue: &[&Row],
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Settled> {
        let old: Vec<&Row> = queue
            .iter()
            .filter(|row| now >= too_old_at(row, delivery) && !self.is_on_its_way(&row.id))
            .copied()
            .collect();
        if !old.is_empty() {
            let minutes = delivery.age_max_ms / MINUTE;
            let why = format!("not delivered within {minutes} minutes");
            let old = fitting(&old);
            return Some(settle::dead(old, &why, self.is_ambiguous(old), now));
        }
        let mut excess = too_many(queue);
        excess.retain(|row| !self.is_on_its_way(&row.id));
        if excess.is_empty() {
            return None;
        }
        let why = format!("more than {WAITING_BYTES_MAX} bytes wait for delivery");
        let excess = fitting(&excess);
        Some(settle::dead(excess, &why, self.is_ambiguous(excess), now))
    }

    /// How many bytes of actions may wait besides those that do.
    pub(crate) fn room(&self, state: &Conversation) -> usize {
        let waiting: usize = vendor_rows(state).iter().map(|row| row.bytes()).sum();
        WAITING_BYTES_MAX.saturating_sub(waiting)
    }

    /// Forgets tries at what has ended in another way than by a call of its own.
    pub(super) fn forget_ended(&mut self, state: &Conversation) {
        let waits = |id: &PartId| {
            state.rows.iter().any(|row| row.id == *id)
                || state.acknowledgements.iter().any(|it| it.id == *id)
        };
        self.tries.retain(|id, _| waits(id));
        self.request_tries.retain(|id, _| waits(id));
        self.singly.retain(waits);
    }
}

/// By what is stored alone: a row that was given up must not come back after a crash.
pub(super) fn too_old_at(row: &Row, delivery: &Delivery) -> Millis {
    row.made_ms.saturating_add(delivery.age_max_ms).saturating_add(1)
}

/// The oldest rows, as many as make the rest small enough to be kept.
fn too_many<'a>(queue: &[&'a Row]) -> Vec<&'a Row> {
    // Few rows are not worth measuring.
    if queue.len() <= 8 {
        return Vec::new();
    }
    let mut rest = 0;
    let kept = queue
        .iter()
        .rev()
        .take_while(|row| {
            rest += row.bytes();
            rest <= WAITING_BYTES_MAX
        })
        .count();
    queue[..queue.len() - kept].to_vec()
}
