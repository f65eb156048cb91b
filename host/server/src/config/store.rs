//! Where things are kept.

use std::path::PathBuf;

use super::error::Wrong;
use super::section::Section;

/// Where things are kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// A directory of this host alone.
    pub directory: PathBuf,
}

impl Store {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let directory = section.required("directory")?.parsed("a path", path)?;
        section.finish()?;
        Ok(Self { directory })
    }
}

/// A path that says something.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.into()) }
}
