//! What tells a vendor that an event was taken: claims, signs of having seen it; and
//! what asks it whether it has delivered what it took. They have a queue of their own,
//! in order, and never hold up a reply. A question that waits holds up nothing at all:
//! what stands behind it goes first.

use crate::destination::{Admission, Purpose};
use crate::id::PartId;
use crate::log::{ACKNOWLEDGEMENTS_MAX, Acknowledgement, Arrival, Conversation, Settled, Taken};
use crate::outbox::{CallId, Called, Outbox, Send, chance, settle};
use crate::profile::Delivery;
use crate::retry;
use crate::time::{MINUTE, Millis, SECOND};

/// An acknowledgement is tried so often in all: the reply says as much.
pub const ACKNOWLEDGE_ATTEMPTS_MAX: u32 = 5;
/// What a vendor has taken is asked for so long afterwards: sooner it has nearly surely
/// not delivered it yet.
pub const ASK_AFTER_MS: Millis = 2 * SECOND;
/// What is said of a part of which nobody knows what became.
const UNKNOWN: &str = "the vendor has taken it, and did not say whether it was delivered";

/// The one acknowledgement that is under way.
#[derive(Debug)]
pub(super) struct Acknowledging {
    pub(super) call: CallId,
    id: PartId,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its destination is asked.
    Asking,
    /// It may leave.
    Admitted,
    /// It has left.
    Sent,
}

impl Outbox {
    /// The call of an acknowledgement ended. To acknowledge twice does no harm, so
    /// these calls are neither claimed nor asked about.
    pub fn acknowledged(
        &mut self,
        state: &Conversation,
        call: CallId,
        called: &Called,
        now: Millis,
    ) -> Option<Settled> {
        let Acknowledging { id, .. } = self.acknowledging.take_if(|it| it.call == call)?;
        let waiting = state.acknowledgements.iter().find(|waiting| waiting.id == id);
        let tries = self.tries.entry(id.clone()).or_default();
        tries.made += 1;
        // What is asked is asked until there is an answer, or until it is too old.
        let asks = waiting.is_some_and(|it| it.asks_of.is_some());
        let own_max = (!asks).then_some(ACKNOWLEDGE_ATTEMPTS_MAX);
        if let Called::Retry { after_ms, tries_max, .. } = called
            && tries_max.or(own_max).is_none_or(|max| tries.made < max)
        {
            let chance = chance(&id, tries.made);
            tries.wait_ms = if asks {
                retry::question(tries.made, *after_ms, chance)
            } else {
                retry::wait(tries.wait_ms, *after_ms, chance)
            };
            tries.next_ms = now.saturating_add(tries.wait_ms);
            return None;
        }
        self.tries.remove(&id);
        let events = waiting?.asks_of.as_ref().and_then(|taken| answer(taken, called, now));
        let events = events.into_iter().collect();
        Some(Settled { at_ms: now, acknowledged: vec![id], events, ..Settled::default() })
    }

    /// The next acknowledgement asks whether it may leave, and leaves.
    pub(super) fn acknowledge(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Send> {
        let waiting = |id: &PartId| state.acknowledgements.iter().find(|it| it.id == *id);
        let paused = self.paused.channel;
        self.acknowledging.take_if(|it| match it.stage {
            Stage::Asking | Stage::Admitted => paused || waiting(&it.id).is_none(),
            Stage::Sent => false,
        });
        if paused || state.acknowledgements.is_empty() {
            // Nobody comes to take the place that is kept.
            self.acknowledgements.ticket = None;
        }
        if let Some(admitted) = self.acknowledging.as_mut().filter(|it| it.stage == Stage::Admitted)
        {
            admitted.stage = Stage::Sent;
            let acknowledgement = waiting(&admitted.id)?.clone();
            return Some(Send::Acknowledge { call: admitted.call, acknowledgement });
        }
        let (head, at) = self.next_acknowledgement(state, delivery)?;
        if now < at {
            return None;
        }
        self.calls += 1;
        let (call, id) = (self.calls, head.id.clone());
        self.acknowledging = Some(Acknowledging { call, id, stage: Stage::Asking });
        let ticket = self.acknowledgements.ticket;
        Some(Send::Ask { call, ticket, purpose: Purpose::Acknowledgement })
    }

    /// Whether an acknowledgement may leave, as its destination says.
    pub(super) fn acknowledgement_admitted(&mut self, call: CallId, admission: Admission) {
        let Some(asking) = self.acknowledging.as_mut().filter(|it| it.call == call) else {
            return;
        };
        if self.acknowledgements.goes(admission) {
            asking.stage = Stage::Admitted;
        } else {
            self.acknowledging = None;
        }
    }

    /// When the next acknowledgement may leave.
    pub(super) fn acknowledge_at(
        &self,
        state: &Conversation,
        delivery: &Delivery,
    ) -> Option<Millis> {
        self.next_acknowledgement(state, delivery).map(|(_, at)| at)
    }

    /// Acknowledgements that came too late to mean anything, and those that are too many.
    pub(super) fn outdated(
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Settled> {
        let old = |it: &Acknowledgement| now > it.made_ms.saturating_add(delivery.age_max_ms);
        let excess = state.acknowledgements_in_excess();
        let over = state.acknowledgements.iter().filter(|it| old(it) || excess.contains(it));
        let mut settled = Settled { at_ms: now, ..Settled::default() };
        for it in over {
            settled.acknowledged.push(it.id.clone());
            let Some(taken) = &it.asks_of else { continue };
            let why = if old(it) {
                format!("in {} minutes", delivery.age_max_ms / MINUTE)
            } else {
                format!("before {ACKNOWLEDGEMENTS_MAX} others had to be told or asked")
            };
            let why = format!("{UNKNOWN} {why}");
            settled.events.push(settle::undelivered(taken, &why, true, now));
        }
        (!settled.acknowledged.is_empty()).then_some(settled)
    }

    /// The first of what is told, in order, or a question before it that may leave
    /// sooner.
    fn next_acknowledgement<'a>(
        &self,
        state: &'a Conversation,
        delivery: &Delivery,
    ) -> Option<(&'a Acknowledgement, Millis)> {
        if self.acknowledging.is_some() || self.paused.channel {
            return None;
        }
        let asks = |it: &&Acknowledgement| it.asks_of.is_some();
        let at = |it: &Acknowledgement| {
            let first = if asks(&it) { it.made_ms.saturating_add(ASK_AFTER_MS) } else { 0 };
            let next_ms = self.tries.get(&it.id).map_or(first, |tries| tries.next_ms);
            let old_ms = it.made_ms.saturating_add(delivery.age_max_ms).saturating_add(1);
            next_ms.max(self.acknowledgements.held_until_ms).min(old_ms)
        };
        let told = state.acknowledgements.iter().find(|it| !asks(it));
        let asked = state.acknowledgements.iter().filter(asks);
        told.into_iter().chain(asked).map(|it| (it, at(it))).min_by_key(|(_, at)| *at)
    }
}

/// What a question came to, where that is a failure or where it is never known.
fn answer(taken: &Taken, called: &Called, now: Millis) -> Option<Arrival> {
    let (reason, ambiguous) = match called {
        Called::Delivered { .. } => return None,
        Called::Fatal(reason) => (reason.clone(), false),
        Called::Retry { reason, .. } | Called::Taken(reason) | Called::Gone(reason) => {
            (format!("{UNKNOWN}: {reason}"), true)
        }
    };
    Some(settle::undelivered(taken, &reason, ambiguous, now))
}
