//! The bot's own state for a session.

use serde::Serialize;
use serde_json::Value;

use super::Action;
use crate::Failure;

/// The largest context, in bytes of compact JSON. Userlike's limit, for all vendors.
pub const CONTEXT_BYTES_MAX: usize = 10_000;

/// Replaces the context of the session; the last one of a turn wins.
///
/// A state without any field clears the context, because an update with `{}`
/// would be ignored and leave the old one.
///
/// # Errors
/// Fails where the state is no JSON object or longer than [`CONTEXT_BYTES_MAX`].
pub fn context_update(state: &impl Serialize) -> Result<Action, Failure> {
    // By way of a value only to look at its kind; what is sent is made of the
    // state itself and keeps its order.
    match serde_json::to_value(state)? {
        Value::Object(fields) if fields.is_empty() => return Ok(Action::ContextClear),
        Value::Object(_) => {}
        _ => return Err(Failure::new("a context has to be a JSON object: use a struct or a map")),
    }
    let json = serde_json::to_string(state)?;
    if json.len() > CONTEXT_BYTES_MAX {
        let bytes = json.len();
        return Err(Failure::new(format!(
            "the context has {bytes} bytes and may have {CONTEXT_BYTES_MAX}: \
             keep less, or keep it in the values of the conversation"
        )));
    }
    Ok(Action::ContextUpdate(json))
}

/// Forgets the context of the session.
pub fn context_clear() -> Action {
    Action::ContextClear
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_state_becomes_compact_json() {
        let state = BTreeMap::from([("step", "name")]);
        let action = context_update(&state).unwrap();
        assert_eq!(action, Action::ContextUpdate(r#"{"step":"name"}"#.to_owned()));
    }

    #[test]
    fn an_empty_state_clears() {
        let state = BTreeMap::<String, String>::new();
        assert_eq!(context_update(&state).unwrap(), Action::ContextClear);
    }

    #[test]
    fn only_objects_are_contexts() {
        let failure = context_update(&[1, 2]).unwrap_err();
        assert!(failure.reason().contains("JSON object"), "{failure}");
    }

    #[test]
    fn the_limit_is_exact() {
        let room = CONTEXT_BYTES_MAX - r#"{"a":""}"#.len();
        assert!(context_update(&BTreeMap::from([("a", "x".repeat(room))])).is_ok());
        let failure = context_update(&BTreeMap::from([("a", "x".repeat(room + 1))])).unwrap_err();
        assert!(failure.reason().contains("10001 bytes"), "{failure}");
    }
}
