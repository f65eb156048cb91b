//! How far actions reach.

use crate::action::Action;
use crate::profile::Profile;

/// How far an action reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The person would notice it: withheld while somebody else speaks.
    Person,
    /// The vendor's desk only: notes, tags, what is known of the contact.
    Desk,
    /// This host only; no vendor ever sees it.
    Host,
}

/// How far an action reaches.
pub fn reach(action: &Action) -> Reach {
    match action {
        Action::Message(_)
        | Action::Bubbles(_)
        | Action::Carousel(_)
        | Action::ButtonTemplate(_)
        | Action::ListTemplate(_)
        | Action::Buttons(_)
        | Action::RichLink(_)
        | Action::Media(_)
        | Action::Navigate(_)
        | Action::Typing(_)
        | Action::Delay(_)
        | Action::SecureForm(_)
        | Action::Forward(_)
        | Action::Abort
        | Action::End
        | Action::Passthrough(_)
        | Action::Other(_) => Reach::Person,
        Action::ContactUpdate(_)
        | Action::ConversationUpdate(_)
        | Action::NoteCreate(_)
        | Action::Tag(_)
        | Action::Untag(_)
        | Action::Priority(_)
        | Action::WorkQueue(_)
        | Action::Resolve(_)
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_) => Reach::Desk,
        Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_) => Reach::Host,
    }
}

/// Whether a person of this vendor is shown something new by one of these, up to where the
/// conversation is given away: a sign of typing and a pause are nothing, and neither is
/// what is for another vendor.
pub fn shows_something(actions: &[Action], profile: &Profile, vendor: &str) -> bool {
    let gives_away =
        |action: &&Action| matches!(action, Action::Forward(_) | Action::Abort | Action::End);
    let shows = |action: &Action| {
        let unsaid = matches!(action, Action::Typing(_) | Action::Delay(_));
        let other_vendors = matches!(action, Action::Passthrough(it) if it.vendor != vendor);
        let name = |name: &str| format!("other:{name}");
        let unknown = matches!(action, Action::Other(it) if !profile.carries(&name(&it.name)));
        reach(action) == Reach::Person && !unsaid && !other_vendors && !unknown
    };
    actions.iter().take_while(|action| !gives_away(action)).any(shows)
}

/// Whether actions of this canonical name reach the vendor's desk and nobody else.
pub(crate) fn reaches_desk_only(name: &str) -> bool {
    DESK.contains(&name)
}

const DESK: [&str; 10] = [
    "contact_update",
    "conversation_update",
    "note_create",
    "tag",
    "untag",
    "priority",
    "work_queue",
    "resolve",
    "addon_dispatch",
    "email_dispatch",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::degrade::samples::{every_action, words};

    #[test]
    fn names_reach_as_far_as_their_actions() {
        for action in every_action(&words("t", &["l"])) {
            let only_desk = reach(&action) == Reach::Desk;
            assert_eq!(reaches_desk_only(action.name()), only_desk, "{}", action.name());
        }
    }
}
