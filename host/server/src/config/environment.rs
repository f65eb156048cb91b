//! What settings may be kept in besides the settings themselves: the process's
//! variables, as they were at the start, or the secrets of a tenant.

use std::collections::BTreeMap;
use std::fmt;

use super::error::ConfigError;

/// What the names of settings begin with.
const PREFIX: &str = "BOTYARD__";
const BETWEEN_LEVELS: &str = "__";

/// All variables, or all secrets of a tenant. They are not shown.
pub(super) struct Environment {
    keeps: Keeps,
    texts: BTreeMap<String, String>,
}

/// Where texts may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeps {
    /// In variables of the process and in files: what the operator wrote.
    Variables,
    /// Among the secrets of a tenant: what came from the tenant, who must not read the
    /// operator's files.
    Secrets,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// A variable that is a setting.
pub(super) struct Setting<'a> {
    /// The name of the variable.
    pub(super) name: &'a str,
    /// The key that it sets, from the root.
    pub(super) path: Vec<String>,
    /// What it says.
    pub(super) text: &'a str,
}

impl Environment {
    pub(super) fn new(variables: impl Iterator<Item = (String, String)>) -> Self {
        Self { keeps: Keeps::Variables, texts: variables.collect() }
    }

    /// The secrets of a tenant by name.
    pub(super) fn of_secrets(secrets: BTreeMap<String, String>) -> Self {
        Self { keeps: Keeps::Secrets, texts: secrets }
    }

    /// Where texts may be kept.
    pub(super) fn keeps(&self) -> Keeps {
        self.keeps
    }

    /// The value of any variable, or a secret.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// The variables that are settings, by name.
    pub(super) fn settings(&self) -> Result<Vec<Setting<'_>>, ConfigError> {
        self.texts
            .iter()
            .filter_map(|(name, text)| Some((name, name.strip_prefix(PREFIX)?, text)))
            .map(|(name, key, text)| {
                let path = path(key).ok_or_else(|| ConfigError::Variable {
                    name: name.clone(),
                    problem: "names no setting: write BOTYARD__SECTION__KEY, with `__` between \
                              the levels and `_` for `-`"
                        .to_owned(),
                })?;
                Ok(Setting { name, path, text })
            })
            .collect()
    }
}

fn path(key: &str) -> Option<Vec<String>> {
    let level = |level: &str| {
        let named = !level.is_empty() && !level.starts_with('_');
        named.then(|| level.to_ascii_lowercase().replace('_', "-"))
    };
    key.split(BETWEEN_LEVELS).map(level).collect()
}
