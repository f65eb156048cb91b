use botyard_kernel::log::Turn;
use botyard_kernel::run::{KvChange, KvScope, KvWrite};

use super::acme;
use super::given::{key, key_of, set, turn, write};
use crate::limits::BOT_VALUES_BYTES_MAX;
use crate::{Commit, Store};

pub(super) async fn writes_take_effect_in_order(store: Store) {
    let store = acme(&store);
    let bot_writes = vec![
        set("name", "Ada"),
        set("name", "Grace"),
        write("count", KvChange::Add(2)),
        write("count", KvChange::Add(40)),
        set("gone", "x"),
        write("gone", KvChange::Delete),
        write("name", KvChange::Add(1)),
        KvWrite { scope: KvScope::Conversation, ..set("elsewhere", "x") },
    ];
    let first = Turn { bot_writes, ..turn("t1", 0, 0) };
    store.commit(&key("a"), &first).await.unwrap();
    // Written again, it adds nothing again.
    store.commit(&key("a"), &first).await.unwrap();
    let bot_writes = vec![write("count", KvChange::Add(-2))];
    store.commit(&key("b"), &Turn { bot_writes, ..turn("t1", 0, 0) }).await.unwrap();

    let expected =
        [("name", Some("Grace")), ("count", Some("40")), ("gone", None), ("elsewhere", None)];
    for (key, value) in expected {
        let found = store.bot_value(&"lead".into(), key).await.unwrap();
        assert_eq!(found.as_deref(), value, "{key}");
    }
}

pub(super) async fn a_turn_that_conflicts_writes_nothing(store: Store) {
    let store = acme(&store);
    let bot_writes = vec![set("k", "v")];
    let end = store.commit(&key("a"), &Turn { bot_writes, ..turn("t1", 5, 5) }).await;
    assert_eq!(end, Ok(Commit::Conflict));
    assert_eq!(store.bot_value(&"lead".into(), "k").await, Ok(None));
}

pub(super) async fn a_full_bot_keeps_its_turns(store: Store) {
    let store = acme(&store);
    // Turns are smaller than the bound, so that several fill it.
    let block = "x".repeat(400 * 1024);
    let blocks = BOT_VALUES_BYTES_MAX / (block.len() + 2);
    for n in 10..10 + blocks {
        let bot_writes = vec![set(&n.to_string(), &block)];
        let next = Turn { bot_writes, ..turn("t", 0, 0) };
        let end = store.commit(&key(&n.to_string()), &next).await;
        assert_eq!(end, Ok(Commit::Committed { seq: 1, refused: vec![] }), "{n}");
    }
    let bot_writes = vec![set("more", &block), set("10", "small"), set("fits", "now")];
    let end = store.commit(&key("full"), &Turn { bot_writes, ..turn("t", 0, 0) }).await;
    assert_eq!(end, Ok(Commit::Committed { seq: 1, refused: vec!["more".to_owned()] }));

    let value = async |key: &str| store.bot_value(&"lead".into(), key).await.unwrap();
    assert_eq!(value("more").await, None);
    assert_eq!(value("10").await.as_deref(), Some("small"));
    assert_eq!(value("fits").await.as_deref(), Some("now"));
}

pub(super) async fn values_belong_to_a_tenant_and_a_bot(store: Store) {
    for tenant in ["acme", "other"] {
        for bot in ["lead", "orders"] {
            let bot_writes = vec![set("k", &format!("{tenant} {bot}"))];
            let next = Turn { bot: bot.into(), bot_writes, ..turn("t1", 0, 0) };
            let view = store.tenant(&tenant.into());
            view.commit(&key_of(tenant, bot), &next).await.unwrap();
        }
    }
    for (tenant, bot) in [("acme", "lead"), ("acme", "orders"), ("other", "orders")] {
        let found = store.tenant(&tenant.into()).bot_value(&bot.into(), "k").await.unwrap();
        assert_eq!(found, Some(format!("{tenant} {bot}")));
    }
}
