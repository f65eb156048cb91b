//! What is told of the vendor's payloads, and how much of it.

use botyard_kernel::event::NamedPayload;
use serde_json::{Value, json};

/// Of a longer text, somebody's paste, the first part is told.
pub(super) const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Of any other field so much is told; a longer one is nobody's label or link.
pub(super) const FIELD_BYTES_MAX: usize = 8 * 1024;
/// A longer name is cut.
const NAME_BYTES_MAX: usize = 200;
/// Of a larger payload the first part is told, as a text.
const JSON_BYTES_MAX: usize = 64 * 1024;

/// At most so many bytes of a text, whole characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> String {
    text[..text.floor_char_boundary(bytes_max)].to_owned()
}

/// What has no case of its own, by the vendor's name for it.
pub(super) fn other(name: &str, payload: &Value) -> NamedPayload {
    let mut json = payload.to_string();
    if json.len() > JSON_BYTES_MAX {
        json = first_part(&json);
    }
    NamedPayload { name: cut(name, NAME_BYTES_MAX), json }
}

/// The first part of a JSON text that is too large, as a JSON object that is not.
fn first_part(json: &str) -> String {
    let of = |text: &str| json!({ "truncated": text }).to_string();
    let room = JSON_BYTES_MAX - of("").len();
    // A JSON text holds no control characters; only these two are escaped once more.
    let told = |c: char| if matches!(c, '"' | '\\') { 2 } else { c.len_utf8() };
    let mut used = 0;
    let fits = json.chars().take_while(|c| {
        used += told(*c);
        used <= room
    });
    of(&fits.collect::<String>())
}
