//! Signs of typing that a message does not end.

use crate::action::{Action, Typing};
use crate::plan::draft::{Draft, is_said};
use crate::plan::{Reach, reach};

impl Draft<'_> {
    /// The sign of typing ends behind what the bot says, where the medium leaves it on.
    /// `part` is the number that the end has among the parts of the action.
    pub(super) fn stop_typing_behind_words(&mut self, index: usize, part: usize, given: &Action) {
        if let Action::Typing(typing) = given {
            let stays = self.profile.carries("typing_until_stopped");
            self.state.typing = stays && *typing == Typing::Start;
        } else if part > 0 && reach(given) == Reach::Person && self.says(part) {
            self.stop_typing(index, part);
        }
    }

    /// Whoever has given the conversation away cannot end it any more.
    pub(super) fn stop_typing_before_the_end(&mut self, index: usize, part: usize, given: &Action) {
        if matches!(given, Action::Forward(_) | Action::Abort | Action::End) {
            self.stop_typing(index, part);
        }
    }

    /// Whether one of the last so many rows tells the person something.
    fn says(&self, rows: usize) -> bool {
        self.state.rows.iter().rev().take(rows).any(|row| is_said(&row.action))
    }

    fn stop_typing(&mut self, index: usize, part: usize) {
        if std::mem::take(&mut self.state.typing) {
            self.add_row(index, part, Action::Typing(Typing::Stop), None);
        }
    }
}
