use serde_json::json;

use super::given::stamp;
use crate::limits::{NOTE_BYTES_MAX, SWEEP_ROWS_MAX};
use crate::{NotesSize, Record, Store, StoreError};

fn record(name: &str, value: serde_json::Value) -> Record {
    Record { name: name.to_owned(), value }
}

pub(super) async fn notes_come_back_until_they_end(store: Store) {
    let (acme, other) = (store.tenant(&"acme".into()), store.tenant(&"other".into()));
    acme.note_put("operation", "a", &json!({"z": 1, "a": [null]}), Some(100)).await.unwrap();
    acme.note_put("operation", "b", &json!(2), None).await.unwrap();
    other.note_put("operation", "a", &json!(3), None).await.unwrap();

    assert_eq!(acme.note_get("operation", "a", 99).await, Ok(Some(json!({"z": 1, "a": [null]}))));
    assert_eq!(acme.note_get("operation", "a", 100).await, Ok(None));
    assert_eq!(acme.note_get("operation", "b", u64::MAX).await, Ok(Some(json!(2))));
    assert_eq!(acme.note_get("usage", "b", 0).await, Ok(None));
    // Put again, it ends when the new one says.
    acme.note_put("operation", "a", &json!(4), None).await.unwrap();
    assert_eq!(acme.note_get("operation", "a", 100).await, Ok(Some(json!(4))));

    assert_eq!(acme.note_delete("operation", "a").await, Ok(true));
    assert_eq!(acme.note_delete("operation", "a").await, Ok(false));
    assert_eq!(other.note_get("operation", "a", 0).await, Ok(Some(json!(3))));
    assert_eq!(acme.audit(0, 10).await, Ok(vec![]), "notes leave no audit");
}

pub(super) async fn of_many_new_notes_one_is_put(store: Store) {
    let acme = store.tenant(&"acme".into());
    let put = async |n: u64, now| {
        acme.note_put_new("request", "k", &json!(n), Some(100), now).await.unwrap()
    };
    let answers = tokio::join!(put(1, 1), put(2, 1), put(3, 1));
    let answers = [answers.0, answers.1, answers.2];
    assert_eq!(answers.iter().filter(|answer| answer.is_none()).count(), 1);
    let kept = acme.note_get("request", "k", 1).await.unwrap();
    assert!(answers.iter().flatten().all(|answer| Some(answer) == kept.as_ref()), "{answers:?}");
    // When its time is over, it is as if it had never been.
    assert_eq!(put(4, 99).await, kept);
    assert_eq!(put(5, 100).await, None);
    assert_eq!(acme.note_get("request", "k", 99).await, Ok(Some(json!(5))));
}

pub(super) async fn notes_are_weighed_by_kind_and_tenant(store: Store) {
    let (acme, other) = (store.tenant(&"acme".into()), store.tenant(&"other".into()));
    assert_eq!(acme.note_size("key").await, Ok(NotesSize::default()));
    // Bytes as they are written, and not characters.
    acme.note_put("key", "a", &json!("äö"), Some(70)).await.unwrap();
    acme.note_put("key", "b", &json!([1, 2]), Some(50)).await.unwrap();
    acme.note_put("key", "c", &json!(7), None).await.unwrap();
    acme.note_put("usage", "a", &json!("other"), Some(1)).await.unwrap();
    other.note_put("key", "a", &json!("theirs"), Some(1)).await.unwrap();
    let size = NotesSize { count: 3, bytes: 6 + 5 + 1, ends_ms: Some(50) };
    assert_eq!(acme.note_size("key").await, Ok(size));
    // What is over takes its room until it is swept away.
    store.host().sweep_notes(60).await.unwrap();
    let left = NotesSize { count: 2, bytes: 6 + 1, ends_ms: Some(70) };
    assert_eq!(acme.note_size("key").await, Ok(left));
}

/// However a note comes, changes or goes, its weight is known.
pub(super) async fn weights_of_notes_follow_every_change(store: Store) {
    let (acme, host) = (store.tenant(&"acme".into()), store.host());
    let size = async || acme.note_size("k").await.unwrap();
    let of = |count, bytes, ends_ms| NotesSize { count, bytes, ends_ms };
    acme.note_put("k", "a", &json!("long text"), Some(50)).await.unwrap();
    assert_eq!(size().await, of(1, 11, Some(50)));
    acme.note_put("k", "a", &json!("t"), None).await.unwrap();
    assert_eq!(size().await, of(1, 3, None), "another takes its place");
    acme.note_add("k", "sum", &[("n", 9)], Some(90), 0).await.unwrap();
    assert_eq!(size().await, of(2, 3 + 7, Some(90)));
    acme.note_add("k", "sum", &[("n", 1)], Some(95), 0).await.unwrap();
    assert_eq!(size().await, of(2, 3 + 8, Some(95)));
    // What is there keeps a new one out, and what is over makes room for it.
    acme.note_put_new("k", "sum", &json!(1), Some(99), 94).await.unwrap();
    assert_eq!(size().await, of(2, 3 + 8, Some(95)));
    acme.note_put_new("k", "sum", &json!(1), Some(99), 95).await.unwrap();
    assert_eq!(size().await, of(2, 3 + 1, Some(99)));
    // What is refused changes nothing.
    acme.note_put("k", "a", &json!("x".repeat(NOTE_BYTES_MAX)), Some(1)).await.unwrap_err();
    assert_eq!(size().await, of(2, 3 + 1, Some(99)));
    acme.note_delete("k", "none").await.unwrap();
    acme.note_delete("k", "a").await.unwrap();
    assert_eq!(size().await, of(1, 1, Some(99)));
    host.sweep_notes(99).await.unwrap();
    assert_eq!(size().await, NotesSize::default());
    acme.note_put("k", "b", &json!(1), Some(5)).await.unwrap();
    host.drop_records(&"acme".into(), &stamp(1)).await.unwrap();
    assert_eq!(size().await, NotesSize::default());
}

pub(super) async fn notes_are_listed_page_by_page(store: Store) {
    for (tenant, name) in [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1"), ("c", "1")] {
        let store = store.tenant(&tenant.into());
        let value = json!(format!("{tenant}{name}"));
        store.note_put("usage", name, &value, (name == "2").then_some(50)).await.unwrap();
        store.note_put("other", name, &value, None).await.unwrap();
    }
    let (a, host) = (store.tenant(&"a".into()), store.host());
    let names = async |after, limit, now| {
        let found = a.note_list("usage", after, limit, now).await.unwrap();
        found.into_iter().map(|record| record.name).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 2, 49).await, ["1", "2"]);
    assert_eq!(names(Some("2"), 2, 49).await, ["3"]);
    assert_eq!(names(None, 9, 50).await, ["1", "3"]);
    let first = host.notes("usage", None, 2, 0).await.unwrap();
    let expected = [("a".into(), record("1", json!("a1"))), ("a".into(), record("2", json!("a2")))];
    assert_eq!(first, expected);
    let rest = host.notes("usage", Some((&"a".into(), "3")), 9, 0).await.unwrap();
    let expected = [("b".into(), record("1", json!("b1"))), ("c".into(), record("1", json!("c1")))];
    assert_eq!(rest, expected);
}

pub(super) async fn additions_are_all_counted(store: Store) {
    let acme = store.tenant(&"acme".into());
    let add = async |fields: &[(&str, i64)]| {
        acme.note_add("usage", "h1", fields, Some(100), 1).await.unwrap();
    };
    let turns = [("turns", 1), ("cpu_us", 20)];
    tokio::join!(add(&turns), add(&turns), add(&[("turns", 1)]), add(&[("sent", -1)]));
    let sum = json!({"turns": 3, "cpu_us": 40, "sent": -1});
    assert_eq!(acme.note_get("usage", "h1", 99).await, Ok(Some(sum)));
    // Behind its end it starts again.
    acme.note_add("usage", "h1", &[("turns", 5)], Some(300), 200).await.unwrap();
    assert_eq!(acme.note_get("usage", "h1", 200).await, Ok(Some(json!({"turns": 5}))));
}

pub(super) async fn ended_notes_are_swept_in_steps(store: Store) {
    let (acme, host) = (store.tenant(&"acme".into()), store.host());
    for n in 0..SWEEP_ROWS_MAX + 2 {
        acme.note_put("request", &n.to_string(), &json!(n), Some(10)).await.unwrap();
    }
    acme.note_put("request", "later", &json!(0), Some(11)).await.unwrap();
    acme.note_put("request", "ever", &json!(0), None).await.unwrap();
    assert_eq!(host.sweep_notes(9).await, Ok(0));
    assert_eq!(host.sweep_notes(10).await, Ok(SWEEP_ROWS_MAX));
    assert_eq!(host.sweep_notes(10).await, Ok(2));
    assert_eq!(host.sweep_notes(10).await, Ok(0));
    let left = acme.note_list("request", None, 9, 0).await.unwrap();
    assert_eq!(left, [record("ever", json!(0)), record("later", json!(0))]);
}

pub(super) async fn a_large_note_is_refused(store: Store) {
    let acme = store.tenant(&"acme".into());
    let large = json!("x".repeat(NOTE_BYTES_MAX));
    let put = acme.note_put("request", "k", &large, None).await;
    let new = acme.note_put_new("request", "k", &large, None, 0).await.map(drop);
    let field = "x".repeat(NOTE_BYTES_MAX);
    let added = acme.note_add("request", "k", &[(&field, 1)], None, 0).await;
    for refused in [put, new, added] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StoreError::TooLarge { what: "a note", .. }), "{refused}");
    }
    assert_eq!(acme.note_get("request", "k", 0).await, Ok(None));
}
