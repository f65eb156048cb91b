//! What is written about the host's work.

use tracing_subscriber::EnvFilter;

use super::error::Wrong;
use super::section::Section;

/// What is written about the host's work.
#[derive(Clone, Debug)]
pub struct Log {
    /// For whom.
    pub format: LogFormat,
    /// Which lines, in the words of `tracing_subscriber::EnvFilter`.
    pub filter: String,
}

/// For whom the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl Log {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let log = Self {
            format: section
                .required("format")?
                .word(&[("text", LogFormat::Text), ("json", LogFormat::Json)])?,
            filter: section.required("filter")?.parsed("a filter like \"info\"", filter)?,
        };
        section.finish()?;
        Ok(log)
    }
}

fn filter(text: &str) -> Result<String, String> {
    match EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
