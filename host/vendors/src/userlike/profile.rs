//! What a medium can carry through Userlike.
//!
//! The numbers are those of the vendor's page: 5,000 characters a message; three
//! buttons a template; ten rows a list; 20 characters an option's label on
//! Facebook and `WhatsApp` with at most 13 and 10 options; no media on SMS. Where
//! an option cannot be tapped, Userlike itself shows the `fallback` and numbers,
//! so choices are native everywhere; what it leaves out around them on a medium
//! is what is not listed for that medium.

use botyard_kernel::event::Setting;
use botyard_kernel::profile::Profile;

use super::dialect::Dialect;

const TEXT_CHARACTERS: usize = 5_000;
const BUTTONS_MAX: usize = 3;
/// Options of a list template.
const LIST_OPTIONS_MAX: usize = 10;

/// What a widget on a web site takes: everything that Userlike has, by the names
/// of [`botyard_kernel::degrade`].
const WEB: &[&str] = &[
    "message",
    "message_markdown",
    "passthrough_packet",
    "bubbles",
    "carousel",
    "button_template",
    "list_template",
    "buttons",
    "delay",
    "contact_update",
    "conversation_update",
    "note_create",
    "forward",
    "forward_group",
    "forward_skills",
    "abort",
    "end",
    "addon_dispatch",
    "email_dispatch",
    "media",
    "navigate",
];
/// What a messaging app takes: it has no page to send elsewhere.
const APP: &[&str] = WEB.split_at(WEB.len() - 1).0;
/// What takes no media either.
const TEXT: &[&str] = WEB.split_at(WEB.len() - 2).0;

const HEADER: &str = "button_template_header_";
/// What Facebook shows of templates: for lists, which become quick replies
/// there, no more than any other medium.
const FACEBOOK_PARTS: &[&str] = &["button_template_header_image", "button_template_footer"];
const WHATSAPP_PARTS: &[&str] = &[
    "button_template_header_text",
    "button_template_header_image",
    "button_template_header_video",
    "button_template_header_document",
    "button_template_footer",
    "list_template_details",
];

/// How a medium shows options.
struct Options {
    /// So many can be tapped; absent where the vendor states no limit.
    count: Option<usize>,
    /// Longer labels make it a text; absent where the vendor states no limit.
    label_characters: Option<usize>,
    /// What it shows around them, by the names of [`botyard_kernel::degrade`].
    parts: &'static [&'static str],
}

/// The options are a numbered text.
const NUMBERS: Options = Options { count: Some(0), label_characters: None, parts: &[] };

/// What a medium can carry. One that we do not know gets what all can.
pub(super) fn of(dialect: &Dialect, medium: &str) -> Profile {
    let label_characters = Some(20);
    let (native, options) = match medium {
        "web" => (WEB, Options { count: None, label_characters: None, parts: &[] }),
        "facebook" => (APP, Options { count: Some(13), label_characters, parts: FACEBOOK_PARTS }),
        "whatsapp_business" => {
            (APP, Options { count: Some(10), label_characters, parts: WHATSAPP_PARTS })
        }
        "telegram" | "threema" | "custom" => (APP, NUMBERS),
        _ => (TEXT, NUMBERS),
    };
    let native_here = native.iter().chain(options.parts).copied();
    Profile {
        native: native_here.chain(of_dialect(dialect)).collect(),
        text_characters: TEXT_CHARACTERS,
        list_rows: Some(LIST_OPTIONS_MAX),
        settings: settings(native, &options),
    }
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

fn settings(native: &[&str], options: &Options) -> Vec<Setting> {
    let mut settings = vec![Setting::new("text-characters", TEXT_CHARACTERS.to_string())];
    let mut limit = |name: &str, limit: Option<usize>| {
        settings.extend(limit.map(|limit| Setting::new(name, limit.to_string())));
    };
    limit("options", options.count);
    limit("option-label-characters", options.label_characters);
    limit("buttons", Some(BUTTONS_MAX));
    limit("list-options", Some(LIST_OPTIONS_MAX));
    let headers = options.parts.iter().filter_map(|part| part.strip_prefix(HEADER));
    settings.extend([
        Setting::new("list-multiple", "false"),
        Setting::new("header-kinds", headers.collect::<Vec<_>>().join(",")),
        Setting::new("media", native.contains(&"media").to_string()),
        Setting::new("navigate", native.contains(&"navigate").to_string()),
        // Only while a `delay` lasts.
        Setting::new("typing", "false"),
        Setting::new("forward-targets", "any,group,skills"),
    ]);
    settings
}
