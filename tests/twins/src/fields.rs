//! The fields of an object, as a strict reader asks for them.

use serde_json::{Map, Value};

/// An object of a packet, and what to call it in a refusal.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    name: String,
    map: &'a Map<String, Value>,
}

type Checked = Result<(), String>;

impl<'a> Fields<'a> {
    /// The payload of the packet that is called so.
    pub(crate) fn of(name: &str, payload: &'a Value) -> Result<Self, String> {
        let map = payload.as_object().ok_or_else(|| format!("{name} without a payload object"))?;
        Ok(Self { name: name.to_owned(), map })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A text of one character at least.
    pub(crate) fn some_text(&self, key: &str) -> Checked {
        self.text(key, usize::MAX)
    }

    pub(crate) fn text(&self, key: &str, characters_max: usize) -> Checked {
        match self.map.get(key) {
            Some(Value::String(text)) if !text.is_empty() => self.length(key, text, characters_max),
            Some(Value::String(_)) => Err(format!("{} with an empty {key}", self.name)),
            Some(other) => Err(format!("{} with a {key} that is no text: {other}", self.name)),
            None => Err(format!("{} without {key}", self.name)),
        }
    }

    pub(crate) fn optional_text(&self, key: &str, characters_max: usize) -> Checked {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(()),
            Some(Value::String(text)) => self.length(key, text, characters_max),
            Some(other) => Err(format!("{} with a {key} that is no text: {other}", self.name)),
        }
    }

    fn length(&self, key: &str, text: &str, characters_max: usize) -> Checked {
        let characters = text.chars().count();
        if characters > characters_max {
            return Err(format!(
                "{} with a {key} of {characters} characters, where {characters_max} are allowed",
                self.name
            ));
        }
        Ok(())
    }

    /// A text of at most so many bytes in UTF-8.
    pub(crate) fn optional_bytes(&self, key: &str, bytes_max: usize) -> Checked {
        self.optional_text(key, usize::MAX)?;
        let bytes = self.map.get(key).and_then(Value::as_str).map_or(0, str::len);
        if bytes > bytes_max {
            let name = &self.name;
            return Err(format!("{name} with a {key} of {bytes} bytes, where {bytes_max} fit"));
        }
        Ok(())
    }

    /// Whether the key is there and not null.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(|value| !value.is_null())
    }

    /// A text, or an empty one.
    pub(crate) fn word(&self, key: &str) -> &'a str {
        self.map.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// One of these words, where it is there at all.
    pub(crate) fn one_of(&self, key: &str, words: &[&str]) -> Checked {
        match self.map.get(key) {
            None => Ok(()),
            Some(value) if words.iter().any(|word| value == word) => Ok(()),
            Some(other) => Err(format!("{} with {key} {other}, not {words:?}", self.name)),
        }
    }

    pub(crate) fn is(&self, key: &str, word: &str) -> bool {
        self.map.get(key).is_some_and(|value| value == word)
    }

    /// An absolute address that a browser opens.
    pub(crate) fn link(&self, key: &str) -> Checked {
        self.some_text(key)?;
        let is_link = self.map[key].as_str().is_some_and(is_link);
        is_link.then_some(()).ok_or_else(|| {
            format!("{} with a {key} that is no address: {}", self.name, self.map[key])
        })
    }

    /// A number or a word: the page does not say which.
    pub(crate) fn id(&self, key: &str) -> Checked {
        match self.map.get(key) {
            Some(value) if is_id(value) => Ok(()),
            Some(other) => Err(format!("{} with a {key} that is no id: {other}", self.name)),
            None => Err(format!("{} without {key}", self.name)),
        }
    }

    pub(crate) fn optional_link(&self, key: &str) -> Checked {
        if self.has(key) { self.link(key) } else { Ok(()) }
    }

    pub(crate) fn optional_id(&self, key: &str) -> Checked {
        if self.map.contains_key(key) { self.id(key) } else { Ok(()) }
    }

    /// A list of one id at least.
    pub(crate) fn ids(&self, key: &str) -> Checked {
        match self.map.get(key).and_then(Value::as_array) {
            Some(list) if !list.is_empty() && list.iter().all(is_id) => Ok(()),
            _ => Err(format!("{} without a list of ids in {key}", self.name)),
        }
    }

    /// A list of one whole number at least.
    pub(crate) fn whole_numbers(&self, key: &str) -> Checked {
        match self.map.get(key).and_then(Value::as_array) {
            Some(list) if !list.is_empty() && list.iter().all(Value::is_u64) => Ok(()),
            _ => Err(format!("{} without a list of whole numbers in {key}", self.name)),
        }
    }

    /// One key at least, and under each a list of texts.
    pub(crate) fn texts(&self) -> Checked {
        let is_texts = |value: &Value| {
            value.as_array().is_some_and(|it| !it.is_empty() && it.iter().all(Value::is_string))
        };
        match self.map.iter().find(|(_, value)| !is_texts(value)) {
            Some((key, _)) => Err(format!("{} with {key} that is no list of texts", self.name)),
            None if self.map.is_empty() => Err(format!("{} that holds nothing", self.name)),
            None => Ok(()),
        }
    }

    /// A list of one object at least.
    pub(crate) fn list(&self, key: &str, count_max: usize) -> Result<Vec<Self>, String> {
        let list = self.map.get(key).and_then(Value::as_array);
        let list = list.ok_or_else(|| format!("{} without a list in {key}", self.name))?;
        if list.is_empty() || list.len() > count_max {
            let count = list.len();
            return Err(format!(
                "{} with {count} {key}, where 1 to {count_max} are allowed",
                self.name
            ));
        }
        list.iter().map(|item| Self::of(&format!("{} {key}", self.name), item)).collect()
    }

    pub(crate) fn optional_list(&self, key: &str) -> Checked {
        match self.map.get(key) {
            None | Some(Value::Array(_)) => Ok(()),
            Some(other) => Err(format!("{} with {key} that are no list: {other}", self.name)),
        }
    }

    pub(crate) fn object(&self, key: &str) -> Result<Self, String> {
        self.optional_object(key)?.ok_or_else(|| format!("{} without {key}", self.name))
    }

    pub(crate) fn optional_object(&self, key: &str) -> Result<Option<Self>, String> {
        self.map.get(key).map(|value| Self::of(&format!("{} {key}", self.name), value)).transpose()
    }

    pub(crate) fn optional_bool(&self, key: &str) -> Checked {
        match self.map.get(key) {
            None | Some(Value::Bool(_)) => Ok(()),
            Some(other) => Err(format!("{} with {key} {other}, not true or false", self.name)),
        }
    }

    /// A number of seconds, more than none.
    pub(crate) fn seconds(&self, key: &str) -> Checked {
        match self.map.get(key).and_then(Value::as_f64) {
            Some(seconds) if seconds > 0.0 => Ok(()),
            _ => Err(format!("{} without a number of {key} above zero", self.name)),
        }
    }

    /// A whole number of zero or more.
    pub(crate) fn whole_number(&self, key: &str) -> Checked {
        match self.number(key) {
            Some(_) => Ok(()),
            None => Err(format!("{} without a whole number in {key}", self.name)),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.map.get(key)?.as_u64()
    }

    pub(crate) fn at_least_one(&self, keys: &[&str]) -> Checked {
        if self.map.is_empty() {
            return Err(format!("{} that changes nothing", self.name));
        }
        self.no_others(keys)
    }

    /// Where the page names every key, another one is a mistake.
    pub(crate) fn no_others(&self, keys: &[&str]) -> Checked {
        match self.map.keys().find(|key| !keys.contains(&&***key)) {
            Some(other) => Err(format!("{} with {other}, which it does not have", self.name)),
            None => Ok(()),
        }
    }
}

/// Whether a text is an absolute address on the web.
pub(crate) fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

fn is_id(value: &Value) -> bool {
    value.is_u64() || value.as_str().is_some_and(|text| !text.is_empty())
}
