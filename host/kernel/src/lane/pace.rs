//! The loop guard: how quickly a conversation's turns may follow each other.

use crate::event::EventBody;
use crate::profile::Rate;
use crate::rate;
use crate::time::{MINUTE, Millis};

/// More turns of a conversation than these are slowed down, never dropped.
pub const TURN_RATE: Rate = Rate { calls: 600, window_ms: MINUTE };
/// More turns that no person caused are slowed down, never dropped: a bot that
/// wakes itself again and again must not keep a host busy.
pub const UNPROMPTED_RATE: Rate = Rate { calls: 30, window_ms: MINUTE };

/// When the bot ran of late. In memory only: a host that starts again allows
/// one window more, which does no harm to anybody.
#[derive(Debug, Default)]
pub(super) struct Pace {
    turns_ms: Vec<Millis>,
    unprompted_ms: Vec<Millis>,
}

impl Pace {
    /// The earliest time at which the bot may run on such an event; 0 where
    /// nothing holds it back.
    pub(super) fn free_at(&self, event: &EventBody) -> Millis {
        if is_prompted(event) { self.any_free_at() } else { self.unprompted_free_at() }
    }

    /// The same for an event that no person caused.
    pub(super) fn unprompted_free_at(&self) -> Millis {
        self.any_free_at().max(rate::free_at(&self.unprompted_ms, UNPROMPTED_RATE, 0))
    }

    /// The bot had a turn on such an event. Events that it does not run on cost
    /// next to nothing, so they are neither counted nor slowed.
    pub(super) fn note(&mut self, event: &EventBody, now: Millis) {
        note(&mut self.turns_ms, TURN_RATE, now);
        if !is_prompted(event) {
            note(&mut self.unprompted_ms, UNPROMPTED_RATE, now);
        }
    }

    fn any_free_at(&self) -> Millis {
        rate::free_at(&self.turns_ms, TURN_RATE, 0)
    }
}

fn note(turns_ms: &mut Vec<Millis>, rate: Rate, now: Millis) {
    turns_ms.retain(|at| now < at.saturating_add(rate.window_ms));
    turns_ms.push(now);
}

/// Whether somebody outside caused the event: a person, the vendor, the
/// tenant's own systems. Others can follow from what the bot itself did.
fn is_prompted(event: &EventBody) -> bool {
    match event {
        EventBody::Start(_)
        | EventBody::Message(_)
        | EventBody::Click(_)
        | EventBody::Media(_)
        | EventBody::Location(_)
        | EventBody::Signal(_)
        | EventBody::Returned(_)
        | EventBody::HumanSpoke(_)
        | EventBody::Ended(_)
        | EventBody::CampaignUnsubscribe(_)
        | EventBody::Other(_) => true,
        EventBody::Timer(_)
        | EventBody::Response(_)
        | EventBody::ForwardFailed(_)
        | EventBody::DeliveryFailed(_) => false,
    }
}
