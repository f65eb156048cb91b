//! What the vendor says around an event: the person's id, and by which link or ad
//! they came. Facts are stored with the conversation, so each of them is bounded.

use botyard_kernel::event::Setting;
use botyard_kernel::session::{Contact, Facts};
use serde_json::Value;

use super::bounded::cut;
use super::keys::{get, text};

/// A longer text is cut.
const TEXT_BYTES_MAX: usize = 1024;
/// More params, or longer ones, are not offered.
const PARAMS_MAX: usize = 32;

pub(super) fn facts(medium: &str, person: &str, part: &Value, kind: &str) -> Facts {
    let referral = if kind == "referral" { Some(part) } else { get(part, "referral") };
    Facts {
        medium: medium.to_owned(),
        entry: referral.and_then(|it| text(it, "ref")).map(|it| cut(it, TEXT_BYTES_MAX)),
        params: referral.map(params).unwrap_or_default(),
        contact: Contact { id: Some(person.to_owned()), ..Contact::default() },
        ..Facts::default()
    }
}

/// The scalar fields of a referral, but for the one that is the entry already.
fn params(referral: &Value) -> Vec<Setting> {
    let fields = referral.as_object().into_iter().flatten();
    let scalars = fields.filter_map(|(name, value)| match value {
        Value::String(text) => Some(Setting::new(name, text)),
        Value::Number(_) | Value::Bool(_) => Some(Setting::new(name, value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    });
    scalars
        .filter(|param| !param.name.eq_ignore_ascii_case("ref"))
        .filter(|param| param.name.len() + param.value.len() <= TEXT_BYTES_MAX)
        .take(PARAMS_MAX)
        .collect()
}
