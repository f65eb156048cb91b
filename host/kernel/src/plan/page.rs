//! The next page of a menu: the host shows it, and the bot hears of the option only.

use crate::choices::Page;
use crate::log::{Outcome, SkipReason, Turn};
use crate::plan::{Draft, Plan};
use crate::profile::Profile;

impl Plan<'_> {
    /// The page that the event asks for.
    pub(super) fn page(&self) -> Option<Page> {
        self.session()?;
        self.state.page_asked_for(&self.arrival.event.body)
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
