//! What the mediums of this vendor can carry. The limits and where they come from
//! stand in `profile.toml` beside this file.

use botyard_kernel::event::Setting;
use botyard_kernel::profile::Profile;

/// What a page's Messenger takes, by the names of [`botyard_kernel::degrade`].
const FACEBOOK: &[&str] = &[
    "message",
    "bubbles",
    "carousel",
    "carousel_text_apart",
    "button_template",
    "button_template_header_text",
    "button_template_footer",
    "buttons",
    "buttons_text",
    "rich_link",
    "media",
    "typing",
    "forward_any",
    "forward_bot",
];
/// What is left where nothing is known but that a text can be said.
const LEAST: &[&str] = &["message", "forward_any", "forward_bot"];

const TEXT_CHARACTERS: usize = 2_000;
/// Instagram counts 1,000 bytes: so many characters are fewer where they are not ASCII.
const INSTAGRAM_TEXT_CHARACTERS: usize = 1_000;
const OPTIONS_MAX: &str = "13";
const LABEL_CHARACTERS_MAX: &str = "20";
const BUTTONS_MAX: &str = "3";
const CARDS_MAX: &str = "10";

/// What a medium can carry. One that we do not know gets the least.
pub(super) fn of(medium: &str) -> Profile {
    let (native, text_characters) = match medium {
        "facebook" => (FACEBOOK, TEXT_CHARACTERS),
        "instagram" => (FACEBOOK, INSTAGRAM_TEXT_CHARACTERS),
        _ => (LEAST, INSTAGRAM_TEXT_CHARACTERS),
    };
    let taps = native.contains(&"bubbles");
    let mut settings = vec![Setting::new("text-characters", text_characters.to_string())];
    if taps {
        settings.extend([
            Setting::new("options", OPTIONS_MAX),
            Setting::new("option-label-characters", LABEL_CHARACTERS_MAX),
            Setting::new("buttons", BUTTONS_MAX),
            Setting::new("cards", CARDS_MAX),
        ]);
    } else {
        settings.push(Setting::new("options", "0"));
    }
    settings.extend([
        Setting::new("list-multiple", "false"),
        Setting::new("header-kinds", if taps { "text" } else { "" }),
        Setting::new("media", native.contains(&"media").to_string()),
        Setting::new("navigate", "false"),
        Setting::new("typing", native.contains(&"typing").to_string()),
        Setting::new("forward-targets", "any,bot"),
    ]);
    Profile { native: native.to_vec(), text_characters, list_rows: None, settings }
}
