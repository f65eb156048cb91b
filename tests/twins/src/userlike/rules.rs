//! What Userlike takes from a bot, in a webhook's answer or in a call: the form of
//! each event, whatever the conversation.

use serde::Serialize;
use serde_json::{Map, Value};

use super::document::{
    ACTIONS, BUTTONS_MAX, CHOICES, CONTACT_KEYS, CONTEXT_BYTES_MAX, CONVERSATION_KEYS, LAST_WORDS,
    LIST_OPTIONS_MAX, TEXT_CHARACTERS_MAX,
};
use crate::fields::Fields;

/// One event of a bot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Packet {
    /// The conversation.
    pub cid: String,
    /// The context that came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
    /// What it is, for example `message`.
    pub name: String,
    /// What it carries.
    pub payload: Value,
}

impl Packet {
    /// The text of the packet, for packets with one.
    pub fn text(&self) -> Option<&str> {
        self.payload.get("body").and_then(Value::as_str)
    }

    /// Whether it offers a choice.
    pub fn is_choice(&self) -> bool {
        CHOICES.contains(&&*self.name)
    }

    /// Whether it takes the conversation away from the bot.
    pub fn is_last_word(&self) -> bool {
        LAST_WORDS.contains(&&*self.name)
    }

    /// Whether a failed hand-off is to be told to the bot.
    pub fn wants_feedback(&self) -> bool {
        // "forward_failed": of `forward_group` and `forward_any` only.
        matches!(&*self.name, "forward_any" | "forward_group")
            && self.payload["on_failure"] == "feedback"
    }

    /// The options of a choice as id and label.
    pub fn options(&self) -> Vec<(String, String)> {
        let key = if self.name == "button_template" { "buttons" } else { "options" };
        let options = self.payload[key].as_array().into_iter().flatten();
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        options.map(|option| (word(&option["id"]), word(&option["label"]))).collect()
    }
}

/// Reads a body: a list of events or a single one.
///
/// # Errors
///
/// Says what Userlike would refuse, in any conversation.
pub fn packets(body: &[u8]) -> Result<Vec<Packet>, String> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
    let packets: Vec<Packet> = match value {
        Value::Array(list) => list.into_iter().map(packet).collect::<Result<_, _>>()?,
        one @ Value::Object(_) => vec![packet(one)?],
        other => return Err(format!("neither a list nor an object: {other}")),
    };
    Ok(packets)
}

fn packet(value: Value) -> Result<Packet, String> {
    let cid = value["info"]["cid"].as_str().ok_or("an event without info.cid")?;
    let name = value["packet"]["name"].as_str().ok_or("an event without packet.name")?;
    let payload = &value["packet"]["payload"];
    let context = match &value["info"]["context"] {
        Value::Null => None,
        Value::Object(context) => Some(context.clone()),
        other => return Err(format!("a context that is no object: {other}")),
    };
    let size = context.as_ref().map_or(0, |context| Value::from(context.clone()).to_string().len());
    if size > CONTEXT_BYTES_MAX {
        return Err(format!("a context of {size} bytes, where {CONTEXT_BYTES_MAX} are allowed"));
    }
    check(name, payload)?;
    Ok(Packet { cid: cid.to_owned(), context, name: name.to_owned(), payload: payload.clone() })
}

fn check(name: &str, payload: &Value) -> Result<(), String> {
    if !ACTIONS.contains(&name) {
        return Err(format!("no event is called {name}"));
    }
    let fields = Fields::of(name, payload)?;
    match name {
        "message" => {
            fields.text("body", TEXT_CHARACTERS_MAX)?;
            fields.one_of("text_format", &["markdown_v1"])?;
            fields.no_others(&["body", "text_format"])
        }
        "bubbles" | "carousel" | "button_template" | "list_template" => choice(&fields),
        "button" => {
            fields.some_text("body")?;
            fields.link("link")
        }
        "buttons" => {
            fields.optional_text("body", TEXT_CHARACTERS_MAX)?;
            for button in fields.list("buttons", usize::MAX)? {
                button.some_text("body")?;
                button.link("link")?;
            }
            Ok(())
        }
        "media" => {
            fields.some_text("link")?;
            fields.no_others(&["link"])
        }
        "navigate" => fields.link("link"),
        "contact_update" => {
            for key in ["name", "email", "mobile_number", "external_customer_id"] {
                fields.optional_text(key, usize::MAX)?;
            }
            fields.optional_object("custom_fields")?;
            fields.at_least_one(CONTACT_KEYS)
        }
        "conversation_update" => {
            fields.optional_text("subject", usize::MAX)?;
            fields.optional_text("locale", usize::MAX)?;
            fields.optional_object("custom_fields")?;
            fields.optional_list("topics")?;
            fields.at_least_one(CONVERSATION_KEYS)
        }
        "abort" | "end" => fields.no_others(&[]),
        "forward_group" => {
            fields.id("group_id")?;
            fields.one_of("on_failure", &["feedback"])
        }
        "forward_skills" => fields.ids("skills"),
        "forward_any" => {
            fields.one_of("on_failure", &["feedback"])?;
            fields.no_others(&["on_failure"])
        }
        "delay" => {
            fields.seconds("seconds")?;
            fields.optional_bool("typing")
        }
        "note_create" => {
            fields.some_text("body")?;
            fields.optional_id("contact_identity_id")
        }
        "addon_dispatch" => fields.some_text("type"),
        "email_dispatch" => recipient(&fields.object("recipient")?),
        other => Err(format!("{other} has no rule")),
    }
}

fn choice(fields: &Fields<'_>) -> Result<(), String> {
    fields.text("body", TEXT_CHARACTERS_MAX)?;
    fields.some_text("fallback")?;
    fields.optional_text("footer", usize::MAX)?;
    let options = match fields.name() {
        "button_template" => {
            header(fields)?;
            fields.list("buttons", BUTTONS_MAX)?
        }
        "list_template" => {
            fields.optional_text("header", usize::MAX)?;
            fields.some_text("button")?;
            fields.optional_text("title", usize::MAX)?;
            fields.list("options", LIST_OPTIONS_MAX)?
        }
        _ => fields.list("options", usize::MAX)?,
    };
    for option in options {
        option.id("id")?;
        option.some_text("label")?;
        option.optional_text("description", usize::MAX)?;
        option.optional_text("image", usize::MAX)?;
    }
    Ok(())
}

/// "`button_template`": a text, an image, a video or a document.
fn header(fields: &Fields<'_>) -> Result<(), String> {
    let Some(header) = fields.optional_object("header")? else {
        return Ok(());
    };
    header.some_text("type")?;
    header.one_of("type", &["text", "image", "video", "document"])?;
    if header.is("type", "text") { header.some_text("text") } else { header.link("link") }
}

/// "`email_dispatch`": an operator or the contact.
fn recipient(recipient: &Fields<'_>) -> Result<(), String> {
    recipient.some_text("type")?;
    recipient.one_of("type", &["operator", "contact"])?;
    if recipient.is("type", "operator") { recipient.id("id") } else { Ok(()) }
}

#[cfg(test)]
mod tests;
