//! What a chat can carry: texts, and texts with options of which one can be tapped. All
//! mediums are alike, as the client alone decides what it shows. `profile.toml` says
//! the same with the sources.

use botyard_kernel::event::Setting;
use botyard_kernel::profile::Profile;

/// The vendor states none, so the longest text of an action goes out in one piece.
const TEXT_CHARACTERS: usize = 5_000;

/// The profile of every medium.
pub(super) fn of_all() -> Profile {
    Profile {
        native: vec!["message", "bubbles"],
        text_characters: TEXT_CHARACTERS,
        list_rows: None,
        settings: vec![
            Setting::new("text-characters", TEXT_CHARACTERS.to_string()),
            Setting::new("list-multiple", "false"),
            Setting::new("header-kinds", ""),
            Setting::new("media", "false"),
            Setting::new("navigate", "false"),
            Setting::new("typing", "false"),
            Setting::new("forward-targets", ""),
        ],
    }
}
