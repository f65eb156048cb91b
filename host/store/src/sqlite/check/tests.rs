use botyard_kernel::id::Digest;
use botyard_kernel::log::{Settled, Turn};
use serde_json::json;

use super::*;
use crate::contract::given::{arrival, call, fused, key, row, set, settled, turn};
use crate::{SqliteStore, Stamp};

/// A store with one of everything, closed.
async fn store() -> (tempfile::TempDir, Digest) {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let (store, a, b) = (sqlite.store().tenant(&"acme".into()), key("a"), key("b"));
    store.accept(&a, vec![arrival("1"), arrival("2")]).await.unwrap();
    store.record_call(&a, &call("1", 0)).await.unwrap();
    let writes = vec![set("käse", "gouda")];
    let first = Turn { watermark: 1, bot_writes: writes, ..turn("t1", 0, 3) };
    store.commit(&a, &first).await.unwrap();
    let dead = vec![row("t1.0.0"), row("t1.1.0")];
    let given_up = Settled { dead_letters: dead, ..settled("p", Some(900)) };
    store.settle(&a, &given_up).await.unwrap();
    store.commit(&a, &Turn { due_ms: Some(700), ..turn("t2", 4, 5) }).await.unwrap();
    store.commit(&b, &fused("t1", 0, 0)).await.unwrap();
    let revived = vec![row("t1.0.0")];
    let with_event = Settled { events: vec![arrival("3")], revived, ..settled("q", None) };
    store.settle(&b, &with_event).await.unwrap();
    for value in [1, 2] {
        let stamp = Stamp { at_ms: 1, actor: "operator".to_owned() };
        store.put("bot", "lead", &json!(value), &stamp).await.unwrap();
    }
    store.note_put("usage", "h1", &json!({"turns": 1}), None).await.unwrap();
    let blob = sqlite.store().host().put_blob(b"component".to_vec()).await.unwrap();
    sqlite.close().await;
    (directory, blob)
}

fn faults(path: &Path) -> (Vec<Fault>, Checked) {
    let mut faults = Vec::new();
    let checked = check(path, &mut |finding| match finding {
        Finding::Fault(fault) => faults.push(fault.clone()),
        Finding::Progress { done, of } => assert!(done <= of),
    });
    (faults, checked.unwrap())
}

/// The faults of a store after a statement.
async fn after(sql: &str) -> Vec<Fault> {
    let (directory, _) = store().await;
    let database = Connection::open(directory.path().join("botyard.db")).unwrap();
    database.execute_batch(sql).unwrap();
    drop(database);
    faults(directory.path()).0
}

async fn says(sql: &str, expected: &str) {
    let found: Vec<_> = after(sql).await.iter().map(ToString::to_string).collect();
    assert!(found.iter().any(|fault| fault.contains(expected)), "{sql}: {found:#?}");
}

#[tokio::test]
async fn a_sound_store_has_no_faults() {
    let (directory, _) = store().await;
    let (faults, checked) = faults(directory.path());
    assert_eq!(faults, []);
    let all = Checked { conversations: 2, entries: 9, values: 1, audit_rows: 2, blobs: 1 };
    assert_eq!(checked, all);
}

#[tokio::test]
async fn a_store_is_checked_as_it_lies_after_a_crash() {
    let (directory, _) = store().await;
    let sqlite = SqliteStore::open(directory.path()).unwrap();
    let acme = sqlite.store().tenant(&"acme".into());
    acme.accept(&key("c"), vec![arrival("1")]).await.unwrap();
    let Err(error) = check(directory.path(), &mut |_| ()) else { panic!("it is in use") };
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");

    // What a crash leaves behind: the log still holds the newest entry.
    let copy = tempfile::tempdir().unwrap();
    for name in ["botyard.db", "botyard.db-wal"] {
        fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let (faults, checked) = faults(copy.path());
    assert_eq!((faults, checked.conversations), (vec![], 3));
}

#[test]
fn where_no_store_is_none_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let Err(error) = check(directory.path(), &mut |_| ()) else { panic!("there is no store") };
    assert!(error.to_string().contains("holds no store"), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn rows_that_disagree_with_entries_are_named() {
    let columns = [
        ("last = 9", "last = 9, its entries add up to 6"),
        ("accepted = 1", "accepted = 1, its entries add up to 2"),
        ("turn = 4", "turn = 4, its entries add up to 6"),
        ("turn_id = 'x'", "turn_id = x, its entries add up to t2"),
        ("base = 1", "base = 1, its entries add up to 5"),
        ("watermark = 1", "watermark = 1, its entries add up to 5"),
        ("due_ms = 9", "due_ms = 9, its entries add up to 700"),
        ("due_ms = NULL", "due_ms = never, its entries add up to 700"),
        ("active_ms = 999", "active_ms = 999, its entries add up to 2000"),
        ("minute = 7", "minute = 7, its entries add up to 0"),
        ("turns = 7", "turns = 7, its entries add up to 2"),
        ("owner = 'human'", "owner = human, its entries add up to bot"),
    ];
    for (column, fault) in columns {
        let expected = format!("conversation acme/web/a: its row says {fault}");
        says(&format!("UPDATE conversation SET {column} WHERE vendor_key = 'a'"), &expected).await;
    }
}

#[tokio::test]
async fn damaged_entries_are_named() {
    let entry = |change: &str, place: u64| {
        format!("UPDATE entry SET {change} WHERE conversation = 1 AND seq = {place}")
    };
    let value = |from: &str, to: &str, place: u64| {
        let cast = format!("CAST(replace(CAST(value AS TEXT), '{from}', '{to}') AS BLOB)");
        entry(&format!("value = {cast}"), place)
    };
    says("DELETE FROM entry WHERE conversation = 1 AND seq = 3", "entry 3 is missing").await;
    says(&entry("value = x'7b'", 2), "acme/web/a, entry 2: stored data is damaged").await;
    says(&entry("kind = 2", 1), "entry 1: its row says kind 2, it is an accepted event").await;
    says(&entry("kind = 7", 5), "entry 5: its row says kind 7, it is a settlement").await;
    says(&entry("conversation = 99", 6), "entry 6 of conversation row 99 belongs to no").await;
    let turns = [
        ("\"previous\":4", "\"previous\":3", "does not follow the turn before it"),
        ("\"base\":5", "\"base\":6", "has a snapshot of another place"),
        ("\"watermark\":5", "\"watermark\":6", "consumes events that its snapshot"),
        ("\"watermark\":5", "\"watermark\":0", "gives back events that were consumed"),
        ("\"id\":\"t2\"", "\"id\":\"t1\"", "is written twice"),
    ];
    for (from, to, fault) in turns {
        says(&value(from, to, 6), &format!("acme/web/a, entry 6: the turn {fault}")).await;
    }
}

#[tokio::test]
async fn damage_beside_the_conversations_is_named() {
    says("UPDATE bot SET bytes = 3", "bot lead of acme: its values have 10 bytes, 3 are").await;
    says("DELETE FROM bot", "value käse of bot row 1 belongs to no bot").await;
    let tampered = "DROP TRIGGER audit_keeps_rows; UPDATE audit SET actor = 'x' WHERE seq = 2";
    says(tampered, "row 2 of the audit of acme was tampered with").await;
    let cut = "DROP TRIGGER audit_loses_no_rows; DELETE FROM audit WHERE seq = 1";
    says(cut, "row 1 of the audit of acme").await;

    says("UPDATE note SET value = '{'", "note acme/usage/h1 is damaged").await;
    let sum = "notes acme/usage: they are 1 with 11 bytes";
    says("UPDATE note_sum SET notes = 2", &format!("{sum}, 2 with 11 are on record")).await;
    says("UPDATE note_sum SET bytes = 3", &format!("{sum}, 1 with 3 are on record")).await;
    says("DELETE FROM note_sum", &format!("{sum}, 0 with 0 are on record")).await;
    for (part, its) in [("entry", "entries"), ("record", "records"), ("audit", "rows of the audit")]
    {
        let weight = format!("UPDATE weight SET bytes = bytes + 1 WHERE part = '{part}'");
        says(&weight, &format!("tenant acme: its {its} take")).await;
    }
    says("DELETE FROM weight", "bytes, 0 are on record").await;
    let remains = "UPDATE conversation SET floor = 2 WHERE vendor_key = 'a'";
    says(remains, "conversation acme/web/a: 2 rows that should be gone are still there").await;
    let filed = "UPDATE entry SET bot = 99 WHERE conversation = 1 AND seq = 6";
    says(filed, "acme/web/a, entry 6: the turn is filed under another bot or time").await;
    let early = "UPDATE entry SET at_ms = 999 WHERE conversation = 2 AND kind = 3";
    says(early, "acme/web/b, entry 1: the turn is filed under another bot or time").await;

    let letter = "conversation acme/web/a, part t1.0.0: as a dead letter it is filed under";
    says("DELETE FROM dead_letter", &format!("{letter} no settlement, its entries say")).await;
    let misfiled = "UPDATE dead_letter SET seq = 1";
    says(misfiled, &format!("{letter} settlement 1, its entries say settlement 5")).await;
    let other = "UPDATE dead_letter SET tenant = 'other'";
    says(other, "dead letter t1.0.0 belongs to no conversation of its tenant").await;

    let (directory, blob) = store().await;
    let digits = blob.to_string();
    let path = directory.path().join("blobs").join(&digits[..2]).join(&digits[2..]);
    fs::write(&path, b"other").unwrap();
    let why = "its 5 bytes are other ones than its name says".to_owned();
    assert_eq!(faults(directory.path()).0, [Fault::Blob { name: digits, why }]);
}

#[tokio::test]
async fn a_damaged_file_is_named() {
    // A conversation that is due and missing in the index of those.
    let index = "DROP INDEX conversation_due;
        CREATE INDEX conversation_due ON conversation (due_ms, id) WHERE due_ms > 800;
        PRAGMA writable_schema = 1;
        UPDATE sqlite_schema SET sql = replace(sql, 'due_ms > 800', 'due_ms IS NOT NULL')
        WHERE name = 'conversation_due'";
    says(index, "missing from index conversation_due").await;

    let (directory, _) = store().await;
    let file = directory.path().join("botyard.db");
    let database = Connection::open(&file).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'entry_place'";
    let root: u32 = database.query_row(root, [], |row| row.get(0)).unwrap();
    drop(database);
    let mut bytes = fs::read(&file).unwrap();
    let page = (root as usize - 1) * 4096;
    bytes[page..page + 64].fill(0xff);
    fs::write(&file, bytes).unwrap();
    let (faults, _) = faults(directory.path());
    assert!(matches!(faults[0], Fault::Structure(_)), "{faults:#?}");
}
