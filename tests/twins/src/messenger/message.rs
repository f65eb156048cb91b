//! What a message may carry, whoever it is for.

use serde_json::Value;

use super::document::{
    BUTTON_TEXT_CHARACTERS_MAX, BUTTON_TITLE_CHARACTERS_MAX, BUTTONS_MAX, ELEMENT_CHARACTERS_MAX,
    ELEMENTS_MAX, MEDIA, METADATA_CHARACTERS_MAX, PAYLOAD_BYTES_MAX, QUICK_REPLIES_MAX,
    QUICK_REPLY_TITLE_CHARACTERS_MAX, QUICK_REPLY_TYPES, TEXT_CHARACTERS_MAX,
};
use crate::fields::Fields;

type Checked = Result<(), String>;

/// Judges a message of the Send API.
pub(super) fn judge(message: &Value) -> Checked {
    let fields = Fields::of("message", message)?;
    fields.no_others(&["text", "attachment", "quick_replies", "metadata"])?;
    match (fields.has("text"), fields.optional_object("attachment")?) {
        (true, None) => fields.text("text", TEXT_CHARACTERS_MAX)?,
        (false, Some(attachment)) => judge_attachment(&attachment)?,
        (true, Some(_)) => return Err("message with a text and an attachment".to_owned()),
        (false, None) => return Err("message without a text or an attachment".to_owned()),
    }
    fields.optional_text("metadata", METADATA_CHARACTERS_MAX)?;
    if fields.has("quick_replies") {
        for reply in fields.list("quick_replies", QUICK_REPLIES_MAX)? {
            judge_quick_reply(&reply)?;
        }
    }
    Ok(())
}

fn judge_quick_reply(reply: &Fields<'_>) -> Checked {
    reply.no_others(&["content_type", "title", "payload", "image_url"])?;
    reply.some_text("content_type")?;
    reply.one_of("content_type", QUICK_REPLY_TYPES)?;
    reply.optional_link("image_url")?;
    if reply.is("content_type", "text") {
        if reply.word("title").is_empty() && !reply.has("image_url") {
            return Err(format!("{} with neither a title nor an image_url", reply.name()));
        }
        reply.optional_text("title", QUICK_REPLY_TITLE_CHARACTERS_MAX)?;
        reply.some_text("payload")?;
    }
    reply.optional_bytes("payload", PAYLOAD_BYTES_MAX)
}

fn judge_attachment(attachment: &Fields<'_>) -> Checked {
    attachment.no_others(&["type", "payload"])?;
    let payload = attachment.object("payload")?;
    match attachment.word("type") {
        "template" => judge_template(&payload),
        kind if MEDIA.contains(&kind) => {
            payload.no_others(&["url", "attachment_id", "is_reusable"])?;
            payload.optional_bool("is_reusable")?;
            link_or_attachment(&payload)
        }
        other => Err(format!("{} of the type {other:?}", attachment.name())),
    }
}

fn link_or_attachment(payload: &Fields<'_>) -> Checked {
    match (payload.has("url"), payload.has("attachment_id")) {
        (true, false) => payload.link("url"),
        (false, true) => payload.id("attachment_id"),
        _ => Err(format!("{} without one of url and attachment_id", payload.name())),
    }
}

fn judge_template(payload: &Fields<'_>) -> Checked {
    match payload.word("template_type") {
        "button" => {
            payload.no_others(&["template_type", "text", "buttons", "sharable"])?;
            payload.text("text", BUTTON_TEXT_CHARACTERS_MAX)?;
            judge_buttons(payload)
        }
        "generic" => {
            payload.no_others(&["template_type", "elements", "image_aspect_ratio", "sharable"])?;
            payload.one_of("image_aspect_ratio", &["horizontal", "square"])?;
            payload.list("elements", ELEMENTS_MAX)?.iter().try_for_each(judge_element)
        }
        "media" => {
            payload.no_others(&["template_type", "elements", "sharable"])?;
            payload.list("elements", 1)?.iter().try_for_each(judge_media_element)
        }
        other => Err(format!("{} of the template_type {other:?}", payload.name())),
    }
}

fn judge_element(element: &Fields<'_>) -> Checked {
    element.no_others(&["title", "subtitle", "image_url", "default_action", "buttons"])?;
    element.text("title", ELEMENT_CHARACTERS_MAX)?;
    element.optional_text("subtitle", ELEMENT_CHARACTERS_MAX)?;
    element.optional_link("image_url")?;
    // "Generic template": at least one property besides the title. Recalled.
    let others = ["subtitle", "image_url", "default_action", "buttons"];
    if !others.iter().any(|key| element.has(key)) {
        return Err(format!("{} with a title and nothing else", element.name()));
    }
    if let Some(action) = element.optional_object("default_action")? {
        action.one_of("type", &["web_url"])?;
        action.link("url")?;
        if action.has("title") {
            return Err(format!("{} with a title, which it does not have", action.name()));
        }
    }
    if element.has("buttons") { judge_buttons(element) } else { Ok(()) }
}

fn judge_media_element(element: &Fields<'_>) -> Checked {
    element.no_others(&["media_type", "url", "attachment_id", "buttons"])?;
    element.some_text("media_type")?;
    element.one_of("media_type", &["image", "video"])?;
    link_or_attachment(element)?;
    if element.has("buttons") { judge_buttons(element) } else { Ok(()) }
}

fn judge_buttons(owner: &Fields<'_>) -> Checked {
    owner.list("buttons", BUTTONS_MAX)?.iter().try_for_each(judge_button)
}

fn judge_button(button: &Fields<'_>) -> Checked {
    match button.word("type") {
        "web_url" => {
            button.no_others(&[
                "type",
                "title",
                "url",
                "webview_height_ratio",
                "messenger_extensions",
                "fallback_url",
                "webview_share_button",
            ])?;
            button.link("url")?;
            button.text("title", BUTTON_TITLE_CHARACTERS_MAX)
        }
        "postback" => {
            button.no_others(&["type", "title", "payload"])?;
            button.some_text("payload")?;
            button.optional_bytes("payload", PAYLOAD_BYTES_MAX)?;
            button.text("title", BUTTON_TITLE_CHARACTERS_MAX)
        }
        "phone_number" => {
            button.no_others(&["type", "title", "payload"])?;
            if !button.word("payload").starts_with('+') {
                return Err(format!("{} without a +number in payload", button.name()));
            }
            button.text("title", BUTTON_TITLE_CHARACTERS_MAX)
        }
        other => Err(format!("{} of the type {other:?}", button.name())),
    }
}
