use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use botyard_kernel::id::TenantId;
use botyard_kernel::log::Turn;
use rusqlite::ffi;

use super::*;
use crate::contract::given::{arrival, call, key, key_of, set, settled, turn};
use crate::{Commit, StoreError, TenantStore};

const ALL: usize = 10_000;

fn acme(sqlite: &SqliteStore) -> TenantStore {
    sqlite.store().tenant(&"acme".into())
}

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let (store, a) = (acme(&sqlite), key("a"));
    store.accept(&a, vec![arrival("1"), arrival("2")]).await.unwrap();
    store.record_call(&a, &call("2", 0)).await.unwrap();
    let bot_writes = vec![set("k", "v")];
    let first = Turn { bot_writes, watermark: 1, due_ms: Some(5), ..turn("t1", 0, 3) };
    store.commit(&a, &first).await.unwrap();
    store.settle(&a, &settled("p", Some(9))).await.unwrap();
    let before = store.load(&a, ALL).await.unwrap();
    drop(store);
    sqlite.close().await;
    let log = directory.path().join("botyard.db-wal");
    assert_eq!(log.metadata().map_or(0, |log| log.len()), 0, "closing empties the log");
    drop(sqlite);

    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let store = acme(&sqlite);
    assert_eq!(store.load(&a, ALL).await.unwrap(), before);
    assert_eq!(store.bot_value(&"lead".into(), "k").await.unwrap().as_deref(), Some("v"));
    assert_eq!(sqlite.store().host().due(0, ALL).await.unwrap(), [(a.clone(), 0)]);
    let again = store.commit(&a, &first).await;
    assert_eq!(again, Ok(Commit::Committed { seq: 4, refused: vec![] }));
}

#[tokio::test]
async fn a_directory_belongs_to_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/store");
    let first = SqliteStore::open(&path).unwrap();
    let Err(error) = SqliteStore::open(&path) else { panic!("two have it open") };
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    drop(first);
    SqliteStore::open(&path).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("store");
    let sqlite = SqliteStore::open(&path).unwrap();
    acme(&sqlite).accept(&key("a"), vec![arrival("1")]).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for name in ["botyard.db", "botyard.db-wal", "botyard.db-shm", "lock"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(directory.path()).unwrap());
    let database = Connection::open(directory.path().join("botyard.db")).unwrap();
    database.pragma_update(None, "user_version", 99).unwrap();
    drop(database);
    let Err(error) = SqliteStore::open(directory.path()) else { panic!("it opened") };
    assert!(matches!(error, OpenError::Newer { found: 99, newest: 8 }), "{error}");
}

#[tokio::test]
async fn a_closed_store_refuses_and_reads() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let (store, a) = (acme(&sqlite), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    sqlite.close().await;
    let error = store.accept(&a, vec![arrival("2")]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(store.load(&a, ALL).await.unwrap().last, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn conversations_share_transactions() {
    const TASKS: u64 = 64;
    const EVENTS: u64 = 20;
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let hold = hold_the_writer(&sqlite).await;
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let key = key_of(&format!("tenant-{}", task % 8), &task.to_string());
            let store = sqlite.store().tenant(&key.tenant);
            tokio::spawn(async move {
                for n in 1..=EVENTS {
                    let id = n.to_string();
                    assert_eq!(store.accept(&key, vec![arrival(&id)]).await, Ok(vec![n]));
                }
                let loaded = store.load(&key, ALL).await.unwrap();
                let ids = loaded.accepted.iter().map(|(seq, a)| (seq.to_string(), &a.event.id.0));
                assert!(ids.into_iter().all(|(seq, id)| seq == *id));
                loaded.last
            })
        })
        .collect();
    drop(hold);
    for task in tasks {
        assert_eq!(task.await.unwrap(), EVENTS);
    }
    let counters = sqlite.counters();
    // One more is the job that held the writer.
    assert_eq!((counters.jobs, counters.queued), (TASKS * EVENTS + 1, 0));
    assert!(counters.batches < counters.jobs, "{counters:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_successors_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let hold = hold_the_writer(&sqlite).await;
    let racers: Vec<_> = (0..16)
        .map(|racer| {
            let (store, bot_writes) = (acme(&sqlite), vec![set("winner", &racer.to_string())]);
            let next = Turn { bot_writes, ..turn(&racer.to_string(), 0, 0) };
            tokio::spawn(async move { store.commit(&key("a"), &next).await.unwrap() })
        })
        .collect();
    drop(hold);
    let mut winners = Vec::new();
    for (racer, end) in racers.into_iter().enumerate() {
        if end.await.unwrap() != Commit::Conflict {
            winners.push(racer.to_string());
        }
    }
    let winner = acme(&sqlite).bot_value(&"lead".into(), "winner").await.unwrap();
    assert_eq!(winners, [winner.unwrap()]);
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let (store, a) = (acme(&sqlite), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    limit_pages(&sqlite, 1).await;
    let mut large = arrival("2");
    large.vendor_context = Some("x".repeat(100_000));
    assert_eq!(store.accept(&a, vec![large.clone()]).await, Err(StoreError::Full));
    assert_eq!(store.load(&a, ALL).await.unwrap().last, 1);

    limit_pages(&sqlite, 1_000_000).await;
    assert_eq!(store.accept(&a, vec![large]).await, Ok(vec![2]));
    assert!(sqlite.is_healthy());
}

#[tokio::test]
async fn after_an_error_of_the_disk_nothing_is_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let (store, a) = (acme(&sqlite), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    let broken = fail(&sqlite, ffi::SQLITE_IOERR_FSYNC).await;
    assert!(matches!(broken, StoreError::Unavailable(_)), "{broken}");
    assert!(!sqlite.is_healthy());
    for _ in 0..2 {
        let refused = store.accept(&a, vec![arrival("2")]).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    }
    drop(store);
    drop(sqlite);

    let sqlite = SqliteStore::open(directory.path()).unwrap();
    assert_eq!(acme(&sqlite).accept(&a, vec![arrival("2")]).await, Ok(vec![2]));
}

#[tokio::test]
async fn a_job_that_fails_does_not_fail_its_neighbours() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let hold = hold_the_writer(&sqlite).await;
    let (store, a) = (acme(&sqlite), key("a"));
    let release = async {
        wait_until_queued(&sqlite, 4).await;
        drop(hold);
    };
    let (first, failed, second, ()) = tokio::join!(
        store.accept(&a, vec![arrival("1")]),
        fail(&sqlite, ffi::SQLITE_CONSTRAINT),
        store.accept(&a, vec![arrival("2")]),
        release,
    );
    assert_eq!((first, second), (Ok(vec![1]), Ok(vec![2])));
    assert!(matches!(failed, StoreError::Unavailable(_)), "{failed}");
    assert!(sqlite.is_healthy());
}

#[tokio::test]
async fn a_panic_is_no_silence() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let panics = |_: &Connection| -> rusqlite::Result<()> { panic!("made by a test") };
    let ended = sqlite.engine.writer.write(&TenantId::from("acme"), 0, panics).await;
    assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
    let noticed = async {
        while sqlite.is_healthy() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noticed).await.unwrap();
    let refused = acme(&sqlite).accept(&key("a"), vec![arrival("1")]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
}

#[tokio::test]
async fn damage_is_said_in_words() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let (store, a) = (acme(&sqlite), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    let damage =
        |database: &Connection| database.execute("UPDATE entry SET value = x'7b'", []).map(drop);
    sqlite.engine.writer.write(&TenantId::from("acme"), 0, damage).await.unwrap();
    let error = store.load(&a, ALL).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
}

/// Kills a process that writes, and looks for everything it was promised.
#[tokio::test]
async fn a_killed_process_keeps_its_promises() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::tests::writes_until_it_is_killed", "--nocapture"])
        .env(CHILD_DIRECTORY, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut promises = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, promise)) = line.split_once("promised ") else { continue };
        // The last line may be cut by the kill.
        if let Some((vendor_key, seq)) = promise.trim_end_matches('.').split_once(' ')
            && promise.ends_with('.')
        {
            promises.push((vendor_key.to_owned(), seq.parse::<u64>().unwrap()));
        }
        if promises.len() == 300 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(promises.len() >= 300, "the child ended early: {} promises", promises.len());

    let sqlite = SqliteStore::open(directory.path()).unwrap();
    for (vendor_key, seq) in promises {
        let found = acme(&sqlite).read(&key(&vendor_key), seq - 1, 1).await.unwrap();
        assert_eq!(found.first().map(|(seq, _)| *seq), Some(seq), "{vendor_key}");
    }
}

const CHILD_DIRECTORY: &str = "BOTYARD_STORE_TEST_DIRECTORY";

/// The process that the test above kills; by itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_it_is_killed() {
    let Some(directory) = std::env::var_os(CHILD_DIRECTORY) else { return };
    let sqlite = SqliteStore::open(Path::new(&directory)).unwrap();
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (store, key) = (acme(&sqlite), key(&writer.to_string()));
            tokio::spawn(async move {
                // More than anybody waits for, so that an orphan ends by itself.
                for _ in 0..10_000 {
                    let seq = store.accept(&key, vec![arrival("1")]).await.unwrap()[0];
                    let promise = format!("promised {} {seq}.\n", key.vendor_key);
                    std::io::stdout().write_all(promise.as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Keeps the writer busy until the value is dropped, so that jobs gather.
async fn hold_the_writer(sqlite: &SqliteStore) -> mpsc::Sender<()> {
    let (hold, held) = mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let engine = sqlite.engine.clone();
    tokio::spawn(async move {
        let wait = move |_: &Connection| {
            // It ends when the other side is dropped, or fails the test.
            let _ = held.lock().unwrap().recv_timeout(Duration::from_secs(10));
            Ok(())
        };
        engine.writer.write(&TenantId::from("holder"), 0, wait).await.unwrap();
    });
    wait_until_queued(sqlite, 1).await;
    hold
}

async fn wait_until_queued(sqlite: &SqliteStore, jobs: u64) {
    let gathered = async {
        while sqlite.counters().queued < jobs {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gathered).await.unwrap();
}

async fn limit_pages(sqlite: &SqliteStore, pages: i64) {
    let limit = move |database: &Connection| {
        database.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
    };
    sqlite.engine.writer.write(&TenantId::from("acme"), 0, limit).await.unwrap();
}

/// A job that ends in an error of the database.
async fn fail(sqlite: &SqliteStore, code: i32) -> StoreError {
    let fail = move |_: &Connection| -> rusqlite::Result<()> {
        Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    };
    sqlite.engine.writer.write(&TenantId::from("acme"), 0, fail).await.unwrap_err()
}
