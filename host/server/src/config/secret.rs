//! Texts that must not be shown, and where they may be kept.

use std::fmt;
use std::fs;

use serde_json::Value;

use super::environment::{Environment, Keeps};

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

/// What `{ file = "/path" }` or `{ env = "NAME" }` stands for, or `{ "secret": "name" }`
/// in what a tenant sends; nothing for any other value. The error names the place.
pub(super) fn reveal(value: &Value, environment: &Environment) -> Option<Result<String, String>> {
    let table = value.as_object().filter(|table| !table.is_empty())?;
    if !table.keys().all(|key| matches!(key.as_str(), "file" | "env" | "secret")) {
        return None;
    }
    let only = table.iter().next().filter(|_| table.len() == 1);
    let only = only.and_then(|(key, place)| Some((key.as_str(), place.as_str()?)));
    Some(match (environment.keeps(), only) {
        (Keeps::Variables, Some(("file", file))) => from_file(file),
        (Keeps::Variables, Some(("env", name))) => from_environment(name, environment),
        (Keeps::Secrets, Some(("secret", name))) => from_secrets(name, environment),
        (Keeps::Variables, _) => {
            Err("must be kept in one place: { file = \"/path\" } or { env = \"NAME\" }".into())
        }
        (Keeps::Secrets, _) => {
            Err("must be kept among your secrets: {\"secret\": \"NAME\"}".into())
        }
    })
}

fn from_secrets(name: &str, environment: &Environment) -> Result<String, String> {
    let missing = || format!("is not there: put the secret `{name}` first");
    environment.get(name).map(str::to_owned).ok_or_else(missing)
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
