//! What can go wrong, by what the caller does about it.

use std::path::PathBuf;

/// Why a verb of the store failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The engine does not answer or has stopped after an IO error. Nothing is
    /// known to be written: refuse the request and let the sender come again.
    #[error(
        "the store is out of order ({0}): try again later; the operator finds the cause in the host's log"
    )]
    Unavailable(String),
    /// There is no room left. Nothing was written: refuse the request.
    #[error("the store is full: the operator must make room on its disk")]
    Full,
    /// Something stored cannot be read. It is the host's fault.
    #[error("stored data is damaged: {0}; the operator must restore it from a backup")]
    Corrupt(String),
    /// There is no such object, or it is another tenant's.
    #[error("there is no such object")]
    NotFound,
    /// What was to be written is larger than the store takes.
    #[error("{what} has {bytes} bytes, at most {max} are kept: make it smaller")]
    TooLarge {
        /// What it is: an arrival, a turn, …
        what: &'static str,
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        max: usize,
    },
    /// More records were to be changed in one step than the store takes.
    #[error("{count} records are too many for one step, at most {max} are changed: split them")]
    TooMany {
        /// How many.
        count: usize,
        /// How many it may be.
        max: usize,
    },
}

/// Why an embedded store could not be opened. All of these are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error(
        "{} is in use by another process: stop that one first, or give this one a directory of its own",
        directory.display()
    )]
    InUse {
        /// The store's directory.
        directory: PathBuf,
    },
    /// There is none.
    #[error("{} holds no store: name the directory that the host's settings name", directory.display())]
    NoStore {
        /// The directory.
        directory: PathBuf,
    },
    /// A newer host wrote it.
    #[error(
        "the database has schema {found}, this host knows up to {newest}: start a host at least as new as the one that wrote it"
    )]
    Newer {
        /// What the database says.
        found: i64,
        /// The newest that this host knows.
        newest: i64,
    },
    /// The file system cannot carry it.
    #[error("SQLite refuses {setting} in {}: use a local file system", directory.display())]
    Unsupported {
        /// The setting that did not hold.
        setting: &'static str,
        /// The store's directory.
        directory: PathBuf,
    },
    /// The directory cannot be made or locked.
    #[error("cannot use {}: {source}; check that it exists on a writable local disk", directory.display())]
    Directory {
        /// The store's directory.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An older database cannot be copied before it is brought up to date. It is
    /// left as it is.
    #[error(
        "cannot keep a copy of the database in {}, so it is not brought up to date: {source}; \
         make room for as much as it has",
        directory.display()
    )]
    Copy {
        /// The store's directory.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine cannot open the database.
    #[error("cannot open the database: {0}; if the file is damaged, restore it from a backup")]
    Database(#[from] rusqlite::Error),
}
