//! Values in Userlike's own form.

use botyard_kernel::action::TextFormat;
use serde_json::Value;

use super::dialect::Dialect;

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
