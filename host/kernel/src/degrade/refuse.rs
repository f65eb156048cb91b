//! For authors who would rather hear of a change than have it made.

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::degrade::Note;
use crate::run::{Blame, FailureKind, RunFailure};

/// What becomes of what a medium cannot carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Degrading {
    /// It becomes something that the medium carries, with a word in the bot's log.
    #[default]
    Allow,
    /// It fails the turn, with a word on what would have become of it.
    Deny,
}

/// The failure of an action that would not reach the medium just as the bot gave it;
/// nothing where no note says so. It quotes nothing that the bot said.
pub fn refusal(
    index: usize,
    action: &Action,
    notes: &[Note],
    vendor: &str,
    medium: &str,
) -> Option<RunFailure> {
    if notes.is_empty() {
        return None;
    }
    let notes = notes.iter().map(|note| &*note.what).collect::<Vec<_>>().join("; ");
    Some(RunFailure {
        blame: Blame::Bot,
        kind: FailureKind::InvalidAction,
        message: format!(
            "action {index} ({}): {vendor} cannot carry it unchanged on `{medium}`, and the bot \
             denies changes: {notes}; ask `session.profile` what the medium carries, or allow \
             changes",
            action.name()
        ),
    })
}
