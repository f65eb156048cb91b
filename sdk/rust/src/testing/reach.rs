//! Which actions the host withholds: those that the person would notice, once the
//! conversation is not the bot's.

use crate::action::Action;

/// Whether the host withholds each of a turn's actions.
pub(super) fn withheld(actions: &[Action], owner_is_bot: bool) -> Vec<bool> {
    let mut may_speak = owner_is_bot;
    let withheld = |action| {
        let withheld = !may_speak && reaches_the_person(action);
        may_speak &= !gives_away(action);
        withheld
    };
    actions.iter().map(withheld).collect()
}

/// Whether the conversation is not the bot's any more after this.
pub(super) fn gives_away(action: &Action) -> bool {
    matches!(action, Action::Forward(_) | Action::Abort | Action::End)
}

fn reaches_the_person(action: &Action) -> bool {
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
        | Action::Other(_) => true,
        Action::ContactUpdate(_)
        | Action::ConversationUpdate(_)
        | Action::NoteCreate(_)
        | Action::Tag(_)
        | Action::Untag(_)
        | Action::Priority(_)
        | Action::WorkQueue(_)
        | Action::Resolve(_)
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_)
        | Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_) => false,
    }
}
