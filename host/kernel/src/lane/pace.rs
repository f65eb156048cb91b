//! The loop guard: how quickly a conversation's turns may follow each other.

use crate::event::EventBody;
use crate::log::Arrival;
use crate::profile::Rate;
use crate::rate;
use crate::relay;
use crate::time::{MINUTE, Millis};

/// More turns of a conversation than these are slowed down, never dropped.
pub const TURN_RATE: Rate = Rate { calls: 600, window_ms: MINUTE };
/// More turns that no person caused are slowed down, never dropped: a bot that
/// wakes itself again and again must not keep a host busy.
pub const UNPROMPTED_RATE: Rate = Rate { calls: 30, window_ms: MINUTE };

/// When turns were of late. In memory only: a host that starts again allows
/// one window more, which does no harm to anybody.
#[derive(Debug, Default)]
pub(super) struct Pace {
    turns_ms: Vec<Millis>,
    unprompted_ms: Vec<Millis>,
}

impl Pace {
    /// The earliest time at which such an event may have its turn; 0 where nothing
    /// holds it back.
    pub(super) fn free_at(&self, arrival: &Arrival) -> Millis {
        if is_prompted(arrival) { self.any_free_at() } else { self.unprompted_free_at() }
    }

    /// The same for an event that no person caused.
    pub(super) fn unprompted_free_at(&self) -> Millis {
        self.any_free_at().max(rate::free_at(&self.unprompted_ms, UNPROMPTED_RATE, 0))
    }

    /// The bot, or an external one, had a turn on an event that somebody outside
    /// caused, or nobody. Events on which neither does anything cost next to nothing, so
    /// they are neither counted nor slowed.
    pub(super) fn note(&mut self, is_prompted: bool, now: Millis) {
        note(&mut self.turns_ms, TURN_RATE, now);
        if !is_prompted {
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
/// tenant's own systems. Others can follow from what the bot itself did, as what an
/// external bot says, and that the host gives the conversation back, follow from a hand-over.
pub(super) fn is_prompted(arrival: &Arrival) -> bool {
    let body = &arrival.event.body;
    match body {
        EventBody::Start(_)
        | EventBody::Message(_)
        | EventBody::Click(_)
        | EventBody::Media(_)
        | EventBody::Location(_)
        | EventBody::Signal(_)
        | EventBody::HumanSpoke(_)
        | EventBody::Ended(_)
        | EventBody::CampaignUnsubscribe(_) => true,
        EventBody::Returned(_) => !arrival.by_host,
        EventBody::Other(_) => !relay::is_relays(body),
        EventBody::Timer(_)
        | EventBody::Response(_)
        | EventBody::ForwardFailed(_)
        | EventBody::DeliveryFailed(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, NamedPayload, Returned};
    use crate::relay::RELAY;
    use crate::session::Seed;

    #[test]
    fn what_can_follow_from_a_hand_over_is_caused_by_nobody_outside() {
        let other = |name: &str| {
            EventBody::Other(NamedPayload { name: name.to_owned(), json: "{}".to_owned() })
        };
        let returned = || EventBody::Returned(Returned::default());
        let table = [
            (returned(), false, true),
            (returned(), true, false),
            (other("reaction"), false, true),
            (other(RELAY), false, false),
        ];
        for (body, by_host, expected) in table {
            let arrival = Arrival::new(Event::new("e1".into(), 1, body), Seed::default());
            let arrival = Arrival { by_host, ..arrival };
            assert_eq!(is_prompted(&arrival), expected, "{:?}", arrival.event.body);
        }
    }
}
