//! What was done to the files of a store, in order.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use libsqlite3_sys as ffi;

use crate::vfs;

/// One thing that was done to a file, named as in its directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A file that was not there was made.
    Create(String),
    /// Bytes were written.
    Write {
        /// The file.
        file: String,
        /// Where in it.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// The file was cut to a size.
    Truncate {
        /// The file.
        file: String,
        /// Its new size in bytes.
        size: u64,
    },
    /// What had been done to the file before the change at `began` is on the
    /// disk for good.
    Sync {
        /// The file.
        file: String,
        /// How many changes had been made when the flush began.
        began: usize,
        /// So are the names in the directory.
        names: bool,
    },
    /// A file's name was taken away.
    Delete {
        /// The file.
        file: String,
        /// The directory was flushed with it.
        names: bool,
    },
}

/// What goes wrong from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Flushing the write-ahead log fails (`EIO`).
    LogSync,
    /// Flushing the database file fails (`EIO`).
    DatabaseSync,
    /// Half of each write to the write-ahead log is written, then it fails (`EIO`).
    LogWrite,
    /// Half of each write to the write-ahead log is written, then the disk is
    /// full (`ENOSPC`).
    LogFull,
    /// The disk has no room for the database file (`ENOSPC`).
    DatabaseFull,
}

/// Notes what `SQLite` does to the files of one directory, in one order.
#[derive(Debug, Default)]
pub struct Recorder {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    changes: Vec<Change>,
    fault: Option<Fault>,
}

static WATCHED: Mutex<Vec<(PathBuf, Weak<Recorder>)>> = Mutex::new(Vec::new());

impl Recorder {
    /// Watches the files that are opened in a directory from now on. The shim
    /// becomes the file system of every connection of this process; what lies in
    /// other directories passes through unnoticed.
    pub fn watch(directory: &Path) -> anyhow::Result<Arc<Self>> {
        vfs::install();
        let recorder = Arc::new(Self::default());
        let directory = directory.canonicalize()?;
        let mut watched = WATCHED.lock().expect("nobody panics with it");
        watched.retain(|(_, recorder)| recorder.strong_count() > 0);
        watched.push((directory, Arc::downgrade(&recorder)));
        Ok(recorder)
    }

    /// The recorder of a file and the file's name, if somebody watches it.
    pub(crate) fn of(path: &Path) -> Option<(Arc<Self>, String)> {
        let watched = WATCHED.lock().expect("nobody panics with it");
        let (_, recorder) = watched.iter().rev().find(|(directory, recorder)| {
            path.parent() == Some(directory) && recorder.strong_count() > 0
        })?;
        Some((recorder.upgrade()?, path.file_name()?.to_string_lossy().into_owned()))
    }

    /// How many changes were made so far. What was answered now has seen at
    /// least these.
    pub fn position(&self) -> usize {
        self.state().changes.len()
    }

    /// All changes so far.
    pub fn changes(&self) -> Vec<Change> {
        self.state().changes.clone()
    }

    /// Lets something go wrong from now on, or nothing any more.
    pub fn fail(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Makes a change and notes it. Nobody else changes a file meanwhile, so the
    /// order of the notes is the order on the disk.
    pub(crate) fn change(&self, change: Change, make: impl FnOnce() -> i32) -> i32 {
        let mut state = self.state();
        let result = make();
        if result == ffi::SQLITE_OK {
            state.changes.push(change);
        }
        result
    }

    /// Notes a flush that began when so many changes had been made. Others go on
    /// meanwhile, so what they do is not part of it.
    pub(crate) fn synced(&self, file: &str, began: usize, names: bool) {
        self.state().changes.push(Change::Sync { file: file.to_owned(), began, names });
    }

    /// The error that flushing a file is to end in.
    pub(crate) fn sync_fault(&self, file: &str) -> Option<i32> {
        match (self.state().fault?, is_log(file)) {
            (Fault::LogSync, true) | (Fault::DatabaseSync, false) => Some(ffi::SQLITE_IOERR_FSYNC),
            _ => None,
        }
    }

    /// The error that a write to a file is to end in.
    pub(crate) fn write_fault(&self, file: &str) -> Option<i32> {
        match (self.state().fault?, is_log(file)) {
            (Fault::LogWrite, true) => Some(ffi::SQLITE_IOERR_WRITE),
            (Fault::LogFull, true) | (Fault::DatabaseFull, false) => Some(ffi::SQLITE_FULL),
            _ => None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }
}

fn is_log(file: &str) -> bool {
    file.ends_with("-wal")
}
