//! A table of settings that is read key by key; what nobody asked for is wrong.

use serde_json::{Map, Value};

use super::entry::{Entry, kind};
use super::environment::Environment;
use super::error::Wrong;

/// Names are as long as a label of a host name.
const NAME_MAX: usize = 63;

/// A table of settings.
pub(super) struct Section<'a> {
    path: Vec<String>,
    table: Map<String, Value>,
    asked: Vec<&'static str>,
    environment: &'a Environment,
}

impl<'a> Section<'a> {
    pub(super) fn root(table: Map<String, Value>, environment: &'a Environment) -> Self {
        Self { path: Vec::new(), table, asked: Vec::new(), environment }
    }

    /// A key that may be absent.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.asked.push(key);
        let value = self.table.remove(key)?;
        Some(Entry { path: self.path_of(key), value, environment: self.environment })
    }

    /// A key that must be there; most are, by the defaults.
    pub(super) fn required(&mut self, key: &'static str) -> Result<Entry<'a>, Wrong> {
        let entry = self.optional(key);
        entry.ok_or_else(|| Wrong { path: self.path_of(key), problem: "is missing".to_owned() })
    }

    /// A table within this one; an absent one is empty.
    pub(super) fn section(&mut self, key: &'static str) -> Result<Self, Wrong> {
        self.asked.push(key);
        let value = self.table.remove(key).unwrap_or_else(|| Value::Object(Map::new()));
        Self::of(self.path_of(key), value, self.environment)
    }

    /// Everything that is left, as tables by name.
    pub(super) fn named(self) -> Result<Vec<(String, Self)>, Wrong> {
        let Self { path, table, environment, .. } = self;
        table
            .into_iter()
            .map(|(name, value)| {
                let path = [path.as_slice(), std::slice::from_ref(&name)].concat();
                if !is_name(&name) {
                    return Err(Wrong {
                        path,
                        problem: format!(
                            "is no name: use 1 to {NAME_MAX} characters, a-z, 0-9 and `-`, which \
                             is not the first"
                        ),
                    });
                }
                Ok((name, Self::of(path, value, environment)?))
            })
            .collect()
    }

    /// Everything that is left, by key, whatever the keys are.
    pub(super) fn entries(self) -> Vec<(String, Entry<'a>)> {
        let Self { path, table, environment, .. } = self;
        let entry = |(key, value): (String, Value)| {
            let path = [path.as_slice(), std::slice::from_ref(&key)].concat();
            (key, Entry { path, value, environment })
        };
        table.into_iter().map(entry).collect()
    }

    /// Everything that is left, as it stands, secrets put in.
    pub(super) fn rest(self) -> Result<Map<String, Value>, Wrong> {
        let Self { path, table, environment, .. } = self;
        table
            .into_iter()
            .map(|(key, value)| {
                let path = [path.as_slice(), std::slice::from_ref(&key)].concat();
                Ok((key, Entry { path, value, environment }.settings()?))
            })
            .collect()
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), Wrong> {
        let Some(key) = self.table.keys().next() else {
            return Ok(());
        };
        Err(Wrong { path: self.path_of(key), problem: unknown(key, &self.asked) })
    }

    fn of(path: Vec<String>, value: Value, environment: &'a Environment) -> Result<Self, Wrong> {
        match value {
            Value::Object(table) => Ok(Self { path, table, asked: Vec::new(), environment }),
            other => Err(Wrong {
                path,
                problem: format!("must be a table of settings and is {}", kind(&other)),
            }),
        }
    }

    fn path_of(&self, key: &str) -> Vec<String> {
        [self.path.as_slice(), &[key.to_owned()]].concat()
    }
}

/// What to say about a key that does not exist.
fn unknown(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("does not exist; did you mean `{near}`?"),
        None => format!("does not exist; known here are: {}", known.join(", ")),
    }
}

/// The word that was probably meant.
pub(super) fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // Units stand at the end of keys and are easily left out.
    let distance = |near: &str| match near.strip_prefix(word) {
        Some(unit) if unit.starts_with('-') => 0,
        _ => strsim::damerau_levenshtein(word, near),
    };
    words
        .map(|near| (distance(near), near))
        .min()
        .filter(|(distance, near)| *distance <= near.len().div_ceil(3))
        .map(|(_, near)| near)
}

/// Whether a text can be the name of a tenant, a bot or a channel.
pub(super) fn is_name(name: &str) -> bool {
    let letter = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= NAME_MAX
        && name.as_bytes().first().is_some_and(letter)
        && name.bytes().all(|byte| letter(&byte) || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels() {
        for name in ["a", "0", "acme-web", "a-", &"x".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "A", "a_b", "a.b", "ä", "a b", &"x".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["listen", "public-url", "trusted-proxies"];
        let near = |word| nearest(word, known.iter().copied());
        assert_eq!(near("lisen"), Some("listen"));
        assert_eq!(near("public_url"), Some("public-url"));
        assert_eq!(near("trusted"), Some("trusted-proxies"));
        assert_eq!(near(""), None);
        assert_eq!(near("colour"), None);
    }
}
