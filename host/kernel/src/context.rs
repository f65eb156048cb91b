//! Contexts: told apart by what they say, not by how they are written.

use serde_json::Value;

use crate::id::Digest;

/// A hash of a context that is the same for the same JSON, in whatever order
/// its keys stand: vendors that keep a context may write it anew.
pub fn digest(context: &str) -> Digest {
    match serde_json::from_str::<Value>(context) {
        Ok(value) => Digest::of(sorted(value).to_string().as_bytes()),
        Err(_) => Digest::of(context.as_bytes()),
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<_> =
                object.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::digest;

    #[test]
    fn the_order_of_keys_says_nothing() {
        let one = r#"{"state":"email","seen":{"a":1,"b":[1,{"x":1,"y":2}]}}"#;
        let other = r#" {"seen": {"b": [1, {"y": 2, "x": 1}], "a": 1}, "state": "email"}"#;
        assert_eq!(digest(one), digest(other));
    }

    #[test]
    fn the_order_of_a_list_and_every_value_does() {
        assert_ne!(digest(r#"{"a":[1,2]}"#), digest(r#"{"a":[2,1]}"#));
        assert_ne!(digest(r#"{"a":1}"#), digest(r#"{"a":"1"}"#));
        assert_ne!(digest("not json"), digest("nor json"));
    }
}
