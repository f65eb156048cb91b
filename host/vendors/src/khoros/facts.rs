//! What an event says around what happened: who, and where.
//!
//! Facts are stored with the conversation, so each of them is bounded here. The whole
//! payload stays on the event.

use botyard_kernel::event::Setting;
use botyard_kernel::session::{Contact, Facts};
use serde_json::Value;

use super::place::Place;

/// A longer text is cut.
const TEXT_BYTES_MAX: usize = 1024;
/// More properties of a message, or longer ones, are not offered.
const PROPERTIES_MAX: usize = 32;
/// Larger properties of an author are not offered.
const AUTHOR_BYTES_MAX: usize = 16 * 1024;

/// What of the coordinate bots are told, and by which name.
const COORDINATE: [(&str, &str); 4] = [
    ("scope", "scope"),
    ("messageId", "message-id"),
    ("parentId", "parent-id"),
    ("topLevelId", "top-level-id"),
];

/// Reads what stands around an event.
pub(super) fn facts(event: &Value, place: &Place) -> Facts {
    let author = event.get("author").unwrap_or(&Value::Null);
    let name = author.get("fullName").and_then(Value::as_str).filter(|name| !name.is_empty());
    let properties = author.get("properties").filter(|it| it.is_object()).map(Value::to_string);
    Facts {
        medium: place.network.clone(),
        entry: Some(place.external.clone()),
        params: params(event),
        contact: Contact {
            id: Some(place.author.clone()),
            name: name.map(short),
            custom_fields: properties
                .filter(|json| json.len() <= AUTHOR_BYTES_MAX)
                .unwrap_or_else(|| "{}".to_owned()),
            ..Contact::default()
        },
        ..Facts::default()
    }
}

fn params(event: &Value) -> Vec<Setting> {
    let coordinate = event.get("coordinate").unwrap_or(&Value::Null);
    let named = COORDINATE.iter().filter_map(|(key, name)| {
        let text = scalar(coordinate.get(key)?).filter(|text| !text.is_empty())?;
        Some(Setting::new(*name, short(&text)))
    });
    let properties = event.get("properties").and_then(Value::as_object).into_iter().flatten();
    let properties = properties
        .filter_map(|(key, value)| Some(Setting::new(format!("property.{key}"), scalar(value)?)))
        .filter(|param| param.name.len() + param.value.len() <= TEXT_BYTES_MAX)
        .take(PROPERTIES_MAX);
    let display = display_id(event);
    let display = display.map(|it| Setting::new("conversation-display-id", it));
    named.chain(display).chain(properties).collect()
}

/// What Care calls the conversation. Updates and control events each tell it in a place
/// of their own, and messages do not.
pub(super) fn display_id(event: &Value) -> Option<String> {
    let places = ["/conversation/displayId", "/conversationDisplayId"];
    let told = places.iter().find_map(|place| event.pointer(place).and_then(scalar));
    told.filter(|id| !id.is_empty()).map(|id| short(&id))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// At most 1,024 bytes of a text.
pub(super) fn short(text: &str) -> String {
    cut(text, TEXT_BYTES_MAX)
}

/// At most so many bytes of a text, whole characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> String {
    text[..text.floor_char_boundary(bytes_max)].to_owned()
}
