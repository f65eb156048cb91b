use std::collections::BTreeMap;

use botyard_kernel::log::{Settled, Turn};
use botyard_kernel::run::KvChange;
use serde_json::json;

use super::given::{arrival, key, key_of, row, set, settled, stamp, turn, write};
use crate::{AuditRow, Cause, Store, TenantStore, Weight, limits};

/// What the entries of a conversation take as they are written.
async fn written(store: &TenantStore, name: &str) -> u64 {
    let entries = store.read(&key(name), 0, 1_000).await.unwrap().into_iter();
    entries.map(|(_, entry)| limits::entry(&entry).unwrap().len() as u64).sum()
}

async fn told(store: &TenantStore) -> u64 {
    store.audit(0, 1_000).await.unwrap().iter().map(|row| AuditRow::bytes(row) as u64).sum()
}

pub(super) async fn what_a_tenant_keeps_is_known(store: Store) {
    let other = key_of("other", "a");
    store.tenant(&other.tenant).accept(&other, vec![arrival("1")]).await.unwrap();
    let acme = super::acme(&store);
    assert_eq!(acme.weigh().await, Ok(Weight::default()), "what another tenant has is not its");

    acme.accept(&key("a"), vec![arrival("1"), arrival("2")]).await.unwrap();
    let writes = vec![set("käse", "gouda"), write("sum", KvChange::Add(41))];
    let first = Turn { bot_writes: writes, ..turn("t1", 0, 2) };
    acme.commit(&key("a"), &first).await.unwrap();
    acme.commit(&key("b"), &Turn { bot: "silent".into(), ..turn("t1", 0, 0) }).await.unwrap();
    let dead = Settled { dead_letters: vec![row("r")], ..settled("r", None) };
    acme.settle(&key("a"), &dead).await.unwrap();
    acme.put("bot", "lead", &json!({"first": 1}), &stamp(1)).await.unwrap();
    acme.put("bot", "lead", &json!({}), &stamp(2)).await.unwrap();
    acme.note_put("usage", "h1", &json!({"turns": 1}), Some(9)).await.unwrap();
    acme.note_put("told", "x", &json!([]), None).await.unwrap();
    let weight = Weight {
        conversations: written(&acme, "a").await + written(&acme, "b").await,
        values: BTreeMap::from([("lead".into(), 5 + 5 + 3 + 2)]),
        records: 4 + 2,
        audit: told(&acme).await,
        notes: 11 + 2,
    };
    assert_eq!(acme.weigh().await, Ok(weight.clone()));
    assert!(weight.conversations > 1_000 && weight.audit > 200, "{weight:?}");
    let parts = [weight.conversations, 15, weight.records, weight.audit, weight.notes];
    assert_eq!(weight.sum(), parts.iter().sum::<u64>());
}

pub(super) async fn what_goes_weighs_nothing(store: Store) {
    let (acme, host) = (super::acme(&store), store.host());
    acme.accept(&key("a"), vec![arrival("1")]).await.unwrap();
    let writes = vec![set("a", "b"), set("c", "d")];
    acme.commit(&key("a"), &Turn { bot_writes: writes, ..turn("t1", 0, 1) }).await.unwrap();
    acme.put("bot", "lead", &json!(1), &stamp(1)).await.unwrap();
    acme.put("bot", "other", &json!(1), &stamp(1)).await.unwrap();
    acme.note_put("usage", "h1", &json!(1), Some(9)).await.unwrap();

    acme.erase(&key("a"), Cause::Person, &stamp(5_000)).await.unwrap();
    acme.delete("bot", "lead", &stamp(2)).await.unwrap();
    acme.note_delete("usage", "h1").await.unwrap();
    let weight = acme.weigh().await.unwrap();
    assert_eq!(weight.conversations, written(&acme, "a").await, "a tombstone is left");
    assert_eq!((weight.records, weight.notes), (6, 0));
    while acme.forget_bot_values(&"lead".into()).await.unwrap() > 0 {}
    assert_eq!(acme.weigh().await.unwrap().values, BTreeMap::new());
    host.delete_tenant(&"acme".into(), &stamp(3), |_| ()).await.unwrap();
    let audit = told(&acme).await;
    assert_eq!(acme.weigh().await, Ok(Weight { audit, ..Weight::default() }), "that stays");
}
