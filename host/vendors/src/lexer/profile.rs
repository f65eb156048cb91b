//! What the mediums of this vendor can carry: those of Messenger, which it rides on.

use botyard_kernel::profile::Profile;

use super::NAME;
use crate::messenger;
use crate::profiles::File;

pub(crate) static FILE: File = messenger::profile::FILE.of_vendor(NAME, usual);

fn usual(medium: &str) -> Profile {
    of(medium, false)
}

/// What a medium carries for a channel whose hand-offs pass the thread, or do not:
/// falling silent reaches the team of the page and no other bot.
pub(super) fn of(medium: &str, passes_thread: bool) -> Profile {
    FILE.changed(medium, |table| {
        table.native.retain(|name| passes_thread || *name != "forward_bot");
    })
}
