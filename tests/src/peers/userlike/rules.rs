//! What Userlike takes from a bot, in a webhook's answer or in a call.

use serde_json::{Map, Value};

const CONTEXT_BYTES_MAX: usize = 10_000;
const TEXT_CHARACTERS_MAX: usize = 5_000;
const BUTTONS_MAX: usize = 3;
const LIST_OPTIONS_MAX: usize = 10;

/// The events that a bot can trigger.
const NAMES: &[&str] = &[
    "abort",
    "addon_dispatch",
    "bubbles",
    "button",
    "button_template",
    "buttons",
    "carousel",
    "contact_update",
    "conversation_update",
    "delay",
    "email_dispatch",
    "end",
    "forward_any",
    "forward_group",
    "forward_skills",
    "list_template",
    "media",
    "message",
    "navigate",
    "note_create",
];
/// They need a text for mediums that cannot show them.
const WITH_FALLBACK: &[&str] = &["bubbles", "button_template", "carousel", "list_template"];

/// One event of a bot.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// The conversation.
    pub cid: String,
    /// The context that came with it.
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
}

/// Reads a body: a list of events or a single one.
///
/// # Errors
///
/// Says what Userlike would refuse.
pub fn packets(body: &[u8]) -> Result<Vec<Packet>, String> {
    let value: Value =
        serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
    match value {
        Value::Array(list) => list.into_iter().map(packet).collect(),
        one @ Value::Object(_) => Ok(vec![packet(one)?]),
        other => Err(format!("neither a list nor an object: {other}")),
    }
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
        return Err(format!("a context of {size} bytes"));
    }
    check(name, payload)?;
    Ok(Packet { cid: cid.to_owned(), context, name: name.to_owned(), payload: payload.clone() })
}

fn check(name: &str, payload: &Value) -> Result<(), String> {
    if !NAMES.contains(&name) {
        return Err(format!("no event is called {name}"));
    }
    let fields = payload.as_object().ok_or_else(|| format!("{name} without a payload object"))?;
    let characters = fields.get("body").and_then(Value::as_str).map_or(0, |b| b.chars().count());
    if characters > TEXT_CHARACTERS_MAX {
        return Err(format!("{name} with a text of {characters} characters"));
    }
    if name == "message" && characters == 0 {
        return Err("a message without a text".to_owned());
    }
    if WITH_FALLBACK.contains(&name) && fields.get("fallback").is_none_or(|text| text == "") {
        return Err(format!("{name} without a fallback"));
    }
    let count = |key: &str| fields.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    match name {
        "button_template" if count("buttons") > BUTTONS_MAX => {
            Err(format!("a button_template with more than {BUTTONS_MAX} buttons"))
        }
        "list_template" if count("options") > LIST_OPTIONS_MAX => {
            Err(format!("a list_template with more than {LIST_OPTIONS_MAX} options"))
        }
        "contact_update" | "conversation_update" if fields.is_empty() => {
            Err(format!("{name} that changes nothing"))
        }
        _ => Ok(()),
    }
}
