//! Where things are kept.

use std::path::PathBuf;

use botyard_kernel::watermark::{BadMarks, Marks};

use super::entry::Entry;
use super::error::Wrong;
use super::section::Section;

/// Where things are kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// A directory of this host alone.
    pub directory: PathBuf,
    /// How large the database may grow; absent: as large as the disk allows.
    pub database_bytes_max: Option<u64>,
    /// Where a full disk begins, and how much of a disk counts (bytes).
    pub disk: (Marks, u64),
}

impl Store {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let directory = section.required("directory")?.parsed("a path", path)?;
        let bytes = section.required("database-bytes-max")?.number(0..=u64::MAX >> 1, "bytes")?;
        let disk = disk(section.section("disk")?)?;
        section.finish()?;
        Ok(Self { directory, database_bytes_max: (bytes > 0).then_some(bytes), disk })
    }
}

fn disk(mut section: Section<'_>) -> Result<(Marks, u64), Wrong> {
    let soft = section.required("soft-percent")?;
    let senseless = soft.wrong(BadMarks.to_string());
    let percent = |entry: Entry<'_>| {
        let number = entry.number(0..=100, "percent")?;
        Ok(u8::try_from(number).unwrap_or(u8::MAX))
    };
    let soft = percent(soft)?;
    let hard = percent(section.required("hard-percent")?)?;
    let back = percent(section.required("back-percent")?)?;
    let counted = section.required("counted-bytes")?.number(1 << 20..=1 << 60, "bytes")?;
    section.finish()?;
    Ok((Marks::new(soft, hard, back).map_err(|BadMarks| senseless)?, counted))
}

/// A path that says something.
pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.into()) }
}
