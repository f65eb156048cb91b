//! The vendor's two ways to write a time.

use botyard_kernel::time::{Millis, SECOND};
use jiff::Timestamp;
use serde_json::Value;

/// A longer text is no time.
const BYTES_MAX: usize = 40;

/// A time: seconds since 1970, mostly as a text, or a date and a time with a blank
/// between them. Whatever else stands there is none, and none is lost: it stays in the
/// raw payload.
pub(super) fn when(value: &Value) -> Option<Millis> {
    match value {
        Value::Number(seconds) => seconds.as_u64()?.checked_mul(SECOND),
        Value::String(text) if text.len() <= BYTES_MAX => written(text.trim()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

fn written(text: &str) -> Option<Millis> {
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(SECOND);
    }
    let time: Timestamp = text.parse().ok()?;
    time.as_millisecond().try_into().ok()
}
