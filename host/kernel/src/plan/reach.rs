//! How far actions reach.

use crate::action::Action;

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

/// Whether a person is shown something new by one of these: a sign of typing and a pause are
/// nothing, and a hand-over and an end are not said to them.
pub fn shows_something(actions: &[Action]) -> bool {
    let silent = |action: &Action| {
        let unsaid = matches!(action, Action::Typing(_) | Action::Delay(_));
        unsaid || matches!(action, Action::Forward(_) | Action::Abort | Action::End)
    };
    actions.iter().any(|action| reach(action) == Reach::Person && !silent(action))
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
