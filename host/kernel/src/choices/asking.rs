//! What asks a person something besides its options.

use crate::action::Action;

/// The question marks of the scripts that have one.
const QUESTION_MARKS: [char; 9] = ['?', '？', '؟', '⁇', '⁈', '⁉', '՞', '፧', '\u{37e}'];

/// Whether a person who reads this behind a menu is asked something else: a text with a
/// question, or a form. "Take your time" asks nothing.
pub(crate) fn asks_more(action: &Action) -> bool {
    match action {
        Action::Message(message) => has_question(&message.text),
        Action::Buttons(buttons) => buttons.text.as_deref().is_some_and(has_question),
        Action::RichLink(link) => link.text.as_deref().is_some_and(has_question),
        Action::Media(media) => media.caption.as_deref().is_some_and(has_question),
        Action::SecureForm(_) => true,
        Action::Bubbles(_)
        | Action::Carousel(_)
        | Action::ButtonTemplate(_)
        | Action::ListTemplate(_)
        | Action::Navigate(_)
        | Action::Typing(_)
        | Action::Delay(_)
        | Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::ContactUpdate(_)
        | Action::ConversationUpdate(_)
        | Action::NoteCreate(_)
        | Action::Tag(_)
        | Action::Untag(_)
        | Action::Priority(_)
        | Action::WorkQueue(_)
        | Action::Resolve(_)
        | Action::Forward(_)
        | Action::Abort
        | Action::End
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_)
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_)
        | Action::Passthrough(_)
        | Action::Other(_) => false,
    }
}

/// A question mark, but for those of addresses.
fn has_question(text: &str) -> bool {
    text.split_whitespace().any(|word| !word.contains("://") && word.contains(QUESTION_MARKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_have_a_mark_that_is_not_of_an_address() {
        let rows = [
            ("How many people?", true),
            ("How many? We ask for the table.", true),
            ("(really?)", true),
            ("何名様ですか？", true),
            ("كم عددكم؟", true),
            ("Take your time.", false),
            ("See https://shop.example/search?q=bread for more.", false),
            ("", false),
        ];
        for (text, expect) in rows {
            assert_eq!(has_question(text), expect, "{text:?}");
        }
    }
}
