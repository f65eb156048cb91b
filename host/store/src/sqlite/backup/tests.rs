use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::contract::given::{arrival, key, turn};
use crate::sqlite::check;

fn stamp() -> Stamp {
    Stamp { at_ms: 7, actor: "ops".to_owned() }
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

/// A store with a record and a blob, and a copy of it.
async fn copied() -> (tempfile::TempDir, SqliteStore, PathBuf, Manifest) {
    let place = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(&place.path().join("store")).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    acme.put("bot", "lead", &serde_json::json!(1), &stamp()).await.unwrap();
    acme.commit(&key("a"), &turn("t1", 0, 0)).await.unwrap();
    sqlite.store().host().put_blob(b"component".to_vec()).await.unwrap();
    let backup = place.path().join("backups/monday");
    let manifest = sqlite.backup(&backup, |done, total| assert!(done <= total)).unwrap();
    (place, sqlite, backup, manifest)
}

/// The drill: a copy under load, a store made of it, and everything that was
/// acknowledged before is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_is_in_a_copy_made_under_load() {
    const WRITERS: usize = 8;
    let place = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(&place.path().join("store")).unwrap();
    let blob = sqlite.store().host().put_blob(b"component".to_vec()).await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged: Arc<[AtomicU64; WRITERS]> = Arc::default();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (store, key) = (sqlite.store().tenant(&"acme".into()), key(&writer.to_string()));
            let (stop, acknowledged) = (stop.clone(), acknowledged.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let seqs = store.accept(&key, vec![arrival("1"); 20]).await.unwrap();
                    acknowledged[writer].store(seqs[19], Ordering::Release);
                }
            })
        })
        .collect();
    while acknowledged.iter().any(|seq| seq.load(Ordering::Acquire) < 400) {
        tokio::task::yield_now().await;
    }
    let before: Vec<_> = acknowledged.iter().map(|seq| seq.load(Ordering::Acquire)).collect();
    let (backup, engine) = (place.path().join("backup"), sqlite.clone());
    let into = backup.clone();
    let batches = sqlite.counters().batches;
    let copy = tokio::task::spawn_blocking(move || {
        // Slowly, so that the writers come to write meanwhile.
        engine.backup(&into, |_, _| std::thread::sleep(std::time::Duration::from_millis(5)))
    });
    let manifest = copy.await.unwrap().unwrap();
    assert!(sqlite.counters().batches > batches, "nobody wrote meanwhile");
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }

    let restored = place.path().join("restored");
    assert_eq!(SqliteStore::restore(&backup, &restored).unwrap(), manifest);
    assert_eq!(faults(&restored), [""; 0]);
    let sqlite = SqliteStore::open(&restored).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    for (writer, seq) in before.into_iter().enumerate() {
        let last = acme.load(&key(&writer.to_string()), 1).await.unwrap().last;
        assert!(last >= seq, "{last} of {seq}");
    }
    assert_eq!(manifest.conversations, WRITERS as u64);
    assert_eq!(sqlite.store().host().blob(&blob).await.unwrap().unwrap(), b"component");
}

#[tokio::test]
async fn a_restored_store_is_held_until_it_is_released() {
    let (place, sqlite, backup, manifest) = copied().await;
    assert_eq!(sqlite.held(), Ok(None));
    let restored = place.path().join("restored");
    SqliteStore::restore(&backup, &restored).unwrap();
    let sqlite = SqliteStore::open(&restored).unwrap();
    let held = sqlite.held().unwrap().unwrap();
    assert_eq!(held.backup_ms, manifest.made_ms);
    sqlite.close().await;
    drop(sqlite);

    let sqlite = SqliteStore::open(&restored).unwrap();
    assert_eq!(sqlite.held(), Ok(Some(held)), "a restart is no word");
    sqlite.release(&stamp()).await.unwrap();
    assert_eq!(sqlite.held(), Ok(None));
    let operator = sqlite.store().tenant(&OPERATOR.into());
    let said = operator.audit(0, 9).await.unwrap();
    assert_eq!((said.len(), &*said[0].action, &*said[0].kind), (1, "release", "restore"));
    sqlite.release(&stamp()).await.unwrap();
}

#[tokio::test]
async fn nothing_is_written_over() {
    let (place, sqlite, backup, _) = copied().await;
    let again = sqlite.backup(&backup, |_, _| ()).unwrap_err();
    assert!(matches!(again, BackupError::NotEmpty(_)), "{again}");
    let store = place.path().join("store");
    let over = SqliteStore::restore(&backup, &store).unwrap_err();
    assert!(over.to_string().contains("is not empty"), "{over}");

    let empty = place.path().join("empty");
    fs::create_dir_all(empty.join("lost+found")).unwrap();
    SqliteStore::restore(&backup, &empty).unwrap();
    // What a copy is made of beside its place does not stay there.
    let names = fs::read_dir(place.path().join("backups")).unwrap();
    assert_eq!(names.count(), 1);
}

#[tokio::test]
async fn a_damaged_copy_is_refused() {
    type Damage = fn(&Path);
    let database: Damage = |backup| {
        let mut bytes = fs::read(backup.join(DATABASE)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(backup.join(DATABASE), bytes).unwrap();
    };
    let blob: Damage = |backup| {
        let path = blobs(&backup.join("blobs")).unwrap().remove(0);
        fs::remove_file(&path).unwrap();
        fs::write(path, b"other").unwrap();
    };
    let missing: Damage = |backup| {
        fs::remove_file(blobs(&backup.join("blobs")).unwrap().remove(0)).unwrap();
    };
    let manifest: Damage = |backup| fs::write(backup.join(MANIFEST), b"{}").unwrap();
    let absent: Damage = |backup| fs::remove_file(backup.join(MANIFEST)).unwrap();
    let newer: Damage = |backup| {
        let text = fs::read_to_string(backup.join(MANIFEST)).unwrap();
        let now = format!("\"schema\": {}", migrations::NEWEST);
        fs::write(backup.join(MANIFEST), text.replace(&now, "\"schema\": 99")).unwrap();
    };
    for (damage, why) in [
        (database, "botyard.db has another hash"),
        (blob, "has another hash"),
        (missing, "it has 0 of 1 blobs"),
        (manifest, "manifest.json cannot be understood"),
        (absent, "manifest.json cannot be read"),
        (newer, "has schema 99"),
    ] {
        let (place, _sqlite, backup, _) = copied().await;
        damage(&backup);
        let restored = place.path().join("restored");
        let error = SqliteStore::restore(&backup, &restored).unwrap_err();
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert!(!restored.exists(), "{why}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_a_copy() {
    use std::os::unix::fs::PermissionsExt as _;

    let (place, _sqlite, backup, _) = copied().await;
    let restored = place.path().join("restored");
    SqliteStore::restore(&backup, &restored).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&backup), mode(&restored)), (0o700, 0o700));
    for file in [backup.join(DATABASE), backup.join(MANIFEST), restored.join(DATABASE)] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn room_on_the_disk_is_told() {
    let (_place, sqlite, ..) = copied().await;
    let before = sqlite.disk().unwrap();
    assert_eq!(before.blobs_bytes, 9);
    assert!(before.database_bytes > 4_096 && before.total_bytes > before.free_bytes);
    sqlite.store().host().put_blob(vec![7; 1_000]).await.unwrap();
    assert_eq!(sqlite.disk().unwrap().blobs_bytes, 1_009);
}
