//! What a medium can carry through Userlike: `profile.toml` beside this file, and
//! what the channel's dialect says of all mediums.

use botyard_kernel::profile::Profile;

use super::NAME;
use super::dialect::Dialect;
use crate::profiles::File;

/// What the vendor carries where the dialect says nothing else.
pub(crate) static FILE: File =
    File::new(NAME, include_str!("profile.toml"), |medium| of(&Dialect::default(), medium));

/// What a medium can carry. One that we do not know gets what all can.
pub(super) fn of(dialect: &Dialect, medium: &str) -> Profile {
    let mut profile = FILE.profile(medium);
    profile.native.extend(of_dialect(dialect));
    profile
}

/// What the channel's dialect says of all mediums.
fn of_dialect(dialect: &Dialect) -> impl Iterator<Item = &'static str> {
    let parts = [
        ("bubbles_markdown", dialect.bubbles_text_format),
        ("forward_skills_feedback", dialect.skills_feedback),
        ("buttons_text", !dialect.keys.buttons_text.is_empty()),
    ];
    parts.into_iter().filter(|(_, carried)| *carried).map(|(part, _)| part)
}
