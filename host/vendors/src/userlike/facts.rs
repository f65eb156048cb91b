//! What `info` says around an event: who, where, in which language.
//!
//! Facts are stored with the conversation, so each of them is bounded here. The
//! whole payload stays on the event.

use botyard_kernel::event::{Approach, Setting};
use botyard_kernel::session::{Contact, Facts};
use serde_json::Value;

use super::dialect::{Dialect, Paths};

/// A longer text is cut.
const TEXT_BYTES_MAX: usize = 1024;
/// More params, or longer ones, are not offered.
const PARAMS_MAX: usize = 32;
/// More topics are not offered.
const TOPICS_MAX: usize = 32;
/// Larger custom fields are not offered.
const CUSTOM_FIELDS_BYTES_MAX: usize = 16 * 1024;
/// The vendor holds 10 KB for whoever writes a context, and 10,240 bytes is the
/// larger reading of that; our own bots keep to 10,000. A larger one is not
/// offered.
const CONTEXT_BYTES_MAX: usize = 10 * 1024;
/// The param that tells of such a context, with its bytes.
const CONTEXT_DROPPED: &str = "foreign-context-dropped";

/// Reads `info`.
pub(super) fn facts(dialect: &Dialect, info: &Value) -> Facts {
    let paths = &dialect.info;
    let entry = text(&paths.entry, info);
    let mut params = params(&paths.params, info, entry.as_deref());
    let dropped = compact_context(info).filter(|context| context.len() > CONTEXT_BYTES_MAX);
    params.extend(dropped.map(|it| Setting::new(CONTEXT_DROPPED, it.len().to_string())));
    Facts {
        medium: medium(dialect, info),
        params,
        entry,
        approach: approach(info),
        locale: text(&paths.locale, info),
        contact: contact(dialect, info),
        conversation_url: text(&paths.conversation_url, info),
        subject: text(&paths.subject, info),
        topics: topics(&paths.topics, info),
    }
}

/// How the conversation was opened; a mode that we do not know is none.
pub(super) fn approach(info: &Value) -> Option<Approach> {
    match info.get("approach_mode")?.as_str()? {
        "normal" => Some(Approach::Normal),
        "proactive" => Some(Approach::Proactive),
        _ => None,
    }
}

/// The context that the vendor holds: a non-empty object, in compact form.
pub(super) fn context(info: &Value) -> Option<String> {
    compact_context(info).filter(|context| context.len() <= CONTEXT_BYTES_MAX)
}

fn compact_context(info: &Value) -> Option<String> {
    let context = info.get("context")?;
    let empty = context.as_object()?.is_empty();
    (!empty).then(|| context.to_string())
}

fn medium(dialect: &Dialect, info: &Value) -> String {
    let missing = || match dialect.missing_medium.as_str() {
        "" => "unknown".to_owned(),
        medium => medium.to_owned(),
    };
    text(&dialect.info.medium, info).unwrap_or_else(missing)
}

fn contact(dialect: &Dialect, info: &Value) -> Contact {
    let paths = &dialect.info;
    let custom_fields = paths.contact_custom_fields.object(info).map(Value::to_string);
    Contact {
        id: text(&paths.contact_id, info),
        name: text(&paths.contact_name, info),
        email: text(&paths.contact_email, info),
        mobile_number: text(&paths.contact_mobile_number, info),
        external_customer_id: text(&paths.contact_external_customer_id, info),
        locale: text(&paths.contact_locale, info),
        custom_fields: custom_fields
            .filter(|json| json.len() <= CUSTOM_FIELDS_BYTES_MAX)
            .unwrap_or_else(|| "{}".to_owned()),
    }
}

/// The scalar fields of the widget, but for the one that is the entry already.
fn params(paths: &Paths, info: &Value, entry: Option<&str>) -> Vec<Setting> {
    let fields = paths.object(info).and_then(Value::as_object).into_iter().flatten();
    let scalars = fields.filter_map(|(name, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => return None,
        };
        Some(Setting::new(name, value))
    });
    scalars
        .filter(|param| !(param.name == "id" && Some(param.value.as_str()) == entry))
        .filter(|param| param.name.len() + param.value.len() <= TEXT_BYTES_MAX)
        .take(PARAMS_MAX)
        .collect()
}

fn topics(paths: &Paths, info: &Value) -> Vec<String> {
    let Some(found) = paths.found(info).next() else { return Vec::new() };
    let one = std::slice::from_ref(found);
    let listed = found.as_array().map_or(one, Vec::as_slice);
    let texts =
        listed.iter().filter_map(|topic| topic.as_str().or_else(|| topic.get("name")?.as_str()));
    texts
        .filter(|topic| !topic.is_empty())
        .map(|topic| cut(topic.to_owned(), TEXT_BYTES_MAX))
        .take(TOPICS_MAX)
        .collect()
}

fn text(paths: &Paths, info: &Value) -> Option<String> {
    paths.text(info).map(|text| cut(text, TEXT_BYTES_MAX))
}

/// At most so many bytes of a text, whole characters.
pub(super) fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}
