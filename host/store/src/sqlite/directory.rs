//! The directory of a store: made, closed to others, and used by one process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::OpenError;

/// A directory that this process alone uses while the value lives.
pub(super) struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Directory { directory: path.to_owned(), source };
        create(path).map_err(failed)?;
        let lock = private_file(&path.join("lock")).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse { directory: path.to_owned() },
            TryLockError::Error(source) => failed(source),
        })?;
        let directory = Self { path: path.to_owned(), _lock: lock };
        // SQLite gives its other files the mode of this one.
        private_file(&directory.database()).map_err(failed)?;
        create(&directory.blobs()).map_err(failed)?;
        keep_names(path).map_err(failed)?;
        Ok(directory)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("botyard.db")
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

fn create(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Flushes the names of the new files, and of the directory itself: a loss of
/// power must not leave written bytes without a name.
fn keep_names(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()?;
    match path.canonicalize()?.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
