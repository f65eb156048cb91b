//! What one message of a person holds: a text or an answer to tap, and files.

use botyard_kernel::event::{Click, EventBody, Location, Media, Message, TextFormat};
use serde_json::Value;

use super::bounded::{FIELD_BYTES_MAX, TEXT_BYTES_MAX, cut, other};
use super::keys::{get, id, is_true, text};

/// One event out of a message.
pub(super) struct Piece<'a> {
    pub(super) body: EventBody,
    /// The attachment that it is, where it is one.
    pub(super) of: Option<&'a Value>,
}

/// Everything in a message, in order: never nothing.
pub(super) fn pieces(message: &Value) -> Vec<Piece<'_>> {
    if is_true(message, "is_deleted") {
        let body = EventBody::Other(other("is_deleted", message));
        return vec![Piece { body, of: None }];
    }
    let attachments = get(message, "attachments").and_then(Value::as_array);
    let attachments = attachments.map_or(&[][..], Vec::as_slice);
    let said = said(message, attachments.is_empty()).map(|body| Piece { body, of: None });
    let sent = attachments.iter().map(|it| Piece { body: attachment(it), of: Some(it) });
    let pieces: Vec<_> = said.into_iter().chain(sent).collect();
    if !pieces.is_empty() {
        return pieces;
    }
    // The vendor has no words for some of what people can send.
    vec![Piece { body: EventBody::Other(other("message", message)), of: None }]
}

/// The answer that was tapped, or the text. An empty text stands for something only
/// where there is nothing else.
fn said(message: &Value, alone: bool) -> Option<EventBody> {
    let written = get(message, "text").and_then(Value::as_str);
    let quick_reply = get(message, "quick_reply").and_then(|it| text(it, "payload"));
    if let Some(payload) = quick_reply {
        let option_ids = vec![cut(payload, FIELD_BYTES_MAX)];
        let label = written.map(|text| cut(text, FIELD_BYTES_MAX)).filter(|it| !it.is_empty());
        return Some(EventBody::Click(Click { option_ids, label, ..Click::default() }));
    }
    let text = written.filter(|text| alone || !text.is_empty())?;
    let text = cut(text, TEXT_BYTES_MAX);
    Some(EventBody::Message(Message { text, format: TextFormat::Plain }))
}

/// A file, a place, or what we have no case for, by the vendor's name for it.
fn attachment(attachment: &Value) -> EventBody {
    let kind = text(attachment, "type").unwrap_or("attachment");
    let known = match kind {
        "image" | "video" | "audio" | "file" => media(kind, attachment).map(EventBody::Media),
        "location" => location(attachment).map(EventBody::Location),
        _ => None,
    };
    known.unwrap_or_else(|| EventBody::Other(other(kind, attachment)))
}

/// The vendor tells the kind of a file and no more of its type: so do we. A sticker
/// is a picture whose name says which.
fn media(kind: &str, attachment: &Value) -> Option<Media> {
    let payload = get(attachment, "payload")?;
    let sticker = id(payload, "sticker_id").map(|id| format!("sticker-{id}"));
    let kind = match kind {
        "image" => Some("image/*"),
        "video" => Some("video/*"),
        "audio" => Some("audio/*"),
        _ => None,
    };
    Some(Media {
        link: cut(text(payload, "url")?, FIELD_BYTES_MAX),
        name: sticker.map(|name| cut(&name, FIELD_BYTES_MAX)),
        mime_type: kind.map(str::to_owned),
        size_bytes: None,
    })
}

fn location(attachment: &Value) -> Option<Location> {
    let coordinates = get(get(attachment, "payload")?, "coordinates")?;
    let latitude = get(coordinates, "lat")?.as_f64()?;
    let longitude = get(coordinates, "long")?.as_f64()?;
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    on_earth.then(|| Location {
        latitude,
        longitude,
        name: text(attachment, "title").map(|name| cut(name, FIELD_BYTES_MAX)),
        address: None,
    })
}
