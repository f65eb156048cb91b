use std::time::Duration;

use botyard_kernel::id::{Digest, TenantId};
use serde_json::json;

use super::given::stamp;
use crate::catalog::verify;
use crate::limits::RECORD_BYTES_MAX;
use crate::{Record, Store, StoreError};

fn record(name: &str, value: serde_json::Value) -> Record {
    Record { name: name.to_owned(), value }
}

pub(super) async fn records_come_back(store: Store) {
    let (acme, other) = (store.tenant(&"acme".into()), store.tenant(&"other".into()));
    acme.put("bot", "lead", &json!({"v": 1}), &stamp(1)).await.unwrap();
    acme.put("bot", "lead", &json!({"z": 1, "a": [null]}), &stamp(2)).await.unwrap();
    acme.put("bot", "aged", &json!("text"), &stamp(3)).await.unwrap();
    acme.put("channel", "lead", &json!(1), &stamp(4)).await.unwrap();
    other.put("bot", "lead", &json!(2), &stamp(5)).await.unwrap();

    let lead = json!({"z": 1, "a": [null]});
    assert_eq!(acme.get("bot", "lead").await, Ok(Some(lead.clone())));
    assert_eq!(acme.get("bot", "none").await, Ok(None));
    assert_eq!(other.get("channel", "lead").await, Ok(None));
    let bots = vec![record("aged", json!("text")), record("lead", lead)];
    assert_eq!(acme.list("bot").await, Ok(bots.clone()));

    let all = store.host().list_all("bot").await.unwrap();
    let mut expected: Vec<_> = bots.into_iter().map(|one| (TenantId::from("acme"), one)).collect();
    expected.push(("other".into(), record("lead", json!(2))));
    assert_eq!(all, expected);

    assert_eq!(acme.delete("bot", "lead", &stamp(6)).await, Ok(()));
    assert_eq!(acme.delete("bot", "lead", &stamp(7)).await, Err(StoreError::NotFound));
    assert_eq!(acme.get("bot", "lead").await, Ok(None));
    assert_eq!(other.get("bot", "lead").await, Ok(Some(json!(2))));
}

pub(super) async fn a_record_is_replaced_by_whoever_knows_it(store: Store) {
    let acme = store.tenant(&"acme".into());
    let (one, two) = (json!({"z": 1, "a": 2}), json!({"a": 3}));
    assert_eq!(acme.replace("upkeep", "shop", Some(&one), &two, &stamp(1)).await, Ok(false));
    assert_eq!(acme.replace("upkeep", "shop", None, &one, &stamp(2)).await, Ok(true));
    assert_eq!(acme.replace("upkeep", "shop", None, &two, &stamp(3)).await, Ok(false));
    // As it came back from the store, whatever the order of its keys.
    let read = acme.get("upkeep", "shop").await.unwrap();
    assert_eq!(acme.replace("upkeep", "shop", read.as_ref(), &two, &stamp(4)).await, Ok(true));
    assert_eq!(acme.replace("upkeep", "shop", Some(&one), &one, &stamp(5)).await, Ok(false));
    let other = store.tenant(&"other".into());
    assert_eq!(other.replace("upkeep", "shop", Some(&two), &one, &stamp(6)).await, Ok(false));
    assert_eq!(acme.get("upkeep", "shop").await, Ok(Some(two)));
    assert_eq!(acme.verify_audit().await, Ok(2));
}

pub(super) async fn every_change_leaves_a_row(store: Store) {
    let acme = store.tenant(&"acme".into());
    assert_eq!(acme.verify_audit().await, Ok(0));
    acme.put("bot", "lead", &json!(1), &stamp(1)).await.unwrap();
    store.tenant(&"other".into()).put("bot", "x", &json!(1), &stamp(2)).await.unwrap();
    acme.delete("bot", "lead", &stamp(3)).await.unwrap();
    acme.delete("bot", "lead", &stamp(4)).await.unwrap_err();

    let rows = acme.audit(0, 10).await.unwrap();
    let said: Vec<_> = rows.iter().map(|r| (r.seq, r.at_ms, &*r.action, &*r.name)).collect();
    assert_eq!(said, [(1, 1, "put", "lead"), (2, 3, "delete", "lead")]);
    assert_eq!(rows[0].digest, Some(Digest::of(b"1")));
    assert_eq!(rows[1].digest, None);
    assert_eq!(rows[1].previous, rows[0].hash);
    assert_eq!(acme.audit(1, 10).await.unwrap(), rows[1..]);
    assert_eq!(acme.verify_audit().await, Ok(2));
}

pub(super) async fn a_changed_row_is_found(store: Store) {
    let tenant = TenantId::from("acme");
    let acme = store.tenant(&tenant);
    for n in 1..=4 {
        acme.put("bot", "lead", &json!(n), &stamp(n)).await.unwrap();
    }
    let rows = acme.audit(0, 10).await.unwrap();
    assert_eq!(verify(&tenant, None, &rows).unwrap().unwrap().0, 4);

    let mut changed = rows.clone();
    changed[1].actor = "nobody".to_owned();
    let mut short = rows.clone();
    short.remove(1);
    let mut swapped = rows;
    swapped.swap(1, 2);
    for tampered in [changed, short, swapped] {
        let error = verify(&tenant, None, &tampered).unwrap_err();
        assert!(error.to_string().contains("row 2 of the audit"), "{error}");
    }
}

pub(super) async fn a_large_record_is_refused(store: Store) {
    let acme = store.tenant(&"acme".into());
    let large = json!("x".repeat(RECORD_BYTES_MAX));
    let error = acme.put("bot", "lead", &large, &stamp(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { what: "a record", .. }), "{error}");
    assert_eq!(acme.audit(0, 10).await, Ok(vec![]));
}

pub(super) async fn blobs_are_kept_by_their_hash(store: Store) {
    let host = store.host();
    let bytes = vec![0, 1, 2, 255];
    let digest = Digest::of(&bytes);
    assert_eq!(host.has_blob(&digest).await, Ok(false));
    assert_eq!(host.blob(&digest).await, Ok(None));
    assert_eq!(host.put_blob(bytes.clone()).await, Ok(digest));
    assert_eq!(host.put_blob(bytes.clone()).await, Ok(digest));
    assert_eq!(host.has_blob(&digest).await, Ok(true));
    assert_eq!(host.blob(&digest).await, Ok(Some(bytes)));
    assert_eq!(host.put_blob(vec![]).await, Ok(Digest::of(b"")));
    assert_eq!(host.blob(&Digest::of(b"")).await, Ok(Some(vec![])));
}

pub(super) async fn blobs_that_nobody_needs_are_swept(store: Store) {
    let host = store.host();
    let kept = host.put_blob(b"needed".to_vec()).await.unwrap();
    let old = host.put_blob(b"old".to_vec()).await.unwrap();
    let sweep = async |unused_for| host.sweep_blobs([kept].into(), unused_for).await.unwrap();
    assert_eq!(sweep(Duration::from_secs(3_600)).await, 0, "whoever put it may yet write it down");
    assert_eq!(host.has_blob(&old).await, Ok(true));
    assert_eq!(sweep(Duration::ZERO).await, 1);
    assert_eq!(host.has_blob(&old).await, Ok(false));
    assert_eq!(host.blob(&kept).await, Ok(Some(b"needed".to_vec())));
    assert_eq!(sweep(Duration::ZERO).await, 0);
}
