//! The names that a profile may use: a closed set, so that a slip of the pen in
//! a vendor's data is found.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// Every action of [`crate::action::Action`].
const ACTIONS: &[&str] = &[
    "message",
    "bubbles",
    "carousel",
    "button_template",
    "list_template",
    "buttons",
    "rich_link",
    "media",
    "navigate",
    "typing",
    "delay",
    "context_update",
    "context_clear",
    "contact_update",
    "conversation_update",
    "note_create",
    "tag",
    "untag",
    "priority",
    "work_queue",
    "resolve",
    "secure_form",
    "forward",
    "abort",
    "end",
    "addon_dispatch",
    "email_dispatch",
    "schedule",
    "cancel_timer",
    "request",
    "passthrough",
    "other",
];

/// What [`crate::degrade`] knows as parts of them.
const PARTS: &[&str] = &[
    "message_markdown",
    "bubbles_markdown",
    "bubbles_text_apart",
    "bubbles_until_next",
    "carousel_text_apart",
    "text_left_out",
    "button_template_header_text",
    "button_template_header_image",
    "button_template_header_video",
    "button_template_header_document",
    "button_template_footer",
    "list_template_multiple",
    "list_template_sections",
    "list_template_details",
    "buttons_text",
    "rich_link_needs_image",
    "media_image",
    "media_video",
    "media_audio",
    "media_document",
    "media_caption",
    "forward_any",
    "forward_group",
    "forward_skills",
    "forward_skills_feedback",
    "forward_human",
    "forward_bot",
    "passthrough_packet",
    "typing_until_stopped",
];

/// What [`crate::degrade`] holds to of an action's limits, by the keys of
/// [`super::ActionLimits`].
pub fn limit_keys(action: &str) -> &'static [&'static str] {
    match action {
        "message" => &["text"],
        "bubbles" => &["options", "label", "id", "text"],
        "carousel" => &["options", "label", "id", "text", "description"],
        "button_template" => &["options", "label", "id", "text", "header", "footer"],
        "list_template" => &[
            "options",
            "rows",
            "sections",
            "label",
            "id",
            "text",
            "title",
            "description",
            "header",
            "footer",
            "button",
        ],
        "buttons" => &["options", "label", "text"],
        "rich_link" => &["title", "text"],
        "media" => &["caption"],
        "secure_form" => &["text"],
        _ => &[],
    }
}

/// The name of an action or of a part of one.
#[derive(Clone, Copy)]
pub(super) struct Carried(pub(super) &'static str);

impl<'de> Deserialize<'de> for Carried {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        let known = ACTIONS.iter().chain(PARTS).find(|name| **name == written);
        known.map(|name| Self(name)).ok_or_else(|| {
            Error::custom(format_args!(
                "`{written}` names no action and no part of one; the names are those of \
                 kernel/action.rs and kernel/degrade.rs"
            ))
        })
    }
}

/// The name of an action that has limits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Limited(pub(super) &'static str);

impl<'de> Deserialize<'de> for Limited {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        let known = ACTIONS.iter().find(|name| **name == written && !limit_keys(name).is_empty());
        known.map(|name| Self(name)).ok_or_else(|| {
            Error::custom(format_args!(
                "`{written}` is no key of a medium and no action whose limits are held"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::degrade::samples::{every_action, words};

    #[test]
    fn every_action_has_its_name_here() {
        let actions = every_action(&words("t", &["l"]));
        let named: std::collections::BTreeSet<_> = actions.iter().map(|it| it.name()).collect();
        assert_eq!(named, ACTIONS.iter().copied().collect());
    }
}
