//! Whose conversation an event belongs to: the vendor's key of it, and back.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value};

/// What may stand in a key as it is. The separator is not among it.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');
/// A longer part of a key is none of the vendor's.
const PART_BYTES_MAX: usize = 256;
/// Nor is a longer key.
const KEY_BYTES_MAX: usize = 1024;

/// A person on an account of the company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The company.
    pub(super) company: String,
    /// The network.
    pub(super) network: String,
    /// The brand's account there.
    pub(super) external: String,
    /// The person there.
    pub(super) author: String,
}

impl Place {
    /// Out of an event; else what is wrong with it.
    pub(super) fn read(event: &Value) -> Result<Self, String> {
        let part = |name: &str, pointer: &str| {
            let text = event.pointer(pointer).and_then(id).unwrap_or_default();
            if text.trim().is_empty() || text.len() > PART_BYTES_MAX {
                return Err(format!("`{name}` must be a text of 1 to {PART_BYTES_MAX} bytes"));
            }
            Ok(text)
        };
        let place = Self {
            company: part("coordinate.companyKey", "/coordinate/companyKey")?,
            network: part("coordinate.networkKey", "/coordinate/networkKey")?,
            external: part("coordinate.externalId", "/coordinate/externalId")?,
            author: part("author.id", "/author/id")?,
        };
        if place.key().len() > KEY_BYTES_MAX {
            return Err("`coordinate` and `author.id` are too long together".to_owned());
        }
        Ok(place)
    }

    /// The key of the conversation.
    pub(super) fn key(&self) -> String {
        let parts = [&self.company, &self.network, &self.external, &self.author];
        parts.map(|part| utf8_percent_encode(part, PLAIN).to_string()).join("/")
    }

    /// Takes a key apart.
    pub(super) fn of_key(key: &str) -> Option<Self> {
        let decoded = |part| percent_decode_str(part).decode_utf8().ok().map(String::from);
        let mut parts = key.split('/').map(decoded);
        let mut next = || parts.next().flatten();
        Some(Self { company: next()?, network: next()?, external: next()?, author: next()? })
    }

    /// A coordinate for whom no event has told us a better one.
    pub(super) fn coordinate(&self, app_id: &str) -> Map<String, Value> {
        let fields = [
            ("companyKey", &*self.company),
            ("networkKey", &*self.network),
            ("externalId", &*self.external),
            ("botId", app_id),
            ("scope", "PRIVATE"),
        ];
        fields.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect()
    }
}

/// An id that may be written as a number.
pub(super) fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A part of an address of ours.
pub(super) fn in_url(part: &str) -> String {
    utf8_percent_encode(part, PLAIN).to_string()
}
