//! What tells a vendor that an event was taken: claims, signs of having seen it.
//! They have a queue of their own, in order, and never hold up a reply.

use crate::destination::{Admission, Purpose};
use crate::id::PartId;
use crate::log::{Acknowledgement, Conversation, Settled};
use crate::outbox::{CallId, Called, Outbox, Send, chance, settle};
use crate::profile::Delivery;
use crate::retry;
use crate::time::Millis;

/// An acknowledgement is tried so often in all: the reply says as much.
pub const ACKNOWLEDGE_ATTEMPTS_MAX: u32 = 5;

/// The one acknowledgement that is under way.
#[derive(Debug)]
pub(super) struct Acknowledging {
    call: CallId,
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
        if let Called::Retry { after_ms, tries_max, .. } = called
            && tries.made < tries_max.unwrap_or(ACKNOWLEDGE_ATTEMPTS_MAX)
        {
            tries.wait_ms = retry::wait(tries.wait_ms, *after_ms, chance(&id, tries.made));
            tries.next_ms = now.saturating_add(tries.wait_ms);
            return None;
        }
        self.tries.remove(&id);
        let waiting = waiting?;
        let events = match (called, &waiting.asks_of) {
            (Called::Fatal(reason), Some(taken)) => vec![settle::undelivered(taken, reason, now)],
            _ => Vec::new(),
        };
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

    /// Acknowledgements that came too late to mean anything.
    pub(super) fn outdated(
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Settled> {
        let old = |it: &&Acknowledgement| now > it.made_ms.saturating_add(delivery.age_max_ms);
        let old: Vec<PartId> =
            state.acknowledgements.iter().filter(old).map(|it| it.id.clone()).collect();
        (!old.is_empty()).then(|| Settled { at_ms: now, acknowledged: old, ..Settled::default() })
    }

    fn next_acknowledgement<'a>(
        &self,
        state: &'a Conversation,
        delivery: &Delivery,
    ) -> Option<(&'a Acknowledgement, Millis)> {
        if self.acknowledging.is_some() || self.paused.channel {
            return None;
        }
        let head = state.acknowledgements.first()?;
        let next_ms = self.tries.get(&head.id).map_or(0, |tries| tries.next_ms);
        let old_ms = head.made_ms.saturating_add(delivery.age_max_ms).saturating_add(1);
        let next_ms = next_ms.max(self.acknowledgements.held_until_ms);
        Some((head, next_ms.min(old_ms)))
    }
}
