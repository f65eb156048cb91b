//! What the mediums of this vendor can carry: `profile.toml` beside this file.

use botyard_kernel::profile::Profile;

use super::NAME;
use crate::profiles::File;

/// What a medium carries. One that we do not know gets the least.
pub(crate) static FILE: File = File::new(NAME, include_str!("profile.toml"), of);

pub(super) fn of(medium: &str) -> Profile {
    FILE.profile(medium)
}
