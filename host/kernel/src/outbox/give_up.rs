//! What does not leave: it has become too old or too much, or somebody else speaks.

use crate::action::Action;
use crate::id::PartId;
use crate::log::{Conversation, Route, Row, RowEnd, Settled};
use crate::outbox::{
    Outbox, SETTLED_ROWS_MAX, WAITING_BYTES_MAX, WAITS_FOR_PERSON_MS, fitting, settle, vendor_rows,
};
use crate::profile::Delivery;
use crate::time::{MINUTE, Millis};

impl Outbox {
    /// What waits to be said while somebody else has the conversation.
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
        state: &Conversation,
        queue: &[&Row],
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Settled> {
        let route = state.route;
        let old = |row: &&&Row| {
            now >= self.too_old_at(row, route, delivery) && !self.is_on_its_way(&row.id)
        };
        let old = queue.iter().filter(old).filter(|row| !self.ends_a_sentence(row, queue));
        let old: Vec<&Row> = old.copied().collect();
        if !old.is_empty() {
            let why = match route {
                Route::Calls => {
                    format!("not delivered within {} minutes", delivery.age_max_ms / MINUTE)
                }
                Route::Answers => "the person did not write again".to_owned(),
                Route::ThisAnswer => "nothing can be said after the answer".to_owned(),
            };
            let old = fitting(&old);
            let doubtful = self.is_ambiguous(old);
            return Some(settle::given_up(state, old, &why, doubtful, delivery, now));
        }
        let mut excess = too_many(queue);
        excess.retain(|row| !self.is_on_its_way(&row.id));
        if excess.is_empty() {
            return None;
        }
        let why = format!("more than {WAITING_BYTES_MAX} bytes wait for delivery");
        let excess = fitting(&excess);
        let doubtful = self.is_ambiguous(excess);
        Some(settle::given_up(state, excess, &why, doubtful, delivery, now))
    }

    /// Whether a row ends the conversation and something that the bot has said before is
    /// still on its way. As long as the end waits, the bot may finish its sentence: it is
    /// the bot that ends it, and nobody has taken it.
    pub(super) fn ends_a_sentence(&self, row: &Row, queue: &[&Row]) -> bool {
        row.action == Action::End && queue.iter().any(|row| self.is_on_its_way(&row.id))
    }

    /// When a row is given up. But for answers, by what is stored alone: a row that was
    /// given up must not come back after a crash.
    pub(super) fn too_old_at(&self, row: &Row, route: Route, delivery: &Delivery) -> Millis {
        match route {
            Route::Calls => row.made_ms.saturating_add(delivery.age_max_ms).saturating_add(1),
            Route::Answers => row.made_ms.saturating_add(WAITS_FOR_PERSON_MS),
            Route::ThisAnswer if self.open.is_empty() => 0,
            Route::ThisAnswer => Millis::MAX,
        }
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

/// How many bytes of actions (canonical JSON) may wait for delivery besides those that do.
pub fn room(state: &Conversation) -> usize {
    let waiting: usize = vendor_rows(state).iter().map(|row| row.bytes()).sum();
    WAITING_BYTES_MAX.saturating_sub(waiting)
}

/// The oldest rows, as many as make the rest small enough to be kept.
fn too_many<'a>(queue: &[&'a Row]) -> Vec<&'a Row> {
    // A single row is never too much: no turn returns more.
    if queue.len() <= 1 {
        return Vec::new();
    }
    let kept = settle::within(WAITING_BYTES_MAX, queue.iter().rev());
    queue[..queue.len() - kept].to_vec()
}
