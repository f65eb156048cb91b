use serde_json::{Value, json};

use super::given::{key_of, set, stamp, turn};
use crate::limits::{CHANGES_MAX, SWEEP_ROWS_MAX};
use crate::{Change, ChangeTo, OPERATOR, Store, StoreError, Which};
use botyard_kernel::log::Turn;

fn change(kind: &str, name: &str, to: ChangeTo) -> Change {
    Change { kind: kind.to_owned(), name: name.to_owned(), to }
}

fn replace(old: Option<Value>, new: Value) -> ChangeTo {
    ChangeTo::Replace { old, new }
}

pub(super) async fn several_records_change_at_once(store: Store) {
    let acme = store.tenant(&"acme".into());
    let changes = [
        change("version", "lead.1", ChangeTo::Put(json!({"size": 1}))),
        change("deployment", "lead", replace(None, json!("1"))),
        // A change sees those before it.
        change("deployment", "lead", replace(Some(json!("1")), json!("2"))),
        change("bot", "old", ChangeTo::Put(json!(0))),
        change("bot", "old", ChangeTo::Delete),
    ];
    assert_eq!(acme.change(&changes, &stamp(1)).await, Ok(true));
    assert_eq!(acme.get("version", "lead.1").await, Ok(Some(json!({"size": 1}))));
    assert_eq!(acme.get("deployment", "lead").await, Ok(Some(json!("2"))));
    assert_eq!(acme.get("bot", "old").await, Ok(None));
    let rows = acme.audit(0, 10).await.unwrap();
    let said: Vec<_> = rows.iter().map(|row| (&*row.action, &*row.kind, &*row.name)).collect();
    let put = "put";
    let expected = [
        (put, "version", "lead.1"),
        (put, "deployment", "lead"),
        (put, "deployment", "lead"),
        (put, "bot", "old"),
        ("delete", "bot", "old"),
    ];
    assert_eq!(said, expected);
    assert_eq!(acme.verify_audit().await, Ok(5));
}

pub(super) async fn changes_are_made_whole_or_not_at_all(store: Store) {
    let acme = store.tenant(&"acme".into());
    acme.put("deployment", "lead", &json!("1"), &stamp(1)).await.unwrap();
    let put = change("version", "lead.2", ChangeTo::Put(json!(2)));
    let late = change("deployment", "lead", replace(Some(json!("0")), json!("2")));
    let missing = change("bot", "none", ChangeTo::Delete);
    let large = change("bot", "large", ChangeTo::Put(json!("x".repeat(512 * 1024))));
    let many = vec![put.clone(); CHANGES_MAX + 1];

    assert_eq!(acme.change(&[put.clone(), late], &stamp(2)).await, Ok(false));
    let gone = acme.change(&[put.clone(), missing], &stamp(3)).await;
    assert_eq!(gone, Err(StoreError::NotFound));
    let refused = acme.change(&[put.clone(), large], &stamp(4)).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge { .. }), "{refused}");
    let refused = acme.change(&many, &stamp(5)).await.unwrap_err();
    assert_eq!(refused, StoreError::TooMany { count: CHANGES_MAX + 1, max: CHANGES_MAX });
    assert_eq!(acme.get("version", "lead.2").await, Ok(None));
    assert_eq!(acme.verify_audit().await, Ok(1));
    assert_eq!(acme.change(&[put], &stamp(6)).await, Ok(true));
    assert_eq!(acme.change(&[], &stamp(7)).await, Ok(true));
    assert_eq!(acme.verify_audit().await, Ok(2));
}

pub(super) async fn records_are_listed_page_by_page(store: Store) {
    let acme = store.tenant(&"acme".into());
    for name in ["lead.1", "lead.2", "lead.3", "leader.1", "lead_1", "a"] {
        acme.put("version", name, &json!(name), &stamp(1)).await.unwrap();
        store.tenant(&"other".into()).put("version", name, &json!(0), &stamp(1)).await.unwrap();
        acme.put("bot", name, &json!(0), &stamp(1)).await.unwrap();
    }
    let page = async |prefix, after, limit| {
        let found = acme.page("version", prefix, after, limit).await.unwrap();
        assert!(found.iter().all(|record| record.value == json!(record.name)));
        found.into_iter().map(|record| record.name).collect::<Vec<_>>()
    };
    assert_eq!(page("lead.", None, 2).await, ["lead.1", "lead.2"]);
    assert_eq!(page("lead.", Some("lead.2"), 2).await, ["lead.3"]);
    assert_eq!(page("lead.", Some("lead.3"), 2).await, [""; 0]);
    assert_eq!(page("", None, 3).await, ["a", "lead.1", "lead.2"]);
    assert_eq!(page("", Some("lead.3"), 9).await, ["lead_1", "leader.1"]);
    // What means something to a search of an engine means itself.
    assert_eq!(page("%", None, 9).await, [""; 0]);
    assert_eq!(page("lead_", None, 9).await, ["lead_1"]);
    acme.delete("version", "a", &stamp(2)).await.unwrap();
    assert_eq!((acme.count("version").await, acme.count("bot").await), (Ok(5), Ok(6)));
    assert_eq!(acme.count("channel").await, Ok(0));
}

pub(super) async fn tenants_are_those_with_records(store: Store) {
    let host = store.host();
    assert_eq!(host.tenants().await, Ok(vec![]));
    for tenant in ["b", "a", "c"] {
        store.tenant(&tenant.into()).put("bot", "x", &json!(0), &stamp(1)).await.unwrap();
        store.tenant(&tenant.into()).put("token", "x", &json!(0), &stamp(1)).await.unwrap();
    }
    store.tenant(&"c".into()).delete("bot", "x", &stamp(2)).await.unwrap();
    store.tenant(&"a".into()).delete("bot", "x", &stamp(2)).await.unwrap();
    store.tenant(&"a".into()).delete("token", "x", &stamp(2)).await.unwrap();
    assert_eq!(host.tenants().await, Ok(vec!["b".into(), "c".into()]));
}

pub(super) async fn a_tenant_is_deleted_whole(store: Store) {
    let count = SWEEP_ROWS_MAX + 10;
    for tenant in ["acme", "other"] {
        let view = store.tenant(&tenant.into());
        for n in 0..count {
            view.put("version", &n.to_string(), &json!(n), &stamp(1)).await.unwrap();
        }
        view.note_put("usage", "h", &json!({}), None).await.unwrap();
        for n in 0..3 {
            let key = key_of(tenant, &n.to_string());
            let bot_writes = vec![set(&n.to_string(), "v")];
            view.commit(&key, &Turn { bot_writes, ..turn("t1", 0, 0) }).await.unwrap();
        }
    }
    // Whoever has its name after its records are dropped would get its conversations.
    let host = store.host();
    assert_eq!(host.keeps_any(&"acme".into(), 9).await, Ok(true));
    let dropped = store.tenant(&"dropped".into());
    dropped.put("bot", "b", &json!(1), &stamp(1)).await.unwrap();
    dropped.note_put("usage", "h", &json!({}), None).await.unwrap();
    dropped.commit(&key_of("dropped", "1"), &turn("t1", 0, 0)).await.unwrap();
    host.drop_records(&"dropped".into(), &stamp(2)).await.unwrap();
    assert_eq!(dropped.list("bot").await, Ok(vec![]));
    assert_eq!(dropped.note_get("usage", "h", 0).await, Ok(None));
    assert_eq!(host.keeps_any(&"dropped".into(), 9).await, Ok(true));
    host.delete_tenant(&"dropped".into(), &stamp(2), |_| ()).await.unwrap();
    assert_eq!(host.keeps_any(&"dropped".into(), 9).await, Ok(false));
    host.delete_tenant(&"acme".into(), &stamp(2), |_| ()).await.unwrap();
    assert_eq!(host.keeps_any(&"acme".into(), 9).await, Ok(false));
    // A note is enough: what it tells of was somebody else's.
    let noted = store.tenant(&"noted".into());
    noted.note_put("usage", "h", &json!({}), Some(10)).await.unwrap();
    assert_eq!(host.keeps_any(&"noted".into(), 9).await, Ok(true));
    assert_eq!(host.keeps_any(&"noted".into(), 10).await, Ok(false));
    assert_eq!(host.keeps_any(&"unnoted".into(), 9).await, Ok(false));

    let gone = store.tenant(&"acme".into());
    assert_eq!(gone.list("version").await, Ok(vec![]));
    assert_eq!(gone.note_get("usage", "h", 0).await, Ok(None));
    assert_eq!(gone.channels().await, Ok(vec![]));
    assert_eq!(gone.bot_value(&"lead".into(), "1").await, Ok(None));
    assert_eq!(gone.bot_turns(&"lead".into(), 0, None, 9).await, Ok(vec![]));
    assert_eq!(gone.verify_audit().await, Ok(2 * count as u64), "its audit stays");
    assert_eq!(store.host().tenants().await, Ok(vec!["other".into()]));
    let said = store.tenant(&OPERATOR.into()).audit(0, 9).await.unwrap();
    let said: Vec<_> = said.iter().map(|row| (&*row.action, &*row.kind, &*row.name)).collect();
    assert_eq!(said, [("delete", "tenant", "dropped"), ("delete", "tenant", "acme")]);

    let other = store.tenant(&"other".into());
    assert_eq!(other.list("version").await.unwrap().len(), count);
    assert_eq!(other.conversations(Which::default(), None, 9).await.unwrap().len(), 3);
    assert_eq!(other.bot_value(&"lead".into(), "1").await, Ok(Some("v".to_owned())));
    let lead = "lead".into();
    assert_eq!(gone.forget_bot_values(&lead).await, Ok(0), "another tenant's stay");
    assert_eq!(other.forget_bot_values(&lead).await, Ok(3));
    assert_eq!(other.forget_bot_values(&lead).await, Ok(0));
    assert_eq!(other.bot_value(&lead, "1").await, Ok(None));
    let bot_writes = vec![set("1", "new")];
    let next = Turn { bot_writes, ..turn("t2", 1, 0) };
    other.commit(&key_of("other", "0"), &next).await.unwrap();
    assert_eq!(other.bot_value(&lead, "1").await, Ok(Some("new".to_owned())));
    // Cut off, it is done again.
    store.host().delete_tenant(&"acme".into(), &stamp(3), |_| ()).await.unwrap();
}
