//! One action of each case, in the canonical form.

use botyard_kernel::action::Action;

/// All of them.
pub(crate) fn all() -> Vec<Action> {
    serde_json::from_str(include_str!("actions.json")).unwrap()
}
