//! What a bot's configuration must be: the JSON Schema of its manifest.
//!
//! The schema is a stranger's. It is read at the upload and whenever a configuration is held
//! against it; so its size and its nesting are bounded with all its references followed, its
//! patterns take linear time, what it can find wrong with a configuration has a bound, and
//! nothing is ever fetched for it.

use std::fmt;

use jsonschema::{PatternOptions, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value};

use crate::load_error::short;

/// Values of a schema, each as often as it is referred to.
const VALUES: usize = 4_000;
/// How deep values lie in it, through references.
const DEPTH: usize = 32;
/// Patterns of a schema.
const PATTERNS: usize = 32;
/// What each takes when it is compiled, and while it is matched, in bytes.
const PATTERN_BYTES: usize = 256 << 10;
/// Values of a schema times keys of a configuration: each may find fault with each.
const FAULTS: usize = 250_000;
/// How much is said of a fault, in bytes.
const FAULT_BYTES: usize = 500;
/// The forms of JSON Schema that are read. In older ones `id` is a keyword, which cannot be
/// told from a key.
const DRAFTS: [&str; 4] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
];
/// Keywords that change what a reference means.
const MOVING: [&str; 7] = [
    "$id",
    "$schema",
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
];

/// What a bot's configuration must be.
#[derive(Clone, Debug)]
pub struct ConfigSchema {
    validator: Validator,
    values: usize,
}

/// A configuration is not what a bot wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// The path of the key from the configuration on.
    pub path: Vec<String>,
    /// What the schema wants there. It never says what was configured.
    pub wants: String,
    /// The key is only one that the schema does not know.
    pub unknown: bool,
}

impl ConfigSchema {
    /// Reads a schema; one that there is not wants nothing.
    ///
    /// # Errors
    /// Why this host does not read it, for the bot's author.
    pub fn read(schema: Option<&Value>) -> Result<Self, String> {
        let anything = Value::Bool(true);
        let schema = schema.unwrap_or(&anything);
        let mut walk = Walk { root: schema, values: 0, patterns: 0 };
        walk.value(schema, 0)?;
        let values = walk.values;
        let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES);
        let validator = jsonschema::options()
            .offline()
            .with_pattern_options(patterns.dfa_size_limit(PATTERN_BYTES))
            .should_validate_formats(true)
            .build(schema)
            .map_err(|error| {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "its root".to_owned() } else { place };
                short(&format!("at {place}: {}", error.masked()), FAULT_BYTES)
            })?;
        Ok(Self { validator, values })
    }

    /// What is wrong with a configuration, in which all values are texts. One that reads as a
    /// number or as true or false counts as that where the schema wants one. Of a `secret`
    /// nothing is held against the schema but that it is a text.
    pub fn faults(
        &self,
        config: &Map<String, Value>,
        secret: impl Fn(&str) -> bool,
    ) -> Vec<ConfigFault> {
        let most = FAULTS / self.values;
        if config.len() > most {
            let wants = format!("at most {most} keys can be held against a schema of this size");
            return vec![ConfigFault { path: Vec::new(), wants, unknown: false }];
        }
        let mut config = Value::Object(config.clone());
        let faults = self.found(&config, &secret);
        let mut read = false;
        for fault in faults.iter().filter(|fault| fault.of_type) {
            let [key] = &fault.told.path[..] else { continue };
            if let Some(value) = config.get_mut(key).filter(|_| !secret(key)) {
                read |= reread(value);
            }
        }
        let faults = if read { self.found(&config, &secret) } else { faults };
        faults.into_iter().map(|fault| fault.told).collect()
    }

    fn found(&self, config: &Value, secret: &impl Fn(&str) -> bool) -> Vec<Found> {
        let found = self.validator.iter_errors(config).flat_map(|error| Found::all_of(&error));
        let hidden = |found: &Found| {
            let at_secret = found.told.path.first().is_some_and(|key| secret(key));
            at_secret && !found.of_type && !found.told.unknown
        };
        found.filter(|found| !hidden(found)).collect()
    }
}

/// A fault as it was found.
struct Found {
    told: ConfigFault,
    /// It would not be one if the value were of another type.
    of_type: bool,
}

impl Found {
    /// One, or one for each key that is not known.
    fn all_of(error: &ValidationError<'_>) -> Vec<Self> {
        let pointer = error.instance_path().to_string();
        let parts = pointer.split('/').skip(1);
        let mut path: Vec<String> =
            parts.map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let mut wants = error.masked_with("it").to_string();
        let mut of_type = false;
        match error.kind() {
            ValidationErrorKind::Type { .. } => of_type = true,
            ValidationErrorKind::Required { property } => {
                path.extend(property.as_str().map(str::to_owned));
                "it is required".clone_into(&mut wants);
            }
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let unknown = |key: &String| {
                    let path = [&path[..], std::slice::from_ref(key)].concat();
                    let wants = "there is no such key".to_owned();
                    Self { told: ConfigFault { path, wants, unknown: true }, of_type: false }
                };
                return unexpected.iter().map(unknown).collect();
            }
            _ => {}
        }
        let told = ConfigFault { path, wants: short(&wants, FAULT_BYTES), unknown: false };
        vec![Self { told, of_type }]
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.wants)
    }
}

/// Makes a number, or true or false, of a text that reads as one.
fn reread(value: &mut Value) -> bool {
    let read = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    match read {
        Some(read @ (Value::Number(_) | Value::Bool(_))) => {
            *value = read;
            true
        }
        _ => false,
    }
}

/// Goes through a schema as a validator does, into what it refers to.
struct Walk<'a> {
    root: &'a Value,
    values: usize,
    patterns: usize,
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a Value, depth: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > VALUES {
            return Err(format!("it has more than {VALUES} values, references followed"));
        }
        if depth > DEPTH {
            return Err(format!("it lies deeper than {DEPTH} levels, or refers to itself"));
        }
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.value(item, depth + 1)),
            Value::Object(table) => {
                table.iter().try_for_each(|(key, value)| self.keyword((key.as_str(), value), depth))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn keyword(&mut self, (key, value): (&str, &'a Value), depth: usize) -> Result<(), String> {
        match (key, value) {
            ("$ref", Value::String(to)) => self.value(self.referred(to)?, depth + 1)?,
            ("$schema", Value::String(draft)) if depth == 0 => known_draft(draft)?,
            ("$id", Value::String(_)) if depth == 0 => {}
            (key, Value::String(_)) if MOVING.contains(&key) => {
                return Err(format!("`{key}` is not read here: refer with `$ref` to `#/…`"));
            }
            ("$recursiveAnchor", Value::Bool(_)) => {
                return Err("`$recursiveAnchor` is not read here".to_owned());
            }
            // What these ask is asked again at each level.
            ("unevaluatedProperties" | "unevaluatedItems", _) if depth > 0 => {
                return Err(format!("`{key}` is read at its root only"));
            }
            ("pattern", Value::String(_)) => self.patterns(1)?,
            ("patternProperties", Value::Object(table)) => self.patterns(table.len())?,
            _ => {}
        }
        self.value(value, depth + 1)
    }

    fn referred(&self, to: &str) -> Result<&'a Value, String> {
        let pointer = to.strip_prefix('#').filter(|pointer| !pointer.contains('%'));
        pointer.and_then(|pointer| self.root.pointer(pointer)).ok_or_else(|| {
            let to = short(to, 100);
            format!("it refers to `{to}`, which is not in it: refer to `#/…` only")
        })
    }

    fn patterns(&mut self, more: usize) -> Result<(), String> {
        self.patterns += more;
        match self.patterns > PATTERNS {
            true => Err(format!("it has more than {PATTERNS} patterns")),
            false => Ok(()),
        }
    }
}

fn known_draft(draft: &str) -> Result<(), String> {
    match DRAFTS.contains(&draft.trim_end_matches('#')) {
        true => Ok(()),
        false => {
            let draft = short(draft, 100);
            Err(format!("its `$schema` is `{draft}`: write it for {}", DRAFTS[0]))
        }
    }
}

#[cfg(test)]
mod tests;
