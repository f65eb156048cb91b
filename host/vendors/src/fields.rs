//! Pieces of the JSON that we send.

use serde_json::{Map, Value};

/// A JSON object in the making.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// No fields yet.
    pub(crate) fn new() -> Self {
        Self(Map::new())
    }

    /// Adds a field.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a field where there is something to say.
    pub(crate) fn some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        Self::Object(fields.0)
    }
}

/// A JSON object that the bot wrote; `None` for anything else.
pub(crate) fn object(json: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(json).ok()
}
