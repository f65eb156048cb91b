//! For authors who would rather hear of a change than have it made.

use crate::action::Action;
use crate::degrade::degrade_in;
use crate::profile::Profile;
use crate::run::{Blame, FailureKind, RunFailure};

/// Refuses the actions of a turn if one of them would not reach this medium just
/// as the bot gave it.
///
/// # Errors
/// Bot-blamed, for the first such action: which one, on which medium, and what
/// would become of it. It quotes nothing that the bot said.
pub fn refuse_changes(
    actions: &[Action],
    profile: &Profile,
    vendor: &str,
    medium: &str,
    locale: Option<&str>,
) -> Result<(), RunFailure> {
    for (index, action) in actions.iter().enumerate() {
        let done = degrade_in(action.clone(), profile, vendor, locale);
        if done.notes.is_empty() {
            continue;
        }
        let notes = done.notes.iter().map(|note| &*note.what).collect::<Vec<_>>().join("; ");
        return Err(RunFailure {
            blame: Blame::Bot,
            kind: FailureKind::InvalidAction,
            message: format!(
                "action {index} ({}): {vendor} cannot carry it unchanged on `{medium}`, and the \
                 bot denies changes: {notes}; ask `session.profile` what the medium carries, or \
                 allow changes",
                action.name()
            ),
        });
    }
    Ok(())
}
