//! What tells a vendor that an event was taken: claims, signs of having seen it.
//! They have a queue of their own, in order, and never hold up a reply.

use crate::id::PartId;
use crate::log::{Acknowledgement, Conversation, Settled};
use crate::outbox::{CallId, Called, Outbox, Send, chance};
use crate::profile::Delivery;
use crate::retry;
use crate::time::Millis;

/// An acknowledgement is tried so often in all: the reply says as much.
pub const ACKNOWLEDGE_ATTEMPTS_MAX: u32 = 5;

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
        let (_, id) = self.acknowledging.take_if(|(under_way, _)| *under_way == call)?;
        let waits = state.acknowledgements.iter().any(|waiting| waiting.id == id);
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
        let acknowledged = vec![id];
        waits.then(|| Settled { at_ms: now, acknowledged, ..Settled::default() })
    }

    /// The next acknowledgement, if it may leave.
    pub(super) fn acknowledge(
        &mut self,
        state: &Conversation,
        delivery: &Delivery,
        now: Millis,
    ) -> Option<Send> {
        let (head, at) = self.next_acknowledgement(state, delivery)?;
        if now < at {
            return None;
        }
        self.calls += 1;
        self.acknowledging = Some((self.calls, head.id.clone()));
        Some(Send::Acknowledge { call: self.calls, acknowledgement: head.clone() })
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
        Some((head, next_ms.min(old_ms)))
    }
}
