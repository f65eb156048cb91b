use botyard_kernel::log::Settled;

use super::*;
use crate::contract::given::{arrival, key, row, settled};
use crate::sqlite::check;
use crate::{SqliteStore, TenantStore};

fn stamp(at_ms: u64) -> Stamp {
    Stamp { at_ms, actor: "ops".to_owned() }
}

async fn fill(acme: &TenantStore) {
    let events = (0..600).map(|n| arrival(&n.to_string())).collect();
    acme.accept(&key("a"), events).await.unwrap();
    let rows = (0..300).map(|n| row(&format!("r{n}"))).collect();
    let dead = Settled { dead_letters: rows, ..settled("r", None) };
    acme.settle(&key("a"), &dead).await.unwrap();
}

fn faults(directory: &std::path::Path) -> Vec<String> {
    let mut faults = Vec::new();
    let tell = &mut |finding: check::Finding<'_>| {
        if let check::Finding::Fault(fault) = finding {
            faults.push(fault.to_string());
        }
    };
    check::check(directory, tell).unwrap();
    faults
}

/// Of an erasure that is cut off after its first step nobody sees the rest, the store is
/// sound, and the next sweep ends it.
#[tokio::test]
async fn an_erasure_that_was_cut_off_is_ended_by_the_next_sweep() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    fill(&acme).await;
    let first = |database: &Connection| begin(database, &key("a"), Cause::Person, &stamp(5_000));
    let begun = sqlite.engine.writer.write(&"acme".into(), 0, first).await;
    assert_eq!(begun, Ok(true));
    assert_eq!(acme.read(&key("a"), 0, 10_000).await.unwrap().len(), 1);
    assert_eq!(acme.dead_letters(0, 10_000).await, Ok(vec![]));
    drop((acme, sqlite));
    assert_eq!(faults(directory.path()), [""; 0]);

    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    let mut steps = 0;
    while acme.sweep(0, SWEEP_ROWS_MAX, &stamp(5_001)).await.unwrap() > 0 {
        steps += 1;
    }
    assert_eq!(steps, 4, "601 entries, 300 letters and the row itself");
    drop((acme, sqlite));
    assert_eq!(faults(directory.path()), [""; 0]);
    let database = Connection::open(directory.path().join("botyard.db")).unwrap();
    let left = "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM dead_letter)";
    let left: (i64, i64) =
        database.query_row(left, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(left, (1, 0));
}

/// Not only is it out of sight: the words are no longer in the files.
#[tokio::test]
async fn what_is_erased_is_gone_from_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    let secret = "the colour of her house is blue";
    let mut arrival = arrival("1");
    arrival.vendor_context = Some(secret.repeat(400));
    let small = crate::contract::given::arrival(secret);
    acme.accept(&key("a"), vec![arrival, small]).await.unwrap();
    sqlite.close().await;
    drop((acme, sqlite));
    let holds = || {
        let files = ["botyard.db", "botyard.db-wal"].map(|name| directory.path().join(name));
        let bytes = files.into_iter().flat_map(|file| std::fs::read(file).unwrap_or_default());
        let bytes: Vec<_> = bytes.collect();
        bytes.windows(16).any(|window| window == &secret.as_bytes()[..16])
    };
    assert!(holds());
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    // The keys of events are kept for a day.
    acme.erase(&key("a"), Cause::Person, &stamp(5_000)).await.unwrap();
    acme.sweep(0, SWEEP_ROWS_MAX, &stamp(5_001 + KEY_AGE_MS)).await.unwrap();
    sqlite.close().await;
    assert!(!holds());
}

#[tokio::test]
async fn what_cannot_be_read_is_erased_all_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    fill(&acme).await;
    let damage =
        |database: &Connection| database.execute("UPDATE entry SET value = x'7b'", []).map(drop);
    sqlite.engine.writer.write(&"acme".into(), 0, damage).await.unwrap();
    assert_eq!(acme.erase(&key("a"), Cause::Person, &stamp(5_000)).await, Ok(true));
    assert_eq!(acme.read(&key("a"), 0, 10_000).await.unwrap().len(), 1);
    drop((acme, sqlite));
    assert_eq!(faults(directory.path()), [""; 0]);
}

/// An event with this word, of about 180 KiB. Its key, which an erasure keeps, is short.
fn long(number: usize, word: &str) -> Arrival {
    let arrival = arrival(&format!("{number} {}", word.repeat(90 * 1024 / word.len())));
    Arrival { key: Some(number.to_string()), ..arrival }
}

#[tokio::test]
async fn a_step_of_an_erasure_is_bounded_in_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    for number in 0..60 {
        acme.accept(&key("a"), vec![long(number, "word ")]).await.unwrap();
    }
    let first = |database: &Connection| begin(database, &key("a"), Cause::Person, &stamp(5_000));
    sqlite.engine.writer.write(&"acme".into(), 0, first).await.unwrap();
    let mut steps = Vec::new();
    loop {
        let rows = acme.sweep(0, SWEEP_ROWS_MAX, &stamp(5_001)).await.unwrap();
        if rows == 0 {
            break;
        }
        steps.push(rows);
    }
    assert_eq!(steps.iter().sum::<usize>(), 61, "60 entries and the row itself");
    assert!(steps.len() > 2 && steps.iter().all(|rows| *rows < 30), "{steps:?}");
    assert_eq!(acme.read(&key("a"), 0, 100).await.unwrap().len(), 1);
}

/// A host that is never idle keeps no word of an erased person on its disk.
#[tokio::test]
async fn what_was_erased_leaves_the_write_ahead_log_of_a_busy_host() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    for number in 0..20 {
        acme.accept(&key("a"), vec![long(number, "canary ")]).await.unwrap();
    }
    acme.erase(&key("a"), Cause::Person, &stamp(5_000)).await.unwrap();
    let has_word = || {
        let files = std::fs::read_dir(directory.path()).unwrap().flatten();
        let all = files.filter_map(|file| std::fs::read(file.path()).ok());
        let word = b"canary canary canary";
        all.into_iter().any(|bytes| bytes.windows(word.len()).any(|part| part == word))
    };
    let began = std::time::Instant::now();
    let mut number = 0;
    while has_word() {
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "it is still there");
        // Busier than the time after which an idle host empties its log.
        for _ in 0..10 {
            number += 1;
            acme.accept(&key("b"), vec![arrival(&number.to_string())]).await.unwrap();
        }
    }
}
