//! The next page of a menu: the host shows it, and the bot hears of the option only.

use crate::choices::Page;
use crate::event::EventBody;
use crate::log::{Outcome, SkipReason, Turn};
use crate::plan::{Draft, Plan};
use crate::profile::Profile;

impl Plan<'_> {
    /// The page that the event asks for, by words unless the session in which the menu was
    /// offered is over: what was asked in it waits for none.
    ///
    /// A tap names its menu also when the session is over. Its page is shown then, too,
    /// and no session begins: the person has not said anything yet that a bot could answer,
    /// only the option that they choose is something. Words may answer that page.
    pub(super) fn page(&self) -> Option<Page> {
        let body = &self.arrival.event.body;
        let asks = matches!(body, EventBody::Click(_)) || !self.outlives_session();
        self.state.page_asked_for(body, self.policy.choices).filter(|_| asks)
    }

    /// Whether a page is asked for by a tap, which says nothing else; words may.
    pub(super) fn taps_for_a_page(&self) -> bool {
        matches!(self.arrival.event.body, EventBody::Click(_)) && self.page().is_some()
    }

    /// The turn that shows it.
    pub(super) fn show_page(&self) -> Turn {
        // Pages were degraded when the menu was offered.
        let profile = Profile::new(&[], 0);
        let now = self.arrival.event.received_ms;
        let mut draft = Draft::new(self, &profile, Vec::new(), now, false);
        if let Some(page) = self.page() {
            draft.show(page);
        }
        let (state, log) = draft.finish();
        self.turn(state, Outcome::Skipped(SkipReason::NextPage), log, Vec::new())
    }
}
