//! The tables, and how each connection is set up.

use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::directory::Directory;
use super::migrations;
use crate::OpenError;

/// How long the writer waits for the checkpointer to let go of the log.
const WRITER_PATIENCE: Duration = Duration::from_secs(5);
/// How long a reader waits, which happens only while the log is being reset.
const READER_PATIENCE: Duration = Duration::from_secs(5);

/// Opens the writer's connection and brings the tables up to date. The database
/// grows to at most so many bytes, if a bound is given.
pub(super) fn prepare(
    directory: &Directory,
    bytes_max: Option<u64>,
) -> Result<Connection, OpenError> {
    let mut database = open_for_writing(directory)?;
    migrations::run(&mut database, directory, &migrations::STEPS)?;
    if let Some(bytes) = bytes_max {
        let page: u32 = database.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes / u64::from(page.max(1))).unwrap_or(i64::MAX);
        database.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    Ok(database)
}

/// A connection whose commits are on stable storage when they have ended.
pub(super) fn open_for_writing(directory: &Directory) -> Result<Connection, OpenError> {
    let database = open(directory, WRITER_PATIENCE)?;
    let unsupported =
        |setting| OpenError::Unsupported { setting, directory: directory.path().to_owned() };
    let mode: String =
        database.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(unsupported("the write-ahead log"));
    }
    // The file of the log is kept and written over: growing it costs a second flush.
    database.pragma_update(None, "journal_size_limit", -1)?;
    database.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))?;
    database.pragma_update(None, "synchronous", "full")?;
    let synchronous: i64 = database.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if synchronous != 2 {
        return Err(unsupported("flushing every commit to the disk"));
    }
    // What is erased is gone from the file, too, not only from sight.
    database.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    database.pragma_update(None, "cache_size", -65_536)?;
    database.set_prepared_statement_cache_capacity(64);
    Ok(database)
}

/// Opens the checkpointer's connection.
pub(super) fn open(directory: &Directory, patience: Duration) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(directory.database(), flags)?;
    database.busy_timeout(patience)?;
    database.pragma_update(None, "trusted_schema", false)?;
    database.pragma_update(None, "cell_size_check", true)?;
    database.pragma_update(None, "foreign_keys", true)?;
    Ok(database)
}

/// Opens a connection that cannot write.
pub(super) fn open_reader(directory: &Directory) -> Result<Connection, OpenError> {
    let database = open(directory, READER_PATIENCE)?;
    database.pragma_update(None, "query_only", true)?;
    database.pragma_update(None, "mmap_size", 256 * 1024 * 1024)?;
    database.set_prepared_statement_cache_capacity(64);
    Ok(database)
}
