//! What a person at `MyAlice` can be sent by REST: texts. What a block can show besides
//! is said by its form, see [`super::rides`].

use botyard_kernel::event::Setting;
use botyard_kernel::profile::Profile;

/// Characters of a text. The vendor states no limit and passes texts on to mediums that
/// have their own: this is that of Facebook Messenger, the least of the common ones but
/// for Instagram's. A guess.
pub(super) const TEXT_CHARACTERS: usize = 2_000;

/// What every platform can carry: nothing that we are told says which kind it is of.
pub(super) fn all() -> Profile {
    Profile {
        native: vec!["message", "passthrough_packet"],
        text_characters: TEXT_CHARACTERS,
        list_rows: None,
        settings: vec![
            Setting::new("text-characters", TEXT_CHARACTERS.to_string()),
            Setting::new("options", "0"),
            Setting::new("list-multiple", "false"),
            Setting::new("header-kinds", ""),
            Setting::new("media", "false"),
            Setting::new("navigate", "false"),
            Setting::new("typing", "false"),
            Setting::new("forward-targets", ""),
        ],
    }
}
