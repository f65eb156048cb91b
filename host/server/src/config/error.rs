//! What is wrong with the settings, for the operator.

use std::path::PathBuf;

/// The host cannot start with these settings. The operator must act.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the settings in {}: {error}; give the path of a TOML file", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The file is no TOML. The line itself is not shown: it may hold a secret.
    #[error("{}, line {line}: {problem}", file.display())]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A variable's name cannot be that of a setting.
    #[error("the environment variable {name} {problem}")]
    Variable {
        /// The variable.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A key is wrong.
    #[error("`{key}`{source_name} {problem}", source_name = of(source_name))]
    Key {
        /// The whole path of the key, with dots.
        key: String,
        /// Where it stands; absent where it is missing.
        source_name: Option<String>,
        /// What is wrong and what is expected.
        problem: String,
    },
}

fn of(source: &Option<String>) -> String {
    source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default()
}

/// A key is wrong, before it is known which layer it came from.
#[derive(Debug)]
pub(super) struct Wrong {
    /// From the root.
    pub(super) path: Vec<String>,
    /// What is wrong and what is expected: goes on after the key's path.
    pub(super) problem: String,
}

impl Wrong {
    pub(super) fn at(&self, source_name: Option<String>) -> ConfigError {
        ConfigError::Key { key: self.path.join("."), source_name, problem: self.problem.clone() }
    }
}
