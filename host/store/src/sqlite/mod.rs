//! The embedded engine: `SQLite` with one writer.
//!
//! All writes of the process go through one thread, which takes what has
//! gathered, writes it in one transaction and answers all: the running flush
//! to the disk is what batches the next ones. A second thread moves the
//! write-ahead log into the database file, so that the writer never has to.
//! Reads see a snapshot of their own and wait for nobody.

mod archive;
mod backup;
mod catalog;
mod changes;
pub mod check;
mod checkpoint;
mod conversation;
mod directory;
mod disk;
mod due;
mod erasure;
mod health;
mod letters;
mod log;
mod migrations;
mod notes;
mod queue;
mod readers;
mod schema;
mod turn;
mod weight;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

pub use self::backup::{BackupError, Held, Manifest};
pub use self::disk::Disk;
pub use self::health::Counters;

use botyard_failpoints::{Point, pass};

use self::checkpoint::Checkpointer;
use self::directory::Directory;
use self::readers::Readers;
use self::writer::Writer;
use crate::lease::Leases;
use crate::{BlobDirectory, OpenError, Store};

/// An open database in a directory of its own.
///
/// Dropping the last clone and the last [`Store`] made of it closes it, too, but
/// blocks the dropping thread until everything in the queue is written.
#[derive(Clone)]
pub struct SqliteStore {
    engine: Arc<Engine>,
    blobs: BlobDirectory,
}

/// The parts stop in this order: what asks for work before what does it, and
/// the directory is free for others only after the last file is closed.
struct Engine {
    writer: Writer,
    checkpointer: Checkpointer,
    readers: Readers,
    leases: Leases,
    directory: Directory,
}

impl SqliteStore {
    /// Opens the store in a directory, which is made where there is none. Blocks.
    ///
    /// Fails with [`OpenError::InUse`] while another process has it open.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_bounded(path, None)
    }

    /// As [`SqliteStore::open`], for a database that grows to at most so many
    /// bytes: then it is [`StoreError::Full`](crate::StoreError::Full) before the
    /// disk is. A bound below what is there already makes it full at once. The
    /// write-ahead log and blobs do not count.
    pub fn open_bounded(path: &Path, bytes_max: Option<u64>) -> Result<Self, OpenError> {
        let directory = Directory::open(path)?;
        pass(Point::StoreLocked);
        let database = schema::prepare(&directory, bytes_max)?;
        Self::start(directory, database)
    }

    /// As [`SqliteStore::open`], for a store whose commits are not flushed: a
    /// loss of power loses what was acknowledged. The tests of power losses have
    /// to notice that; no build of the host has this.
    #[cfg(feature = "weak-commits")]
    #[doc(hidden)]
    pub fn open_weakly(path: &Path) -> Result<Self, OpenError> {
        let directory = Directory::open(path)?;
        let database = schema::prepare(&directory, None)?;
        database.pragma_update(None, "synchronous", "normal")?;
        Self::start(directory, database)
    }

    fn start(directory: Directory, database: Connection) -> Result<Self, OpenError> {
        let writer = Writer::start(database)?;
        let checkpointer = Checkpointer::start(&directory, writer.health())?;
        let readers = Readers::open(&directory)?;
        let blobs = BlobDirectory::new(directory.blobs());
        let leases = Leases::default();
        let engine = Engine { writer, checkpointer, readers, leases, directory };
        Ok(Self { engine: Arc::new(engine), blobs })
    }

    /// The store in this database.
    pub fn store(&self) -> Store {
        let (engine, blobs) = (self.engine.clone(), Arc::new(self.blobs.clone()));
        Store::new(engine.clone(), engine.clone(), engine, blobs)
    }

    /// What the engine has done so far, for metrics.
    pub fn counters(&self) -> Counters {
        self.engine.writer.health().counters()
    }

    /// Removes copies of the database that hosts have left beside it when they brought it
    /// up to date so long ago: they still have what was erased since. Answers how many.
    /// Blocks.
    ///
    /// # Errors
    /// When the directory cannot be read, or a copy cannot be removed.
    pub fn forget_copies(&self, older_than: Duration) -> std::io::Result<usize> {
        migrations::forget_copies(self.engine.directory.path(), older_than)
    }

    /// Whether writes are taken. Once false, it stays false until the store is
    /// opened again.
    pub fn is_healthy(&self) -> bool {
        self.engine.writer.health().poison().is_none()
    }

    /// Writes what is in the queue, empties the write-ahead log and stops. Later
    /// writes are refused.
    pub async fn close(&self) {
        let engine = self.engine.clone();
        let closed = tokio::task::spawn_blocking(move || engine.close()).await;
        if closed.is_err() {
            tracing::error!("closing the store panicked; what was acknowledged is safe");
        }
    }
}

impl Engine {
    fn close(&self) {
        self.writer.close();
        self.checkpointer.close();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

/// In whose name what belongs to no tenant stands in the writer's queue.
const SWEEPER: &str = "";

/// What the database calls a number of ours. Its numbers have a sign; ours that
/// do not fit are times and places that no log will ever reach.
fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests;
