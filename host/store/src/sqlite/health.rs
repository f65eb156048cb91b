//! How the engine is: what it has done, and whether it can still be trusted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use rusqlite::ErrorCode;

use crate::StoreError;

/// What the engine has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Transactions that were committed.
    pub batches: u64,
    /// Writes that were committed in them.
    pub jobs: u64,
    /// Writes that wait for their transaction or run in it.
    pub queued: u64,
    /// Checkpoints of the write-ahead log.
    pub checkpoints: u64,
}

/// How the engine is, shared by its threads.
#[derive(Default)]
pub(super) struct Health {
    poison: OnceLock<String>,
    batches: AtomicU64,
    jobs: AtomicU64,
    queued: AtomicU64,
    checkpoints: AtomicU64,
    backups: AtomicU64,
    /// What was taken away of people is still in the write-ahead log.
    erased: AtomicBool,
}

impl Health {
    /// Why nothing more is written, if that is so.
    pub(super) fn poison(&self) -> Option<&str> {
        self.poison.get().map(String::as_str)
    }

    /// After an IO error nobody knows what the disk holds, and asking it to
    /// flush again would answer success for what it has dropped. So nothing more
    /// is acknowledged; opening the store again recovers from its log.
    pub(super) fn note(&self, error: &rusqlite::Error) {
        if is_fatal(error) {
            self.stop_because(&error.to_string());
        }
    }

    pub(super) fn stop_because(&self, cause: &str) {
        if self.poison.set(cause.to_owned()).is_ok() {
            tracing::error!(
                cause,
                "the store has stopped writing; check its disk and restart the host"
            );
        }
    }

    pub(super) fn failure_of_job(&self, error: &rusqlite::Error) -> Failure {
        if is_fatal(error) {
            self.failure_of_all(error)
        } else {
            Failure::OfJob(store_error(error))
        }
    }

    pub(super) fn failure_of_all(&self, error: &rusqlite::Error) -> Failure {
        self.note(error);
        Failure::OfAll(store_error(error))
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            batches: self.batches.load(Ordering::Relaxed),
            jobs: self.jobs.load(Ordering::Relaxed),
            queued: self.queued.load(Ordering::Relaxed),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
        }
    }

    pub(super) fn wrote(&self, jobs: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.jobs.fetch_add(jobs as u64, Ordering::Relaxed);
    }

    pub(super) fn checkpointed(&self) {
        self.checkpoints.fetch_add(1, Ordering::Relaxed);
    }

    /// The write-ahead log is to be emptied soon: it holds what was erased.
    pub(super) fn erased(&self) {
        self.erased.store(true, Ordering::Release);
    }

    /// Whether somebody has erased something since this was last asked.
    pub(super) fn take_erased(&self) -> bool {
        self.erased.swap(false, Ordering::AcqRel)
    }

    /// Somebody reads the whole database while the value lives.
    pub(super) fn backup(self: &Arc<Self>) -> Backing {
        self.backups.fetch_add(1, Ordering::Relaxed);
        Backing(self.clone())
    }

    pub(super) fn is_backed_up(&self) -> bool {
        self.backups.load(Ordering::Relaxed) > 0
    }

    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.poison() {
            Some(why) => Err(StoreError::Unavailable(why.to_owned())),
            None => Ok(()),
        }
    }
}

/// Whether the disk or the file is to blame, so that no later write can be trusted.
fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
        )
    )
}

/// What an error of the database means to the caller.
pub(super) fn store_error(error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt(error.to_string())
        }
        _ => StoreError::Unavailable(error.to_string()),
    }
}

/// Whom an error of a transaction concerns.
pub(super) enum Failure {
    /// One job; the others may do without it.
    OfJob(StoreError),
    /// Every job of the transaction.
    OfAll(StoreError),
}

/// Counts a backup while it lives.
pub(super) struct Backing(Arc<Health>);

impl Drop for Backing {
    fn drop(&mut self) {
        self.0.backups.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts a job while it lives.
pub(super) struct Queued(Arc<Health>);

impl Queued {
    pub(super) fn new(health: &Arc<Health>) -> Self {
        health.queued.fetch_add(1, Ordering::Relaxed);
        Self(health.clone())
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.queued.fetch_sub(1, Ordering::Relaxed);
    }
}
