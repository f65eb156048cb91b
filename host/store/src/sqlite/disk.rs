//! How much room the store takes, and how much is left.

use std::fs;
use std::io;

use super::SqliteStore;
use super::backup::blobs;

/// Room on the disk (bytes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The database and its write-ahead log.
    pub database_bytes: u64,
    /// All blobs.
    pub blobs_bytes: u64,
    /// What is free of the disk, for us.
    pub free_bytes: u64,
    /// The whole disk.
    pub total_bytes: u64,
}

impl SqliteStore {
    /// How much room there is, now. Looks at the names of all blobs and reads none.
    pub fn disk(&self) -> io::Result<Disk> {
        let directory = &self.engine.directory;
        let log = fs::metadata(directory.log()).map_or(0, |log| log.len());
        let database_bytes = fs::metadata(directory.database())?.len() + log;
        // One may be gone by the time that it is looked at.
        let sizes = blobs(&directory.blobs())?.into_iter().filter_map(|blob| blob.metadata().ok());
        let blobs_bytes = sizes.map(|blob| blob.len()).sum();
        let (free_bytes, total_bytes) = self.free()?;
        Ok(Disk { database_bytes, blobs_bytes, free_bytes, total_bytes })
    }

    /// How much is free of the disk, and the whole disk (bytes). Looks at no file.
    pub fn free(&self) -> io::Result<(u64, u64)> {
        let system = rustix::fs::statvfs(self.engine.directory.path())?;
        let bytes = |blocks: u64| blocks.saturating_mul(system.f_frsize);
        Ok((bytes(system.f_bavail), bytes(system.f_blocks)))
    }
}
