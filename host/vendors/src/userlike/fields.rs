//! Pieces of the JSON that we send.

use botyard_kernel::action::TextFormat;
use serde_json::{Map, Value};

use super::dialect::Dialect;

/// A JSON object in the making.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// No fields yet.
    pub(super) fn new() -> Self {
        Self(Map::new())
    }

    /// Adds a field.
    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a field where there is something to say.
    pub(super) fn some(self, key: &str, value: Option<impl Into<Value>>) -> Self {
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

/// The vendor's word for a format; a plain text needs none.
pub(super) fn text_format(format: TextFormat) -> Option<&'static str> {
    match format {
        TextFormat::Plain => None,
        TextFormat::MarkdownV1 => Some("markdown_v1"),
    }
}

/// An id in the vendor's form: a number where it is one and reads the same back.
pub(super) fn id(dialect: &Dialect, text: &str) -> Value {
    let number = text.parse::<u64>().ok().filter(|number| number.to_string() == text);
    match number {
        Some(number) if dialect.numeric_ids => Value::from(number),
        Some(_) | None => Value::from(text),
    }
}

/// A JSON object that the bot wrote; `None` for anything else.
pub(super) fn object(json: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(json).ok()
}
