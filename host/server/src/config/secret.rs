//! Texts that must not be shown, and where they may be kept.

use std::fmt;
use std::fs;

use serde_json::Value;

use super::environment::Environment;

/// Longer than any key or token, shorter than a file given by mistake.
const FILE_MAX_BYTES: u64 = 64 * 1024;

/// A text that must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Compare it in constant time and never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What `{ file = "/path" }` or `{ env = "NAME" }` stands for; nothing for any
/// other value. The error names the file or the variable.
pub(super) fn reveal(value: &Value, environment: &Environment) -> Option<Result<String, String>> {
    let table = value.as_object().filter(|table| !table.is_empty())?;
    if !table.keys().all(|key| matches!(key.as_str(), "file" | "env")) {
        return None;
    }
    let place = |key| table.get(key).and_then(Value::as_str);
    Some(match (place("file"), place("env"), table.len()) {
        (Some(file), None, 1) => from_file(file),
        (None, Some(name), 1) => from_environment(name, environment),
        _ => Err("must be kept in one place: { file = \"/path\" } or { env = \"NAME\" }".into()),
    })
}

fn from_environment(name: &str, environment: &Environment) -> Result<String, String> {
    match environment.get(name) {
        Some("") => Err(format!("is empty: set the environment variable {name}")),
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("is not there: set the environment variable {name}")),
    }
}

fn from_file(file: &str) -> Result<String, String> {
    let cannot = |error| format!("cannot be read from {file}: {error}");
    if fs::metadata(file).map_err(cannot)?.len() > FILE_MAX_BYTES {
        return Err(format!("is no secret: {file} has more than {FILE_MAX_BYTES} bytes"));
    }
    let text = fs::read_to_string(file).map_err(cannot)?;
    // Editors end files with a line end that is no part of the secret.
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(format!("is empty: write the secret into {file}"));
    }
    Ok(text.to_owned())
}
