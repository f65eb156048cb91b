//! What becomes of events of a person that wait while newer ones come.

use crate::event::Event;
use crate::json;
use crate::log::Arrival;
use crate::owner::Owner;
use crate::plan::{Plan, SKIPPED_BYTES_MAX, SKIPPED_MAX};
use crate::time::Millis;

/// What becomes of events of a person that wait while newer ones come. Those that
/// get no turn of their own are handed over with the next one, in
/// `session.skipped`: none is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Each has a turn of its own, in order.
    #[default]
    Serial,
    /// The newest has a turn; those before it are skipped.
    Latest,
    /// As [`Overlap::Latest`], and the turn begins only when the person has been
    /// silent for so long.
    Coalesce {
        /// How long, in milliseconds.
        silence_ms: Millis,
    },
}

impl Plan<'_> {
    /// Whether the event is skipped because this one, which follows it, stands
    /// for both. What is skipped has to fit into the next turn; then events have
    /// turns of their own again.
    pub fn superseded_by(&self, next: &Arrival) -> bool {
        let overlaps = match self.policy.overlap {
            Overlap::Serial => false,
            Overlap::Latest | Overlap::Coalesce { .. } => true,
        };
        overlaps
            && self.can_wait()
            && next.event.body.is_speech()
            // The host shows a page by itself: no bot runs that could be handed the event.
            && self.state.page_asked_for(&next.event.body, self.policy.choices).is_none()
            && next.key.as_deref().is_none_or(|key| !self.state.knows(key))
            && (next.key.is_none() || next.key != self.arrival.key)
            && self.fits_with_skipped(&self.arrival.event)
    }

    /// When the turn of the event may begin, if nothing follows it: a person who
    /// writes again has not finished. `arrived_ms` is when it came.
    pub fn complete_at(&self, arrived_ms: Millis) -> Millis {
        match self.policy.overlap {
            Overlap::Coalesce { silence_ms } if self.can_wait() => {
                let room = self.fits_with_skipped(&self.arrival.event);
                if room { arrived_ms.saturating_add(silence_ms) } else { 0 }
            }
            Overlap::Serial | Overlap::Latest | Overlap::Coalesce { .. } => 0,
        }
    }

    /// What begins a session is never skipped: a bot must be told of it first.
    fn can_wait(&self) -> bool {
        self.state.owner == Owner::Bot
            && self.session().is_some()
            && self.arrival.event.body.is_speech()
    }

    fn fits_with_skipped(&self, event: &Event) -> bool {
        let waiting = &self.state.skipped;
        let bytes: usize = waiting.iter().chain([event]).map(json::bytes).sum();
        waiting.len() < SKIPPED_MAX && bytes <= SKIPPED_BYTES_MAX
    }
}
