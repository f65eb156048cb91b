//! Keys of what the vendor sends.
//!
//! The vendor writes them in lower case. A document of a product that rides on this
//! one prints them with capitals, so that case does not count where the exact key is
//! not there.

use serde_json::Value;

/// What stands under a key, but for `null`, which is as good as nothing.
pub(super) fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    let fields = value.as_object()?;
    let alike = || fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
    fields.get(key).or_else(|| alike().map(|(_, value)| value)).filter(|value| !value.is_null())
}

/// A text that is not empty.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    get(value, key)?.as_str().filter(|text| !text.is_empty())
}

/// An id: the vendor writes them as texts, some of them as numbers.
pub(super) fn id(value: &Value, key: &str) -> Option<String> {
    match get(value, key)? {
        Value::String(text) => (!text.trim().is_empty()).then(|| text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        Value::Number(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// A whole number, which may be written as a text.
pub(super) fn number(value: &Value, key: &str) -> Option<u64> {
    let value = get(value, key)?;
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Whether something is said to be so.
pub(super) fn is_true(value: &Value, key: &str) -> bool {
    get(value, key).and_then(Value::as_bool).unwrap_or(false)
}
