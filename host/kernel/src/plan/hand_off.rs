//! Hand-offs where the vendor has nothing like them.

use crate::action::{Action, Forward, ForwardTarget};
use crate::degrade::{Degraded, Note};
use crate::event::EventBody;
use crate::log::{HandOff, Route};
use crate::plan::Draft;

impl Draft<'_> {
    /// Whom the host itself gives the conversation to, where the vendor can give it to
    /// nobody: the humans at its desk, and else the bot hears that nobody took it. A
    /// hand-off of the host's own and one that answers such a failure are only left
    /// out, so that none follows from another for ever.
    pub(super) fn hand_over_here(
        &self,
        action: &Action,
        degraded: &mut Degraded,
    ) -> Option<HandOff> {
        let hands_over = matches!(action, Action::Forward(_) | Action::Abort);
        if !hands_over || !degraded.actions.is_empty() {
            return None;
        }
        let failed = matches!(self.plan.arrival.event.body, EventBody::ForwardFailed(_));
        // Who cannot be answered any more needs nobody at the desk.
        let has_desk = self.plan.policy.has_desk && self.state.route != Route::ThisAnswer;
        let vendor = &self.plan.policy.vendor;
        let (hand_off, what) = if has_desk {
            let what = format!(
                "handed over to whoever is at the host's desk: {vendor} hands over to nobody"
            );
            (HandOff::Desk, is_to_somebody(action).then_some(what))
        } else if failed || self.by_host {
            return None;
        } else {
            let what = format!(
                "nobody can take the conversation: {vendor} hands over to nobody on this medium, \
                 and the channel has no `desk-token`; `forward_failed` follows"
            );
            (HandOff::Nobody, Some(what))
        };
        degraded.notes =
            what.map(|what| Note { action: action.name(), what }).into_iter().collect();
        degraded.actions.push(action.clone());
        Some(hand_off)
    }
}

/// Whether it is for somebody of whom the desk knows nothing.
fn is_to_somebody(action: &Action) -> bool {
    matches!(action, Action::Forward(Forward { target, .. }) if *target != ForwardTarget::Any)
}
