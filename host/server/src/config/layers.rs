//! Three layers of settings, one over the other.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::DEFAULT;
use super::environment::{Environment, Setting};
use super::error::ConfigError;

/// What each layer says, to know where a key stands.
pub(super) struct Layers<'a> {
    default: Map<String, Value>,
    file: Option<(PathBuf, Map<String, Value>)>,
    variables: Vec<(Setting<'a>, Value)>,
}

impl<'a> Layers<'a> {
    pub(super) fn read(
        file: Option<&Path>,
        environment: &'a Environment,
    ) -> Result<Self, ConfigError> {
        let default = parse(Path::new("default.toml"), DEFAULT)?;
        let file = file.map(read).transpose()?;
        let with_value = |setting: Setting<'a>| {
            let value = value(setting.text);
            (setting, value)
        };
        let variables = environment.settings()?.into_iter().map(with_value).collect();
        Ok(Self { default, file, variables })
    }

    /// The layers as one: tables key by key, everything else whole.
    pub(super) fn merged(&self) -> Map<String, Value> {
        let mut merged = Value::Object(self.default.clone());
        if let Some((_, table)) = &self.file {
            merge(&mut merged, Value::Object(table.clone()));
        }
        for (setting, value) in &self.variables {
            let nested = setting.path.iter().rev().fold(value.clone(), |inner, level| {
                Value::Object(Map::from_iter([(level.clone(), inner)]))
            });
            merge(&mut merged, nested);
        }
        match merged {
            Value::Object(table) => table,
            // Tables merged with tables stay tables, and every layer is one.
            _ => Map::new(),
        }
    }

    /// The uppermost layer that says something of a key, in words; absent where
    /// only the defaults or none do.
    pub(super) fn source(&self, path: &[String]) -> Option<String> {
        let variable = self.variables.iter().rev().find(|(setting, value)| {
            path.strip_prefix(setting.path.as_slice())
                .is_some_and(|rest| rest.is_empty() || holds(value, rest))
                || setting.path.starts_with(path)
        });
        if let Some((setting, _)) = variable {
            return Some(format!("set by the environment variable {}", setting.name));
        }
        let (file, table) = self.file.as_ref()?;
        let (first, rest) = path.split_first()?;
        let inside = table.get(first).is_some_and(|value| holds(value, rest));
        inside.then(|| format!("in {}", file.display()))
    }
}

fn read(file: &Path) -> Result<(PathBuf, Map<String, Value>), ConfigError> {
    let text = fs::read_to_string(file)
        .map_err(|error| ConfigError::Read { file: file.to_owned(), error })?;
    Ok((file.to_owned(), parse(file, &text)?))
}

fn parse(file: &Path, text: &str) -> Result<Map<String, Value>, ConfigError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        ConfigError::Syntax {
            file: file.to_owned(),
            line: text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1,
            problem: error.message().to_owned(),
        }
    })?;
    Ok(table.into_iter().map(|(key, value)| (key, json(value))).collect())
}

fn value(text: &str) -> Value {
    text.parse::<toml::Value>().map_or_else(|_| Value::String(text.to_owned()), json)
}

/// Dates, and the numbers that JSON has not, become texts: no setting of ours is
/// one, and a vendor's is refused by the vendor.
fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) if number.is_finite() => number.into(),
        toml::Value::Float(number) => Value::String(number.to_string()),
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(list) => Value::Array(list.into_iter().map(json).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, json(value))).collect())
        }
    }
}

/// Puts one layer over another: tables key by key, everything else whole.
pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Whether a value says something of a key.
pub(super) fn holds(value: &Value, path: &[String]) -> bool {
    let Some((level, rest)) = path.split_first() else {
        return true;
    };
    let inside = match value {
        Value::Array(items) => level.parse::<usize>().ok().and_then(|index| items.get(index)),
        value => value.get(level),
    };
    inside.is_some_and(|value| holds(value, rest))
}
