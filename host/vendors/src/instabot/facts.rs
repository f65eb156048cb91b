//! What the start of a chat says of the person and where they are. It is said once:
//! later requests carry none of it, and the facts stay.

use botyard_kernel::event::{Approach, Setting};
use botyard_kernel::session::{Contact, Facts};
use serde_json::{Map, Value};

use super::dialect::Dialect;

/// A longer text is cut.
const TEXT_BYTES_MAX: usize = 1024;
/// More params, or longer ones, are not offered.
const PARAMS_MAX: usize = 32;
/// The param that tells how many were not.
const METADATA_DROPPED: &str = "metadata-dropped";

/// Reads the metadata of a chat with this person.
pub(super) fn facts(dialect: &Dialect, email: &str, metadata: &Map<String, Value>) -> Facts {
    let keys = &dialect.metadata;
    let of = |keys: &[String]| text(keys, metadata);
    Facts {
        medium: of(&keys.medium).unwrap_or_else(|| missing_medium(dialect)),
        entry: of(&keys.entry),
        params: params(metadata),
        // The person opened the client, as far as its requests tell.
        approach: Some(Approach::Normal),
        locale: of(&keys.locale),
        contact: Contact {
            id: of(&keys.contact_id),
            name: of(&keys.contact_name),
            email: Some(email.to_owned()),
            mobile_number: of(&keys.contact_mobile_number),
            external_customer_id: of(&keys.contact_external_customer_id),
            ..Contact::default()
        },
        conversation_url: of(&keys.conversation_url),
        subject: of(&keys.subject),
        topics: Vec::new(),
    }
}

fn missing_medium(dialect: &Dialect) -> String {
    match dialect.missing_medium.as_str() {
        "" => "unknown".to_owned(),
        medium => medium.to_owned(),
    }
}

/// Texts as they are, anything else as JSON. The whole payload stays on the event.
fn params(metadata: &Map<String, Value>) -> Vec<Setting> {
    let all = metadata.iter().map(|(name, value)| match value {
        Value::String(text) => Setting::new(name, text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Setting::new(name, value.to_string())
        }
    });
    let short = |param: &Setting| param.name.len() + param.value.len() <= TEXT_BYTES_MAX;
    let mut params: Vec<_> = all.filter(short).take(PARAMS_MAX).collect();
    let dropped = metadata.len() - params.len();
    if dropped > 0 {
        params.push(Setting::new(METADATA_DROPPED, dropped.to_string()));
    }
    params
}

/// The first text or number that is not empty, as text.
fn text(keys: &[String], metadata: &Map<String, Value>) -> Option<String> {
    let found = keys.iter().filter_map(|key| metadata.get(key));
    let mut texts = found.filter_map(|value| match value {
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    texts.next().map(|text| cut(text, TEXT_BYTES_MAX))
}

/// At most so many bytes of a text, whole characters.
pub(super) fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}
