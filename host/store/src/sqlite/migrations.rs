//! Brings the tables of an older host up to date, after a copy of them was made.
//!
//! The copy lies beside the database: `botyard.schema-1.<seconds>.db` holds what
//! a host with schema 1 left, at that time (Unix seconds). Whoever wants it back
//! stops the host, puts it in the place of `botyard.db` and removes
//! `botyard.db-wal` and `botyard.db-shm`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use botyard_failpoints::{Point, pass};
use rusqlite::Connection;

use super::directory::Directory;
use crate::OpenError;

/// One step a version. What has been released is never edited: append.
pub(super) const STEPS: [&str; 8] = [
    include_str!("v1.sql"),
    include_str!("v2.sql"),
    include_str!("v3.sql"),
    include_str!("v4.sql"),
    include_str!("v5.sql"),
    include_str!("v6.sql"),
    include_str!("v7.sql"),
    include_str!("v8.sql"),
];
/// The version of the tables that this host writes.
pub(super) const NEWEST: i64 = STEPS.len() as i64;
/// So many copies are kept, the newest.
const COPIES: usize = 3;

/// The version of the tables of a database, unless a newer host wrote them.
pub(super) fn version(database: &Connection) -> Result<i64, OpenError> {
    let found = database.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > NEWEST { Err(OpenError::Newer { found, newest: NEWEST }) } else { Ok(found) }
}

/// Does the steps that a database lacks, each whole or not at all.
pub(super) fn run(
    database: &mut Connection,
    directory: &Directory,
    steps: &[&str],
) -> Result<(), OpenError> {
    let found = version(database)?;
    let missing = || (1..).zip(steps).filter(|(version, _)| *version > found);
    if found > 0 && missing().next().is_some() {
        let copy = copy(database, directory, found)?;
        tracing::warn!(
            schema = found,
            copy = %copy.display(),
            "the database is brought up to date; what the older host left is kept in a copy"
        );
    }
    for (version, step) in missing() {
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

/// Copies the database to a file beside it. Nobody else has it open, and nothing
/// of it is left in the write-ahead log meanwhile.
fn copy(database: &Connection, directory: &Directory, found: i64) -> Result<PathBuf, OpenError> {
    let busy: bool = database.query_row("PRAGMA wal_checkpoint(truncate)", [], |row| row.get(0))?;
    let failed = |source| OpenError::Copy { directory: directory.path().to_owned(), source };
    if busy {
        let other = std::io::Error::other("the database is being read");
        return Err(failed(other));
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let name = format!("{PREFIX}{found}.{}{SUFFIX}", since.as_secs());
    let place = directory.path().join(name);
    write(&directory.database(), &place).map_err(failed)?;
    forget_old(directory.path()).map_err(failed)?;
    Ok(place)
}

const PREFIX: &str = "botyard.schema-";
const SUFFIX: &str = ".db";
/// A copy that is being made.
const HALF: &str = "botyard.schema-copy.part";

/// The name appears only with all bytes, and both survive a loss of power.
fn write(database: &Path, place: &Path) -> std::io::Result<()> {
    let directory = place.parent().unwrap_or_else(|| Path::new("."));
    // A name of its own: a host that dies in the middle leaves one half copy at most.
    let half = directory.join(HALF);
    fs::copy(database, &half)?;
    File::open(&half)?.sync_all()?;
    fs::rename(&half, place)?;
    File::open(directory)?.sync_all()
}

/// Removes all copies but the newest.
fn forget_old(directory: &Path) -> std::io::Result<()> {
    let mut copies = copies(directory)?;
    copies.sort();
    let old = copies.len().saturating_sub(COPIES);
    copies.drain(..old).try_for_each(|(_, path)| fs::remove_file(path))
}

/// Removes copies that were made so long ago: whoever was erased since is in them. Answers
/// how many.
pub(super) fn forget_copies(directory: &Path, older_than: Duration) -> std::io::Result<usize> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let Some(before) = since.checked_sub(older_than) else { return Ok(0) };
    let mut copies = copies(directory)?;
    copies.retain(|((seconds, _), _)| *seconds <= before.as_secs());
    copies.iter().try_for_each(|(_, path)| fs::remove_file(path))?;
    Ok(copies.len())
}

/// The copies, each with when it was made and the schema that it has.
fn copies(directory: &Path) -> std::io::Result<Vec<((u64, i64), PathBuf)>> {
    let mut copies = Vec::new();
    for file in fs::read_dir(directory)? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbers = name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX));
        let numbers = numbers.and_then(|numbers| numbers.split_once('.'));
        let parsed = numbers.and_then(|(schema, seconds)| {
            Some((seconds.parse::<u64>().ok()?, schema.parse::<i64>().ok()?))
        });
        copies.extend(parsed.map(|age| (age, path)));
    }
    Ok(copies)
}

#[cfg(test)]
mod tests {
    use botyard_kernel::log::Turn;

    use super::*;
    use crate::contract::given::{arrival, key, turn};
    use crate::sqlite::{check, schema};
    use crate::{NotesSize, SqliteStore, Which};

    /// A directory as a host with schema 1 has left it.
    fn old() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::open(place.path()).unwrap();
        let mut database = schema::open_for_writing(&directory).unwrap();
        run(&mut database, &directory, &STEPS[..1]).unwrap();
        let rows = "INSERT INTO conversation
                (tenant, channel, vendor_key, last, accepted, turn, turn_id, base, watermark, due_ms)
                VALUES ('acme', 'web', 'a', 2, 1, 2, 't1', 1, 1, 70)";
        database.execute(rows, []).unwrap();
        for (kind, value) in [
            (1, crate::limits::arrival(&arrival("1")).unwrap()),
            (3, crate::limits::turn(&Turn { due_ms: Some(70), ..turn("t1", 0, 1) }).unwrap()),
        ] {
            let row = "INSERT INTO entry (conversation, kind, seq, value)
                VALUES (1, ?1, (?1 + 1) / 2, ?2)";
            database.execute(row, rusqlite::params![kind, value]).unwrap();
        }
        place
    }

    fn copies(directory: &Path) -> Vec<String> {
        let names = fs::read_dir(directory).unwrap().map(|file| file.unwrap().file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        let mut names: Vec<_> = names.filter(|name| name.starts_with(PREFIX)).collect();
        names.sort();
        names
    }

    fn faults(directory: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        let tell = &mut |finding: check::Finding<'_>| {
            if let check::Finding::Fault(fault) = finding {
                faults.push(fault.to_string());
            }
        };
        check::check(directory, tell).unwrap();
        faults
    }

    #[tokio::test]
    async fn an_older_database_is_copied_and_brought_up_to_date() {
        let place = old();
        let sqlite = SqliteStore::open(place.path()).unwrap();
        let a = key("a");
        assert_eq!(sqlite.store().host().due(70, 10).await, Ok(vec![(a.clone(), 70)]));
        let store = sqlite.store().tenant(&a.tenant);
        assert_eq!(store.accept(&a, vec![arrival("2")]).await, Ok(vec![3]));
        drop((store, sqlite));
        assert_eq!(faults(place.path()), [""; 0]);

        // The copy is whole, and as the older host left it.
        let [copy] = copies(place.path()).try_into().unwrap();
        assert!(copy.starts_with("botyard.schema-1."), "{copy}");
        let restored = tempfile::tempdir().unwrap();
        let database = restored.path().join("botyard.db");
        fs::copy(place.path().join(copy), &database).unwrap();
        assert_eq!(faults(restored.path()), [""; 0]);
        let found = version(&Connection::open(database).unwrap()).unwrap();
        assert_eq!(found, 1);

        // An up-to-date database is not copied again.
        drop(SqliteStore::open(place.path()).unwrap());
        assert_eq!(copies(place.path()).len(), 1);
    }

    /// What an older host wrote is listed, goes on, and can be erased and swept.
    #[tokio::test]
    async fn conversations_of_an_older_host_are_listed_and_erased() {
        let place = old();
        let sqlite = SqliteStore::open(place.path()).unwrap();
        let a = key("a");
        let store = sqlite.store().tenant(&a.tenant);
        let [(summary, _)] = &store.conversations(Which::default(), None, 9).await.unwrap()[..]
        else {
            panic!("it is not listed")
        };
        assert_eq!((summary.turns, summary.owner, summary.due_ms), (1, None, Some(70)));
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() * 1_000;
        assert!(summary.active_ms.abs_diff(since) < 60_000, "{}", summary.active_ms);
        let next = turn("t2", 2, 2);
        store.commit(&a, &next).await.unwrap();
        let found = store.bot_turns(&next.bot, 0, None, 9).await.unwrap();
        assert_eq!(found.into_iter().map(|turn| turn.turn).collect::<Vec<_>>(), [next]);
        let stamp = crate::Stamp { at_ms: since, actor: "ops".to_owned() };
        assert_eq!(store.erase(&a, crate::Cause::Person, &stamp).await, Ok(true));
        drop((store, sqlite));
        assert_eq!(faults(place.path()), [""; 0]);
    }

    /// What an older host wrote is weighed once, and kept up from then on.
    #[tokio::test]
    async fn what_an_older_host_kept_is_weighed() {
        let place = old();
        let sqlite = SqliteStore::open(place.path()).unwrap();
        let a = key("a");
        let store = sqlite.store().tenant(&a.tenant);
        let first = crate::limits::arrival(&arrival("1")).unwrap().len();
        let turn = Turn { due_ms: Some(70), ..turn("t1", 0, 1) };
        let before = (first + crate::limits::turn(&turn).unwrap().len()) as u64;
        assert_eq!(store.weigh().await.unwrap().conversations, before);
        store.accept(&a, vec![arrival("1")]).await.unwrap();
        assert_eq!(store.weigh().await.unwrap().conversations, before + first as u64);
    }

    /// What an older host noted is weighed once, and kept up from then on.
    #[tokio::test]
    async fn notes_of_an_older_host_are_weighed() {
        let place = old();
        let directory = Directory::open(place.path()).unwrap();
        let mut database = schema::open_for_writing(&directory).unwrap();
        run(&mut database, &directory, &STEPS[..6]).unwrap();
        let notes = "INSERT INTO note (tenant, kind, name, value, expires_ms) VALUES
            ('acme', 'key', 'a', '\"ä\"', 70), ('acme', 'key', 'b', '[]', NULL),
            ('acme', 'usage', 'a', '7', 5), ('other', 'key', 'a', '{}', NULL)";
        database.execute(notes, []).unwrap();
        drop((database, directory));

        let sqlite = SqliteStore::open(place.path()).unwrap();
        let store = sqlite.store().tenant(&"acme".into());
        let size = NotesSize { count: 2, bytes: 4 + 2, ends_ms: Some(70) };
        assert_eq!(store.note_size("key").await, Ok(size));
        store.note_delete("key", "b").await.unwrap();
        let left = NotesSize { count: 1, bytes: 4, ends_ms: Some(70) };
        assert_eq!(store.note_size("key").await, Ok(left));
        drop((store, sqlite));
        assert_eq!(faults(place.path()), [""; 0]);
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let place = old();
        let directory = Directory::open(place.path()).unwrap();
        let mut database = schema::open_for_writing(&directory).unwrap();
        let broken = "DROP TABLE audit; CREATE TABLE entry (id INTEGER PRIMARY KEY)";
        run(&mut database, &directory, &[STEPS[0], broken]).unwrap_err();
        assert_eq!(version(&database).unwrap(), 1);
        drop((database, directory));
        assert_eq!(faults(place.path()), [""; 0]);
        assert_eq!(copies(place.path()).len(), 1);
    }

    #[test]
    fn without_room_for_a_copy_nothing_is_changed() {
        let place = old();
        let directory = Directory::open(place.path()).unwrap();
        let mut database = schema::open_for_writing(&directory).unwrap();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        // Directories stand where the copy is to go.
        for second in since..since + 60 {
            let taken = place.path().join(format!("{PREFIX}1.{second}{SUFFIX}/full"));
            fs::create_dir_all(taken).unwrap();
        }
        let error = run(&mut database, &directory, &STEPS).unwrap_err();
        assert!(matches!(error, OpenError::Copy { .. }), "{error}");
        assert_eq!(version(&database).unwrap(), 1);
    }

    #[test]
    fn copies_are_removed_by_their_age() {
        let place = tempfile::tempdir().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let name = |age: u64| format!("{PREFIX}1.{}{SUFFIX}", now - age);
        for age in [10, 3_600, 90_000] {
            fs::write(place.path().join(name(age)), "").unwrap();
        }
        fs::write(place.path().join("botyard.db"), "").unwrap();
        let hour = Duration::from_secs(3_600);
        assert_eq!(forget_copies(place.path(), hour * 48).unwrap(), 0);
        assert_eq!(forget_copies(place.path(), hour).unwrap(), 2);
        assert_eq!(copies(place.path()), [name(10)]);
        assert_eq!(forget_copies(place.path(), Duration::MAX).unwrap(), 0);
        assert!(place.path().join("botyard.db").exists());
    }

    #[test]
    fn the_newest_copies_are_kept() {
        let place = tempfile::tempdir().unwrap();
        let name = |seconds: u32| format!("{PREFIX}1.{seconds}{SUFFIX}");
        // By age, not by letters.
        for seconds in [9, 10, 11, 100, 5] {
            fs::write(place.path().join(name(seconds)), "").unwrap();
        }
        fs::write(place.path().join("botyard.schema-x.db"), "").unwrap();
        forget_old(place.path()).unwrap();
        let kept = ["botyard.schema-1.10.db", "botyard.schema-1.100.db", "botyard.schema-1.11.db"];
        assert_eq!(copies(place.path())[..3], kept);
        assert_eq!(copies(place.path()).len(), 4);
    }
}
