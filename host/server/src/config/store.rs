//! Where things are kept.

use std::path::PathBuf;

use super::error::Wrong;
use super::section::Section;

/// Where things are kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// A directory of this host alone.
    pub directory: PathBuf,
    /// How large the database may grow; absent: as large as the disk allows.
    pub database_bytes_max: Option<u64>,
}

impl Store {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let directory = section.required("directory")?.parsed("a path", path)?;
        let bytes = section.required("database-bytes-max")?.number(0..=u64::MAX >> 1, "bytes")?;
        section.finish()?;
        Ok(Self { directory, database_bytes_max: (bytes > 0).then_some(bytes) })
    }
}

/// A path that says something.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.into()) }
}
