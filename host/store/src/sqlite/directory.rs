//! The directory of a store: made, closed to others, and used by one process.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::OpenError;

pub(super) const DATABASE: &str = "botyard.db";
const LOCK: &str = "lock";

/// A directory that this process alone uses while the value lives.
pub(super) struct Directory {
    path: PathBuf,
    _lock: Option<File>,
}

impl Directory {
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Directory { directory: path.to_owned(), source };
        create(path).map_err(failed)?;
        let lock = lock(path, private_file(&path.join(LOCK)).map_err(failed)?)?;
        let directory = Self { path: path.to_owned(), _lock: Some(lock) };
        // SQLite gives its other files the mode of this one.
        private_file(&directory.database()).map_err(failed)?;
        create(&directory.blobs()).map_err(failed)?;
        keep_names(path).map_err(failed)?;
        Ok(directory)
    }

    /// A directory that holds a store already; nothing is made in it.
    pub(super) fn existing(path: &Path) -> Result<Self, OpenError> {
        let directory = || path.to_owned();
        let failed = |source| OpenError::Directory { directory: directory(), source };
        if !path.join(DATABASE).try_exists().map_err(failed)? {
            return Err(OpenError::NoStore { directory: directory() });
        }
        // A host makes the file that it locks, so without one nobody is at work;
        // a copy of a store may lie where nothing can be written.
        let lock = match File::open(path.join(LOCK)) {
            Ok(file) => Some(lock(path, file)?),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { path: directory(), _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// The write-ahead log of the database.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join(format!("{DATABASE}-wal"))
    }

    /// The journal that a database has before it has a write-ahead log.
    pub(super) fn journal(&self) -> PathBuf {
        self.path.join(format!("{DATABASE}-journal"))
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

fn lock(path: &Path, file: File) -> Result<File, OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { directory: path.to_owned() }),
        Err(TryLockError::Error(source)) => {
            Err(OpenError::Directory { directory: path.to_owned(), source })
        }
    }
}

pub(super) fn create(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Flushes the names of the new files, and of the directory itself: a loss of
/// power must not leave written bytes without a name.
fn keep_names(path: &Path) -> std::io::Result<()> {
    flush(path)?;
    match path.canonicalize()?.parent() {
        Some(parent) => flush(parent),
        None => Ok(()),
    }
}

/// Lets the names in a directory survive a loss of power.
pub(super) fn flush(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Lets nobody else read a file or look into a directory.
pub(super) fn close_to_others(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(path, mode)?;
    }
    Ok(())
}

fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
