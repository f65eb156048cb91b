//! One setting: a value that is turned into what it should be.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use super::environment::{Environment, Keeps};
use super::error::Wrong;
use super::secret::{self, Secret};

/// One setting. Texts never stand in errors: any of them may be a secret.
pub(super) struct Entry<'a> {
    pub(super) path: Vec<String>,
    pub(super) value: Value,
    pub(super) environment: &'a Environment,
}

impl<'a> Entry<'a> {
    /// A text.
    pub(super) fn text(self) -> Result<String, Wrong> {
        self.parsed("a text", |text| Ok(text.to_owned()))
    }

    /// A text with a form of its own. The parser may say more about what is wrong.
    pub(super) fn parsed<T>(
        self,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<T, Wrong> {
        let Value::String(text) = &self.value else {
            return Err(self.expected(expected));
        };
        parse(text).map_err(|why| self.wrong(format!("must be {expected}: {why}")))
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(self, words: &[(&str, T)]) -> Result<T, Wrong> {
        let chosen = self.value.as_str().and_then(|text| {
            words.iter().find(|(word, _)| *word == text).map(|(_, chosen)| *chosen)
        });
        let known = words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>();
        chosen.ok_or_else(|| self.wrong(format!("must be {}", known.join(" or "))))
    }

    /// A yes or no.
    pub(super) fn flag(self) -> Result<bool, Wrong> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    /// A whole number; the unit is for the reader.
    pub(super) fn number(self, range: RangeInclusive<u64>, unit: &str) -> Result<u64, Wrong> {
        let number = self.value.as_u64().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let (least, most) = range.into_inner();
            let expected = format!("a whole number of {unit} from {least} to {most}");
            match &self.value {
                Value::Number(number) => self.wrong(format!("must be {expected}, not {number}")),
                _ => self.expected(&expected),
            }
        })
    }

    /// As [`Self::number`], for what is counted in memory.
    pub(super) fn size(self, range: RangeInclusive<u64>, unit: &str) -> Result<usize, Wrong> {
        let path = self.path.clone();
        let number = self.number(range, unit)?;
        usize::try_from(number).map_err(|_| Wrong {
            path,
            problem: "is more than this machine can address".to_owned(),
        })
    }

    /// A time in milliseconds.
    pub(super) fn millis(self, range: RangeInclusive<u64>) -> Result<Duration, Wrong> {
        self.number(range, "milliseconds").map(Duration::from_millis)
    }

    /// A list of texts with a form of their own.
    pub(super) fn list<T>(
        self,
        expected: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, Wrong> {
        let Value::Array(items) = self.value else {
            return Err(self.expected(&format!("a list, each entry {expected}")));
        };
        let entries = items.into_iter().enumerate().map(|(n, value)| {
            let mut path = self.path.clone();
            path.push(n.to_string());
            Entry { path, value, environment: self.environment }
        });
        entries.map(|entry| entry.parsed(expected, &parse)).collect()
    }

    /// A text of some length that must not be shown, or where it is kept.
    pub(super) fn secret(self, min_bytes: usize) -> Result<Secret, Wrong> {
        let expected = format!("a text of at least {min_bytes} bytes");
        self.named()?.parsed(&expected, |text| {
            if text.len() < min_bytes {
                return Err("it is shorter".to_owned());
            }
            Ok(Secret::new(text))
        })
    }

    /// A text with a form of its own that must not be shown, or where it is kept.
    /// What the check says must not hold the text.
    pub(super) fn hidden(
        self,
        expected: &str,
        check: impl FnOnce(&str) -> Result<(), String>,
    ) -> Result<Secret, Wrong> {
        self.named()?.parsed(expected, |text| check(text).map(|()| Secret::new(text)))
    }

    /// The keys of a table whose texts are kept elsewhere.
    pub(super) fn kept_elsewhere(&self) -> Vec<String> {
        let table = self.value.as_object().into_iter().flatten();
        table.filter(|(_, value)| value.is_object()).map(|(key, _)| key.clone()).collect()
    }

    /// Texts by key, each of them perhaps kept elsewhere.
    pub(super) fn texts(self) -> Result<BTreeMap<String, String>, Wrong> {
        let environment = self.environment;
        let (path, table) = self.table()?;
        table
            .into_iter()
            .map(|(key, value)| {
                let path = [path.as_slice(), std::slice::from_ref(&key)].concat();
                Ok((key, Entry { path, value, environment }.revealed()?.text()?))
            })
            .collect()
    }

    /// Whatever stands there, with what is kept elsewhere put in.
    pub(super) fn settings(self) -> Result<Value, Wrong> {
        let environment = self.environment;
        let Entry { path, value, .. } = self.revealed()?;
        let inner = |key: String, value: Value| {
            let path = [path.as_slice(), &[key]].concat();
            Entry { path, value, environment }.settings()
        };
        match value {
            Value::Object(table) => table
                .into_iter()
                .map(|(key, value)| Ok((key.clone(), inner(key, value)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(n, value)| inner(n.to_string(), value))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            value => Ok(value),
        }
    }

    /// The problem of this entry.
    pub(super) fn wrong(&self, problem: String) -> Wrong {
        Wrong { path: self.path.clone(), problem }
    }

    fn expected(&self, expected: &str) -> Wrong {
        self.wrong(format!("must be {expected} and is {}", kind(&self.value)))
    }

    fn table(self) -> Result<(Vec<String>, Map<String, Value>), Wrong> {
        match self.value {
            Value::Object(table) => Ok((self.path, table)),
            _ => Err(self.expected("a table of texts")),
        }
    }

    /// Of what is always a secret: a tenant names it, lest it lies open in the catalog.
    fn named(self) -> Result<Self, Wrong> {
        let open = self.environment.keeps() == Keeps::Secrets && self.value.is_string();
        if open {
            let problem = "must be kept among your secrets: {\"secret\": \"NAME\"}";
            return Err(self.wrong(problem.to_owned()));
        }
        self.revealed()
    }

    fn revealed(mut self) -> Result<Self, Wrong> {
        match secret::reveal(&self.value, self.environment) {
            None => Ok(self),
            Some(Ok(text)) => {
                self.value = Value::String(text);
                Ok(self)
            }
            Some(Err(problem)) => Err(self.wrong(problem)),
        }
    }
}

/// What a value is, in words that tell nothing of what it says.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}
