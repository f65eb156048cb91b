//! A disk that fails or is full, under the real store.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use botyard_kernel::call::Journal;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::Call;
use botyard_power::{Fault, Recorder};
use botyard_store::{SqliteStore, StoreError, TenantStore};

/// A store whose disk does as it is told.
struct Bench {
    directory: tempfile::TempDir,
    recorder: Arc<Recorder>,
    sqlite: SqliteStore,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let recorder = Recorder::watch(directory.path()).unwrap();
        let sqlite = SqliteStore::open(directory.path()).unwrap();
        Self { directory, recorder, sqlite }
    }

    async fn append(&self) -> Result<u64, StoreError> {
        append(&store(&self.sqlite)).await
    }

    /// Opens the store again, as after a restart, and answers its last entry.
    async fn last_after_restart(self) -> u64 {
        let Self { directory, recorder, sqlite } = self;
        drop(sqlite);
        recorder.fail(None);
        last(directory.path()).await
    }
}

/// Whichever flush or write it is that fails: nothing more is acknowledged, what
/// was is there after a restart.
#[tokio::test]
async fn after_a_failed_commit_nothing_is_acknowledged() {
    for fault in [Fault::LogSync, Fault::LogWrite] {
        let bench = Bench::new();
        assert_eq!(bench.append().await, Ok(1));
        assert_eq!(bench.append().await, Ok(2));
        bench.recorder.fail(Some(fault));
        let failed = bench.append().await.unwrap_err();
        assert!(matches!(failed, StoreError::Unavailable(_)), "{fault:?}: {failed}");
        assert!(!bench.sqlite.is_healthy(), "{fault:?}");

        // A disk that works again proves nothing: what it dropped stays dropped.
        bench.recorder.fail(None);
        for _ in 0..3 {
            let refused = bench.append().await.unwrap_err();
            assert!(matches!(refused, StoreError::Unavailable(_)), "{fault:?}: {refused}");
        }
        assert!(!bench.sqlite.is_healthy(), "{fault:?}");
        // The commit that failed may be there or not: its sender was told neither.
        let last = bench.last_after_restart().await;
        assert!((2..=3).contains(&last), "{fault:?}: {last}");
    }
}

#[tokio::test]
async fn a_database_file_that_cannot_be_flushed_stops_the_store() {
    let bench = Bench::new();
    bench.recorder.fail(Some(Fault::DatabaseSync));
    // The checkpointer meets it, soon after the first commit.
    let mut acknowledged = 0;
    let noticed = async {
        while bench.sqlite.is_healthy() {
            acknowledged = bench.append().await.unwrap_or(acknowledged);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), noticed).await.unwrap();
    let refused = bench.append().await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(acknowledged > 0);
    assert_eq!(bench.last_after_restart().await, acknowledged);
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let bench = Bench::new();
    assert_eq!(bench.append().await, Ok(1));
    bench.recorder.fail(Some(Fault::LogFull));
    for _ in 0..3 {
        assert_eq!(bench.append().await, Err(StoreError::Full));
    }
    assert!(bench.sqlite.is_healthy());
    bench.recorder.fail(None);
    assert_eq!(bench.append().await, Ok(2));
    assert_eq!(bench.last_after_restart().await, 2);
}

/// Where only the database file has no room, its log carries on.
#[tokio::test]
async fn a_checkpoint_without_room_loses_nothing() {
    let bench = Bench::new();
    bench.recorder.fail(Some(Fault::DatabaseFull));
    for place in 1..=40 {
        assert_eq!(bench.append().await, Ok(place));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(bench.sqlite.is_healthy());
    bench.recorder.fail(None);
    assert_eq!(bench.append().await, Ok(41));
    assert_eq!(bench.last_after_restart().await, 41);
}

async fn last(directory: &Path) -> u64 {
    let sqlite = SqliteStore::open(directory).unwrap();
    assert!(sqlite.is_healthy());
    let last = store(&sqlite).load(&key(), 1).await.unwrap().last;
    assert_eq!(append(&store(&sqlite)).await, Ok(last + 1));
    last
}

fn store(sqlite: &SqliteStore) -> TenantStore {
    sqlite.store().tenant(&key().tenant)
}

async fn append(store: &TenantStore) -> Result<u64, StoreError> {
    let answer = "x".repeat(3_000);
    let request = botyard_kernel::id::Digest::of(b"request");
    let call = Call {
        event: "e".into(),
        of_start: false,
        index: 0,
        request,
        answer,
        journal: Journal::default(),
    };
    store.record_call(&key(), &call).await
}

fn key() -> ConversationKey {
    ConversationKey { tenant: "acme".into(), channel: "web".into(), vendor_key: "a".to_owned() }
}
