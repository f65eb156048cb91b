//! Looks through a whole store for what is damaged.
//!
//! Everything is streamed: whatever the size of the store, memory holds one
//! entry or one blob at a time. Nothing is repaired.

mod fault;
mod log;
mod sides;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use self::fault::Fault;

use super::directory::Directory;
use super::migrations;
use crate::OpenError;

/// At most so many findings of `SQLite`'s own check are named; more come from
/// the same cause.
const STRUCTURE_MAX: u32 = 100;

/// What a check has looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Conversations.
    pub conversations: u64,
    /// Their entries.
    pub entries: u64,
    /// Values of bots.
    pub values: u64,
    /// Rows of the audits.
    pub audit_rows: u64,
    /// Blobs.
    pub blobs: u64,
}

/// What a check tells while it runs.
#[derive(Debug)]
pub enum Finding<'a> {
    /// Something is wrong.
    Fault(&'a Fault),
    /// So many of so many conversations are checked.
    Progress {
        /// Checked so far.
        done: u64,
        /// All of them.
        of: u64,
    },
}

/// Checks the store in a directory that nobody uses, and tells what is found as
/// it is found. Blocks; reads everything once.
///
/// Opens the database without writing to it, unless its very first start was cut
/// off. Where its write-ahead log still holds something, the directory must be
/// writable all the same: `SQLite` keeps an index of the log beside it.
///
/// # Errors
/// [`OpenError::InUse`] while a host has it open; otherwise that there is no
/// store, or none that can be opened at all.
pub fn check(path: &Path, tell: &mut dyn FnMut(Finding<'_>)) -> Result<Checked, OpenError> {
    let directory = Directory::existing(path)?;
    let database = open(&directory)?;
    let version = migrations::version(&database)?;
    let mut checked = Checked::default();
    structure(&database, &mut |fault| tell(Finding::Fault(&fault)));
    let mut check = Check { database: &database, checked: &mut checked, version, tell };
    // A part that cannot be read does not keep the others from being looked at.
    // Before the first step of the first host there are no tables.
    if version > 0 {
        check.attempt("conversations", Check::conversations);
        check.attempt("values of bots", Check::values);
        check.attempt("audits", Check::audits);
    }
    if version > 1 {
        check.attempt("dead letters", Check::orphaned_letters);
    }
    if version > 4 {
        check.attempt("remains of erased entries", Check::remains);
        check.attempt("notes", Check::notes);
    }
    if version > 6 {
        check.attempt("sums of notes", Check::note_sums);
    }
    if version > 7 {
        check.attempt("weights of tenants", Check::weights);
    }
    check.blobs(&directory.blobs());
    Ok(checked)
}

/// A check under way.
struct Check<'a> {
    database: &'a Connection,
    /// Of the tables: older ones have no dead letters (before 2), know of no humans (3)
    /// and no addresses (4), have nothing erased and no notes (5), no sums of these (7) and
    /// no weights (8).
    version: i64,
    checked: &'a mut Checked,
    tell: &'a mut dyn FnMut(Finding<'_>),
}

impl Check<'_> {
    fn fault(&mut self, fault: Fault) {
        (self.tell)(Finding::Fault(&fault));
    }

    fn attempt(&mut self, what: &'static str, part: fn(&mut Self) -> rusqlite::Result<()>) {
        if let Err(error) = part(self) {
            self.fault(Fault::Structure(format!("the {what} cannot be read on: {error}")));
        }
    }
}

/// A connection that changes nothing.
fn open(directory: &Directory) -> Result<Connection, OpenError> {
    let (file, flags) = (directory.database(), OpenFlags::SQLITE_OPEN_NO_MUTEX);
    // Only the very first start of a store has a journal of this kind. Was it cut
    // off, the file means nothing until SQLite has taken back what is there by half.
    let interrupted = directory.journal().exists();
    let mode = match interrupted {
        true => OpenFlags::SQLITE_OPEN_READ_WRITE,
        false => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let flags = flags | mode;
    let database = Connection::open_with_flags(&file, flags).and_then(prepare);
    let log = fs::metadata(directory.log()).map_or(0, |log| log.len());
    match database {
        // A directory that cannot be written to. Without a log, nothing is missed
        // by reading the file alone.
        Err(error) if log == 0 && !interrupted && cannot_write(&error) => {
            let name = format!("file:{}?immutable=1", percent_encoded(&file));
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            Ok(Connection::open_with_flags(name, flags).and_then(prepare)?)
        }
        other => Ok(other?),
    }
}

fn prepare(database: Connection) -> rusqlite::Result<Connection> {
    database.busy_timeout(Duration::from_secs(5))?;
    database.pragma_update(None, "trusted_schema", false)?;
    database.pragma_update(None, "cell_size_check", true)?;
    database.pragma_update(None, "query_only", true)?;
    database.set_prepared_statement_cache_capacity(64);
    // Opens the file, which SQLite otherwise puts off.
    database.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(database)
}

fn cannot_write(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// A path as part of a URI.
pub(super) fn percent_encoded(path: &Path) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let encode = |byte: &u8| match plain(byte) {
        true => char::from(*byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    bytes.map(encode).collect()
}

/// What `SQLite` itself finds: pages, indexes, types.
fn structure(database: &Connection, found: &mut dyn FnMut(Fault)) {
    let all = database.prepare(&format!("PRAGMA integrity_check({STRUCTURE_MAX})")).and_then(
        |mut check| {
            let lines = check.query_map([], |row| row.get::<_, String>(0))?;
            lines.collect::<rusqlite::Result<Vec<_>>>()
        },
    );
    match all {
        Ok(lines) => {
            lines.into_iter().filter(|l| l != "ok").for_each(|l| found(Fault::Structure(l)));
        }
        Err(error) => found(Fault::Structure(error.to_string())),
    }
}
