//! What follows when the vendor has taken a call, or has not.

use crate::id::PartId;
use crate::log::{Conversation, Settled};
use crate::outbox::flight::Flight;
use crate::outbox::{CallId, Called, Outbox, chance, select, settle, vendor_rows};
use crate::profile::Delivery;
use crate::retry;
use crate::time::Millis;

impl Outbox {
    /// A vendor call ended.
    pub fn called(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        call: CallId,
        called: Called,
        now: Millis,
    ) -> Option<Settled> {
        let flight = self.flight.take_if(|flight| flight.call == call)?;
        let rows = select(state, &flight.rows);
        let known = !matches!(called, Called::Retry { ambiguous: true, .. });
        let claimed = known.then(|| self.without(&flight.rows, state));
        let mut settled = match called {
            Called::Delivered { follow_ups, asks } => {
                let settled = settle::delivered(&rows, delivery, now);
                Settled { follow_ups: settle::told_of(&rows, follow_ups, asks, now), ..settled }
            }
            Called::Retry { ambiguous: true, reason, .. } if delivery.hold_ambiguous => {
                let why = format!("held, because it may have been delivered: {reason}");
                settle::dead(state, &rows, &why, true, now)
            }
            Called::Retry { after_ms, ambiguous, reason, tries_max } => {
                let (made, wait_ms) = self.try_again(&flight, after_ms, ambiguous);
                if tries_max.is_some_and(|max| made >= max) {
                    let why = format!("{reason} (tried {made} times)");
                    settle::dead(state, &rows, &why, self.is_ambiguous(&rows), now)
                } else {
                    // The next host has to wait as long.
                    let calls_from_ms = Some(now.saturating_add(wait_ms));
                    Settled { at_ms: now, calls_from_ms, ..Settled::default() }
                }
            }
            Called::Fatal(_) if rows.len() > 1 => {
                self.singly.extend(flight.rows.iter().cloned());
                Settled { at_ms: now, ..Settled::default() }
            }
            Called::Fatal(reason) => {
                settle::dead(state, &rows, &reason, self.is_ambiguous(&rows), now)
            }
            Called::Taken(reason) => {
                let mut waiting = vendor_rows(state);
                waiting.retain(|row| !flight.rows.contains(&row.id) && !self.is_offered(&row.id));
                let ambiguous = self.is_ambiguous(&rows);
                settle::taken(state, &rows, &waiting, &reason, ambiguous, now)
            }
            Called::Gone(reason) => settle::gone(state, flight.rows.len(), &reason, now),
        };
        let ended = |id: &PartId| settled.rows.iter().any(|(row, _)| row == id);
        self.tries.retain(|id, _| !ended(id));
        self.singly.retain(|id| !ended(id));
        // The vendor counted it some time before its answer came. Calls of the
        // same millisecond stay two.
        let last = state.called_ms.iter().max();
        settled.called_ms.push(last.map_or(now, |last| now.max(last + 1)));
        settled.claimed = claimed;
        Some(settled)
    }

    /// Notes a call that has to be made again: how many were made, and how long the
    /// next one waits.
    fn try_again(
        &mut self,
        flight: &Flight,
        after_ms: Option<Millis>,
        ambiguous: bool,
    ) -> (u32, Millis) {
        let (mut made, mut before) = (0, 0);
        for id in &flight.rows {
            let tries = self.tries.entry(id.clone()).or_default();
            tries.made += 1;
            tries.ambiguous |= ambiguous;
            made = made.max(tries.made);
            before = before.max(tries.wait_ms);
        }
        let Some(head) = flight.rows.first() else { return (made, 0) };
        let wait_ms = retry::wait(before, after_ms, chance(head, made));
        for id in &flight.rows {
            self.tries.entry(id.clone()).or_default().wait_ms = wait_ms;
        }
        (made, wait_ms)
    }
}
