//! A copy of a store in use, whole or absent, and a store made of such a copy.
//!
//! A copy is a directory with the database, the blobs and a manifest. Keys are not in
//! it: they are kept elsewhere, and so is whatever the host keeps them in.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use botyard_kernel::id::TenantId;
use botyard_kernel::time::Millis;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::directory::{self, DATABASE, Directory};
use super::{SqliteStore, migrations, schema};
use crate::{OPERATOR, OpenError, Stamp, StoreError};

const MANIFEST: &str = "manifest.json";
const HELD: &str = "held.json";
/// The form of the manifest.
const FORMAT: u32 = 1;
/// Pages that are copied between two words about the progress.
const STEP_PAGES: std::ffi::c_int = 1_024;

/// What is in a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// When it was begun: everything acknowledged before is in it.
    pub made_ms: Millis,
    /// The version of the tables.
    pub schema: i64,
    /// The database (bytes).
    pub database_bytes: u64,
    /// The SHA-256 of the database, in hexadecimal digits.
    pub database_sha256: String,
    /// Conversations.
    pub conversations: u64,
    /// Records.
    pub records: u64,
    /// The last row of each tenant's audit, as `place:hash`, by which later cuts show.
    #[serde(default)]
    pub audits: BTreeMap<TenantId, String>,
    /// Blobs.
    pub blobs: u64,
    /// All of them (bytes).
    pub blobs_bytes: u64,
}

/// A store that was made of a copy and waits for a word before it delivers anything:
/// what its outbox holds may long have been said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// When it was made of the copy.
    pub restored_ms: Millis,
    /// When the copy was made.
    pub backup_ms: Millis,
}

/// Why there is no copy, or no store made of it. All of these are for the operator.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is in the way.
    #[error("{} is not empty: name a directory that is not there yet, or an empty one", .0.display())]
    NotEmpty(PathBuf),
    /// The copy is not what its manifest says.
    #[error("the backup in {} is damaged: {why}; take another one", place.display())]
    Damaged {
        /// Where it is.
        place: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The disk does not do what it should.
    #[error("cannot write to or read from {}: {source}; make room, or choose another disk", place.display())]
    Disk {
        /// Where.
        place: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store cannot be opened or copied.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl SqliteStore {
    /// Copies the store into a directory that is not there yet, or empty, while it is
    /// used. Blocks; writers are not held up. Says how many of how many pages it has.
    ///
    /// Everything acknowledged before the call is in the copy. It appears only when all
    /// of it is on stable storage.
    pub fn backup(
        &self,
        into: &Path,
        progress: impl FnMut(u64, u64),
    ) -> Result<Manifest, BackupError> {
        let failed = |source| BackupError::Disk { place: into.to_owned(), source };
        refuse_full(into)?;
        let parent = parent(into);
        fs::create_dir_all(&parent).map_err(failed)?;
        let aside = tempfile::Builder::new()
            .prefix(".botyard-backup-")
            .tempdir_in(&parent)
            .map_err(failed)?;
        directory::close_to_others(aside.path()).map_err(failed)?;
        // The log is not begun anew meanwhile, which would wait for this reader.
        let _reading = self.engine.writer.health().backup();
        // What the snapshot names is still there when it is copied.
        let _kept = self.blobs.keep_all();
        let manifest = copy(&self.engine.directory, aside.path(), progress, &failed)?;
        let text = serde_json::to_vec_pretty(&manifest).map_err(|e| failed(e.into()))?;
        write_flushed(&aside.path().join(MANIFEST), &text).map_err(failed)?;
        directory::flush(aside.path()).map_err(failed)?;
        // An empty directory gives way.
        fs::rename(aside.path(), into).map_err(failed)?;
        let _ = aside.keep();
        directory::flush(&parent).map_err(failed)?;
        Ok(manifest)
    }

    /// Makes a store of a copy, in a directory that is not there yet, or empty. Blocks.
    /// It is [`SqliteStore::held`] until it is released.
    pub fn restore(backup: &Path, into: &Path) -> Result<Manifest, BackupError> {
        let failed = |source| BackupError::Disk { place: into.to_owned(), source };
        let manifest = manifest(backup)?;
        refuse_full(into)?;
        verify(backup, &manifest)?;
        directory::create(into).map_err(failed)?;
        let directory = |name: &str| into.join(name);
        copy_blobs(&backup.join("blobs"), &directory("blobs"), false).map_err(failed)?;
        let held = Held { restored_ms: now(), backup_ms: manifest.made_ms };
        let text = serde_json::to_vec(&held).map_err(|e| failed(e.into()))?;
        write_flushed(&directory(HELD), &text).map_err(failed)?;
        // The name of the database comes last: without it there is no store yet.
        let half = directory("botyard.db.part");
        fs::copy(backup.join(DATABASE), &half).map_err(failed)?;
        directory::close_to_others(&half).map_err(failed)?;
        File::open(&half).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&half, directory(DATABASE)).map_err(failed)?;
        directory::flush(into).map_err(failed)?;
        Ok(manifest)
    }

    /// Since when the store waits for a word, if it does: then the host takes events and
    /// delivers nothing.
    pub fn held(&self) -> Result<Option<Held>, StoreError> {
        let unreadable = |why: String| StoreError::Corrupt(format!("{HELD}: {why}"));
        match fs::read(self.engine.directory.path().join(HELD)) {
            Ok(text) => {
                serde_json::from_slice(&text).map(Some).map_err(|e| unreadable(e.to_string()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// Gives that word, and leaves a row in the operator's audit.
    pub async fn release(&self, stamp: &Stamp) -> Result<(), StoreError> {
        let path = self.engine.directory.path();
        let operator = self.store().tenant(&TenantId::from(OPERATOR));
        operator.witness("release", "restore", "self", stamp).await?;
        let removed = fs::remove_file(path.join(HELD)).and_then(|()| directory::flush(path));
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StoreError::Unavailable(error.to_string()))
            }
            _ => Ok(()),
        }
    }
}

fn copy(
    from: &Directory,
    into: &Path,
    progress: impl FnMut(u64, u64),
    failed: &dyn Fn(io::Error) -> BackupError,
) -> Result<Manifest, BackupError> {
    let made_ms = now();
    let database = into.join(DATABASE);
    let copied = copy_database(from, &database, progress).map_err(OpenError::Database)?;
    directory::close_to_others(&database).map_err(failed)?;
    let file = File::open(&database).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    // A blob is there before what names it, so that none of the snapshot's is missing.
    let blobs = copy_blobs(&from.blobs(), &into.join("blobs"), true).map_err(failed)?;
    Ok(Manifest {
        format: FORMAT,
        made_ms,
        schema: migrations::NEWEST,
        database_bytes: file.metadata().map_err(failed)?.len(),
        database_sha256: sha256(&database).map_err(failed)?,
        conversations: copied.conversations,
        records: copied.records,
        audits: copied.audits,
        blobs: blobs.0,
        blobs_bytes: blobs.1,
    })
}

/// What is in the copy of a database.
struct Copied {
    conversations: u64,
    records: u64,
    audits: BTreeMap<TenantId, String>,
}

/// The last row of each audit.
fn audits(database: &Connection) -> rusqlite::Result<BTreeMap<TenantId, String>> {
    // The other columns are those of the row with the highest place.
    let last = "SELECT tenant, max(seq), hash FROM audit GROUP BY tenant";
    let row = |row: &rusqlite::Row<'_>| {
        let (tenant, seq, hash): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((TenantId(tenant), format!("{seq}:{hash}")))
    };
    database.prepare(last)?.query_map([], row)?.collect()
}

/// Copies the database as it is at one moment, and counts what is in it.
fn copy_database(
    from: &Directory,
    into: &Path,
    mut progress: impl FnMut(u64, u64),
) -> rusqlite::Result<Copied> {
    let source = schema::open_reader(from).map_err(|error| match error {
        OpenError::Database(error) => error,
        other => rusqlite::Error::InvalidPath(other.to_string().into()),
    })?;
    // A snapshot: without it, each commit of the writer would begin the copy anew.
    let snapshot = source.unchecked_transaction()?;
    let count = |sql| snapshot.query_row(sql, [], |row| row.get(0).map(super::from_sql));
    let copied = Copied {
        conversations: count("SELECT count(*) FROM conversation")?,
        records: count("SELECT count(*) FROM record")?,
        audits: audits(&snapshot)?,
    };
    let mut copy = Connection::open(into)?;
    {
        let backup = Backup::new(&snapshot, &mut copy)?;
        while backup.step(STEP_PAGES)? != StepResult::Done {
            let state = backup.progress();
            let pages = |count: std::ffi::c_int| u64::try_from(count).unwrap_or(0);
            progress(pages(state.pagecount - state.remaining), pages(state.pagecount));
        }
    }
    copy.close().map_err(|(_, error)| error)?;
    Ok(copied)
}

fn manifest(backup: &Path) -> Result<Manifest, BackupError> {
    let damaged = |why: String| BackupError::Damaged { place: backup.to_owned(), why };
    let text = fs::read(backup.join(MANIFEST))
        .map_err(|error| damaged(format!("its {MANIFEST} cannot be read ({error})")))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| damaged(format!("its {MANIFEST} cannot be understood ({error})")))?;
    if manifest.format != FORMAT {
        return Err(damaged(format!("form {} of backups is not known here", manifest.format)));
    }
    if manifest.schema > migrations::NEWEST {
        let (found, newest) = (manifest.schema, migrations::NEWEST);
        return Err(OpenError::Newer { found, newest }.into());
    }
    Ok(manifest)
}

/// Compares a copy with its manifest. Reads all of it once.
fn verify(backup: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let damaged = |why: String| BackupError::Damaged { place: backup.to_owned(), why };
    let read = |source| BackupError::Disk { place: backup.to_owned(), source };
    let database = backup.join(DATABASE);
    let digest = sha256(&database).map_err(|error| damaged(format!("{DATABASE}: {error}")))?;
    if digest != manifest.database_sha256 {
        return Err(damaged(format!("{DATABASE} has another hash")));
    }
    let mut found = (0, 0);
    for path in blobs(&backup.join("blobs")).map_err(read)? {
        let digest = sha256(&path).map_err(read)?;
        if !path.ends_with(Path::new(&digest[..2]).join(&digest[2..])) {
            return Err(damaged(format!("blob {} has another hash", path.display())));
        }
        found = (found.0 + 1, found.1 + path.metadata().map_err(read)?.len());
    }
    if found != (manifest.blobs, manifest.blobs_bytes) {
        return Err(damaged(format!("it has {} of {} blobs", found.0, manifest.blobs)));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let name = format!("file:{}?immutable=1", super::check::percent_encoded(&database));
    let opened = Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI);
    migrations::version(&opened.map_err(OpenError::Database)?)?;
    Ok(())
}

/// Copies blobs, or gives them a second name where that is possible: nobody ever writes
/// to the file of one. Answers how many there are, and their bytes.
fn copy_blobs(from: &Path, into: &Path, by_name: bool) -> io::Result<(u64, u64)> {
    directory::create(into)?;
    let mut all = (0, 0);
    for path in blobs(from)? {
        let Ok(name) = path.strip_prefix(from) else { continue };
        let copy = into.join(name);
        directory::create(&parent(&copy))?;
        if !by_name || fs::hard_link(&path, &copy).is_err() {
            fs::copy(&path, &copy)?;
            File::open(&copy)?.sync_all()?;
        }
        all = (all.0 + 1, all.1 + copy.metadata()?.len());
    }
    for shelf in fs::read_dir(into)? {
        directory::flush(&shelf?.path())?;
    }
    directory::flush(into)?;
    Ok(all)
}

/// The files of all blobs. What is being written has no shelf yet.
pub(super) fn blobs(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for shelf in fs::read_dir(root)? {
        let shelf = shelf?.path();
        if shelf.is_dir() {
            for file in fs::read_dir(shelf)? {
                all.push(file?.path());
            }
        }
    }
    all.sort();
    Ok(all)
}

/// `lost+found` is there on a disk of its own.
fn refuse_full(place: &Path) -> Result<(), BackupError> {
    let names = match fs::read_dir(place) {
        Ok(names) => names,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(BackupError::Disk { place: place.to_owned(), source }),
    };
    let is_other =
        |name: io::Result<fs::DirEntry>| name.map_or(true, |name| name.file_name() != "lost+found");
    match names.into_iter().any(is_other) {
        true => Err(BackupError::NotEmpty(place.to_owned())),
        false => Ok(()),
    }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn write_flushed(path: &Path, text: &[u8]) -> io::Result<()> {
    fs::write(path, text)?;
    directory::close_to_others(path)?;
    File::open(path)?.sync_all()
}

/// In hexadecimal digits.
fn sha256(path: &Path) -> io::Result<String> {
    let mut file = BufReader::new(File::open(path)?);
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => break,
            bytes => hash.update(&piece[..bytes]),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
