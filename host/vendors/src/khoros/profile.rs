//! What a network can carry through Khoros. The limits have their sources in
//! `profile.toml` beside this file.

use std::num::NonZeroUsize;

use botyard_kernel::event::Setting;
use botyard_kernel::profile::Profile;

use super::dialect::Dialect;

/// What every network takes, by the names of [`botyard_kernel::degrade`].
const ALL: &[&str] = &[
    "message",
    "rich_link",
    "media",
    "media_caption",
    "contact_update",
    "note_create",
    "tag",
    "untag",
    "priority",
    "work_queue",
    "resolve",
    "forward_any",
    "forward_group",
    "forward_human",
    "forward_bot",
    "abort",
    "end",
];
/// What networks with buttons that come back take.
const BUTTONS: &[&str] =
    &["bubbles", "button_template", "button_template_header_text", "button_template_footer"];
/// What networks with list pickers take.
const LISTS: &[&str] = &[
    "bubbles",
    "list_template",
    "list_template_multiple",
    "list_template_sections",
    "list_template_details",
];

/// Khoros states no length. These are the networks' own, as far as they are known; for
/// all others the shortest that is common.
const TEXT_CHARACTERS: [(&str, usize); 5] = [
    ("brandmessenger", 4_096),
    ("facebook", 2_000),
    ("smooch", 4_096),
    ("twitter", 280),
    ("apple", 5_000),
];
const TEXT_CHARACTERS_ELSEWHERE: usize = 2_000;

/// What is stated for buttons in Messenger, where Khoros hands them on.
const FACEBOOK_OPTIONS: usize = 13;
const FACEBOOK_LABEL_CHARACTERS: usize = 20;
const TEMPLATE_BUTTONS: usize = 3;

/// What a network can carry.
pub(super) fn of(dialect: &Dialect, network: &str) -> Profile {
    let has = |networks: &[String]| networks.iter().any(|it| it == network);
    let networks = &dialect.networks;
    let (lists, buttons) = (has(&networks.lists), has(&networks.buttons));
    let (typing, forms) = (has(&networks.typing), has(&networks.forms));
    let mut native = ALL.to_vec();
    let parts = [
        (LISTS, lists),
        (BUTTONS, buttons && !lists),
        (&["typing"], typing),
        (&["secure_form"], forms),
    ];
    for (part, _) in parts.into_iter().filter(|(_, carried)| *carried) {
        native.extend_from_slice(part);
    }
    let usual = TEXT_CHARACTERS.iter().find(|(name, _)| *name == network);
    let usual = usual.map_or(TEXT_CHARACTERS_ELSEWHERE, |(_, most)| *most);
    let text_characters =
        networks.text_characters.get(network).map_or(usual, |most: &NonZeroUsize| most.get());
    let mut settings = vec![
        Setting::new("text-characters", text_characters.to_string()),
        Setting::new("list-multiple", lists.to_string()),
        Setting::new("media", "true"),
        Setting::new("navigate", "false"),
        Setting::new("typing", typing.to_string()),
        Setting::new("forward-targets", "any,group,human,bot"),
    ];
    if network == "facebook" {
        let label = FACEBOOK_LABEL_CHARACTERS.to_string();
        settings.push(Setting::new("options", FACEBOOK_OPTIONS.to_string()));
        settings.push(Setting::new("option-label-characters", label));
    }
    if buttons && !lists {
        settings.push(Setting::new("buttons", TEMPLATE_BUTTONS.to_string()));
    } else if !lists {
        settings.push(Setting::new("options", "0"));
    }
    Profile { native, text_characters, list_rows: None, settings }
}
