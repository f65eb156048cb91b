//! The tables, and how each connection is set up.

use std::time::Duration;

use botyard_failpoints::{Point, pass};
use rusqlite::{Connection, OpenFlags};

use super::directory::Directory;
use crate::OpenError;

/// How long the writer waits for the checkpointer to let go of the log.
const WRITER_PATIENCE: Duration = Duration::from_secs(5);
/// How long a reader waits, which happens only while the log is being reset.
const READER_PATIENCE: Duration = Duration::from_secs(5);

/// One step a version. What has been released is never edited: append.
const MIGRATIONS: [&str; 1] = [include_str!("v1.sql")];
/// The version of the tables that this host writes.
pub(super) const NEWEST: i64 = MIGRATIONS.len() as i64;

/// Opens the writer's connection and brings the tables up to date. The database
/// grows to at most so many bytes, if a bound is given.
pub(super) fn prepare(
    directory: &Directory,
    bytes_max: Option<u64>,
) -> Result<Connection, OpenError> {
    let mut database = open(directory, WRITER_PATIENCE)?;
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
    database.pragma_update(None, "cache_size", -65_536)?;
    database.set_prepared_statement_cache_capacity(64);
    migrate(&mut database)?;
    if let Some(bytes) = bytes_max {
        let page: u32 = database.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = i64::try_from(bytes / u64::from(page.max(1))).unwrap_or(i64::MAX);
        database.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
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

fn migrate(database: &mut Connection) -> Result<(), OpenError> {
    let found = version(database)?;
    for (version, step) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
        pass(Point::MigrationBegins);
        let change = database.transaction()?;
        change.execute_batch(step)?;
        change.pragma_update(None, "user_version", version)?;
        pass(Point::MigrationWritten);
        change.commit()?;
        pass(Point::MigrationCommitted);
    }
    Ok(())
}

/// The version of the tables of a database, unless a newer host wrote them.
pub(super) fn version(database: &Connection) -> Result<i64, OpenError> {
    let found = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > NEWEST { Err(OpenError::Newer { found, newest: NEWEST }) } else { Ok(found) }
}
