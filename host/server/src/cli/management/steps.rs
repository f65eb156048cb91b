//! What `botyard apply` has to do, step by step, and how it is said.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use serde_json::{Map, Value};

/// Something that is not yet as the files have it.
pub(super) struct Step {
    /// In words.
    pub(super) what: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) kind: &'static str,
    pub(super) body: Bytes,
    /// What the host answers where this changes nothing; absent where that is known before.
    pub(super) same: Option<Value>,
}

/// What is to be put of an object, unless it is so already.
pub(super) fn changed(
    word: &str,
    name: &str,
    path: &str,
    body: &Value,
    known: Option<&Value>,
) -> Vec<Step> {
    let is = |known: &Value| {
        body.as_object().into_iter().flatten().all(|(key, value)| known[key] == *value)
    };
    if known.is_some_and(is) {
        return Vec::new();
    }
    let sign = if known.is_some() { "~" } else { "+" };
    vec![json_step(sign, word, name, Method::PUT, path, body, known)]
}

/// The settings among what a file says, and what stands beside them in the API.
pub(super) fn parted(
    wanted: &Map<String, Value>,
    beside: &[&str],
    elsewhere: &[&str],
) -> (Map<String, Value>, Map<String, Value>) {
    let rest = wanted.clone().into_iter().filter(|(key, _)| !elsewhere.contains(&key.as_str()));
    let (apart, own): (Vec<_>, Vec<_>) = rest.partition(|(key, _)| beside.contains(&key.as_str()));
    (own.into_iter().collect(), apart.into_iter().collect())
}

/// Puts more into a table.
pub(super) fn add(body: &mut Value, more: Map<String, Value>) {
    if let Some(table) = body.as_object_mut() {
        table.extend(more);
    }
}

/// A step with what changes: secrets stand in it by name only. What there was has at least
/// the keys of what there is to be.
pub(super) fn json_step(
    sign: &str,
    word: &str,
    name: &str,
    method: Method,
    path: &str,
    body: &Value,
    old: Option<&Value>,
) -> Step {
    let mut what = format!("{sign} {word} {name}");
    for (key, value) in body.as_object().into_iter().flatten() {
        let old = old.map_or(&Value::Null, |old| &old[key]);
        match value.as_object() {
            Some(new) if key == "settings" => differences(&mut what, new, old),
            _ if key == "name" || value == old => {}
            _ => {
                let _ = write!(what, "\n    {key}: {old} -> {value}");
            }
        }
    }
    let body = body.to_string().into();
    Step { what, method, path: path.to_owned(), kind: "application/json", body, same: None }
}

fn differences(what: &mut String, new: &Map<String, Value>, old: &Value) {
    for (key, value) in new.iter().filter(|(key, value)| old[key.as_str()] != **value) {
        let _ = write!(what, "\n    {key}: {} -> {value}", old[key.as_str()]);
    }
    let old = old.as_object().into_iter().flatten();
    for (key, value) in old.filter(|(key, _)| !new.contains_key(*key)) {
        let _ = write!(what, "\n    {key}: {value} -> null");
    }
}
