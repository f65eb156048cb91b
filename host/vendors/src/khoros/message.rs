//! What a person said, by a message of theirs.

use botyard_kernel::event::{
    Click, EventBody, Location, Media, Message, NamedPayload, Setting, TextFormat,
};
use botyard_kernel::files;
use serde_json::{Value, json};

use super::dialect::Incoming;
use super::facts;

/// Of a longer text, somebody's paste, the first part is told.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Of any other field so much is told.
const FIELD_BYTES_MAX: usize = 8 * 1024;
/// Of a larger payload the first part is told, as a text.
const JSON_BYTES_MAX: usize = 64 * 1024;
/// A longer name of an event is cut.
const NAME_BYTES_MAX: usize = 200;
/// More files or buttons in one message are told as damage.
const PARTS_MAX: usize = 32;

/// A message.
pub(super) struct Read {
    /// What was said, in order; never empty.
    pub(super) bodies: Vec<EventBody>,
    /// What bots are to be told beside it.
    pub(super) note: Option<Setting>,
    /// What of it cannot be read.
    pub(super) damaged: Vec<String>,
}

/// Reads a message.
///
/// One that holds nothing is a message without a text, not an event of an unknown kind:
/// a person did write, and a session must begin with it. Twitter's are so: Khoros tells
/// their id alone. The param `text-missing` tells bots that the text is not empty but
/// absent, and the param `message-id` where it can be had.
pub(super) fn read(paths: &Incoming, event: &Value) -> Read {
    let mut damaged = Vec::new();
    let mut bodies = Vec::new();
    let text = event.get("text").and_then(Value::as_str).filter(|text| !text.is_empty());
    let click = actions(event, text, &mut damaged).or_else(|| list_answer(paths, event));
    // The text beside a button that came back is its label.
    match (click, text) {
        (Some(click), _) => bodies.push(EventBody::Click(click)),
        (None, Some(text)) => bodies.push(EventBody::Message(plain(text))),
        (None, None) => {}
    }
    let answered = matches!(bodies.first(), Some(EventBody::Click(_)));
    for name in ["actions", "list"] {
        if let Some(value) = present(event, name).filter(|_| !answered) {
            bodies.push(EventBody::Other(other(name, value)));
        }
    }
    media(event, &mut bodies, &mut damaged);
    if let Some(place) = present(event, "location") {
        let location = location(paths, place).map(EventBody::Location);
        bodies.push(location.unwrap_or_else(|| EventBody::Other(other("location", place))));
    }
    if let Some(form) = present(event, "form") {
        bodies.push(EventBody::Other(other("form", form)));
    }
    let mut note = None;
    if bodies.is_empty() {
        bodies.push(EventBody::Message(plain("")));
        note = Some(Setting::new("text-missing", "true"));
    }
    Read { bodies, note, damaged }
}

fn plain(text: &str) -> Message {
    Message { text: cut_text(text), format: TextFormat::Plain }
}

/// Something that is there and not empty.
fn present<'a>(event: &'a Value, name: &str) -> Option<&'a Value> {
    event.get(name).filter(|value| match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    })
}

/// Buttons that came back. One without a payload is known by its label.
fn actions(event: &Value, text: Option<&str>, damaged: &mut Vec<String>) -> Option<Click> {
    let listed = event.get("actions")?.as_array()?;
    let mut click = Click::default();
    for action in listed.iter().take(PARTS_MAX) {
        let field =
            |name: &str| action.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
        let label = field("text").or(text);
        let Some(chosen) = field("payload").or(label) else {
            damaged.push("one of `actions` has neither a `payload` nor a `text`".to_owned());
            continue;
        };
        if click.option_ids.is_empty() {
            click.label = label.map(cut_field);
        }
        click.option_ids.push(cut_field(chosen));
    }
    too_many("actions", listed.len(), damaged);
    (!click.option_ids.is_empty()).then_some(click)
}

/// What was chosen in a list picker.
fn list_answer(paths: &Incoming, event: &Value) -> Option<Click> {
    let sections = event.get("list")?.pointer(&paths.list_sections)?.as_array()?;
    let choices = sections.iter().filter_map(|section| section.pointer(&paths.list_choices));
    let choices = choices.filter_map(Value::as_array).flatten().take(PARTS_MAX);
    let mut click = Click::default();
    for choice in choices {
        let Some(id) = choice.pointer(&paths.list_id).and_then(Value::as_str) else { continue };
        if click.option_ids.is_empty() {
            click.label = choice.pointer(&paths.list_label).and_then(Value::as_str).map(cut_field);
        }
        click.option_ids.push(cut_field(id));
    }
    (!click.option_ids.is_empty()).then_some(click)
}

fn media(event: &Value, bodies: &mut Vec<EventBody>, damaged: &mut Vec<String>) {
    let Some(found) = present(event, "media") else { return };
    let one = std::slice::from_ref(found);
    let listed = found.as_array().map_or(one, Vec::as_slice);
    for item in listed.iter().take(PARTS_MAX) {
        let field = |name: &str| item.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
        let Some(link) = field("url") else {
            damaged.push("one of `media` has no `url`".to_owned());
            continue;
        };
        let mime_type = field("mimeType").map(cut_field);
        bodies.push(EventBody::Media(Media {
            link: cut_field(link),
            name: field("title").map(cut_field),
            mime_type: mime_type.or_else(|| files::mime_type(link).map(str::to_owned)),
            size_bytes: None,
        }));
    }
    too_many("media", listed.len(), damaged);
}

fn too_many(name: &str, count: usize, damaged: &mut Vec<String>) {
    if count > PARTS_MAX {
        damaged.push(format!("`{name}` has {count} parts, of which {PARTS_MAX} were read"));
    }
}

fn location(paths: &Incoming, place: &Value) -> Option<Location> {
    let number = |pointer: &str| {
        let value = place.pointer(pointer)?;
        value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
    };
    let latitude: f64 = number(&paths.latitude)?;
    let longitude: f64 = number(&paths.longitude)?;
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    on_earth.then_some(Location { latitude, longitude, name: None, address: None })
}

/// At most so much of a text as an event may hold.
pub(super) fn cut_text(text: &str) -> String {
    facts::cut(text, TEXT_BYTES_MAX)
}

fn cut_field(text: &str) -> String {
    facts::cut(text, FIELD_BYTES_MAX)
}

/// A payload by the vendor's own word for it.
pub(super) fn other(name: &str, payload: &Value) -> NamedPayload {
    let json = payload.to_string();
    NamedPayload {
        name: facts::cut(name, NAME_BYTES_MAX),
        json: if json.len() <= JSON_BYTES_MAX { json } else { first_part(&json) },
    }
}

/// The first part of a JSON text that is too large, as a JSON object that is not: its
/// quotes are escaped once more, so half of the room is for the text.
fn first_part(json: &str) -> String {
    json!({ "truncated": facts::cut(json, JSON_BYTES_MAX / 2 - 32) }).to_string()
}
