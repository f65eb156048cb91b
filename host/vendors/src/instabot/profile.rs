//! What a chat can carry: texts, and texts with options of which one can be tapped. All
//! mediums are alike, as the client alone decides what it shows: `profile.toml` beside
//! this file.

use botyard_kernel::profile::Profile;

use super::NAME;
use crate::profiles::File;

/// The vendor states no limit, so the longest text of an action goes out in one piece.
pub(crate) static FILE: File = File::new(NAME, include_str!("profile.toml"), |_| of_all());

pub(super) fn of_all() -> Profile {
    FILE.profile("*")
}
