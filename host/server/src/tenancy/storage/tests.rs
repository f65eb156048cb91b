//! What tenants keep is known, by bot where it is a bot's.

use botyard_kernel::id::{ConversationKey, Digest};
use botyard_kernel::limits::Limit;
use botyard_kernel::log::{Outcome, SkipReason, Turn};
use botyard_kernel::run::{KvChange, KvScope, KvWrite};
use serde_json::json;

use super::*;
use crate::app::App;
use crate::app::scratch::{self, scratch, stamp};
use crate::clock;
use crate::tenancy::version_name;

/// A version of a bot, of so many bytes, as an upload writes it down.
async fn version(app: &App, tenant: &TenantId, bot: &str, bytes: usize) -> Digest {
    let (bot, digest) = (BotId::from(bot), Digest::of(&bytes.to_be_bytes()));
    let record = VersionRecord {
        bot: bot.clone(),
        digest,
        bytes,
        tier: "native".to_owned(),
        uploaded_ms: 1,
        uploaded_by: "test".to_owned(),
        manifest: None,
        imports: Vec::new(),
    };
    let (store, name) = (app.tenancy.store(tenant), version_name(&bot, &digest));
    store.put(kind::VERSION, &name, &json!(record), &stamp()).await.unwrap();
    app.tenancy.components.changed(tenant);
    digest
}

/// A turn of a bot that keeps a value of its own.
async fn turn(app: &App, tenant: &TenantId, bot: &str, value: &str) {
    let change = KvChange::Set(value.to_owned());
    let write = KvWrite { scope: KvScope::Bot, key: "k".to_owned(), change };
    let turn = Turn {
        bot: bot.into(),
        bot_writes: vec![write],
        ..scratch::turn(Outcome::Skipped(SkipReason::NotOwner))
    };
    let (tenant, vendor_key) = (tenant.clone(), bot.to_owned());
    let key = ConversationKey { tenant, channel: "web".into(), vendor_key };
    app.tenancy.store(&key.tenant).commit(&key, &turn).await.unwrap();
}

#[tokio::test]
async fn what_a_tenant_keeps_is_known_by_bot_and_follows_every_change() {
    let (app, directory) = scratch("").await;
    for name in ["acme", "other"] {
        scratch::tenant(&app, name, json!({})).await;
    }
    let (acme, tenancy) = (TenantId::from("acme"), &app.tenancy);
    let empty = tenancy.storage(&acme).await.unwrap();
    assert_eq!((empty.stored.conversations, empty.components.len()), (0, 0));
    assert_eq!(empty.sum(), empty.stored.records + empty.stored.audit, "it is written down");
    for bot in ["one", "two"] {
        tenancy.put_bot(&acme, &bot.into(), Default::default(), false, &stamp()).await.unwrap();
    }
    version(&app, &acme, "one", 1_000).await;
    let second = version(&app, &acme, "one", 500).await;
    version(&app, &acme, "two", 7).await;
    turn(&app, &acme, "two", "value").await;
    let storage = tenancy.storage(&acme).await.unwrap();
    let of = |bytes: &[(&str, u64)]| {
        bytes.iter().map(|(bot, bytes)| (BotId::from(*bot), *bytes)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(storage.components, of(&[("one", 1_500), ("two", 7)]));
    assert_eq!(storage.stored.values, of(&[("two", 6)]));
    assert!(storage.stored.conversations > 100, "{storage:?}");
    assert_eq!(storage.sum(), storage.stored.sum() + 1_507);
    assert_eq!(tenancy.storage(&"other".into()).await.unwrap().components, of(&[]));

    tenancy.delete_version(&acme, &"one".into(), &second, &stamp()).await.unwrap();
    assert_eq!(tenancy.storage(&acme).await.unwrap().components, of(&[("one", 1_000), ("two", 7)]));
    tenancy.delete_bot(&acme, &"two".into(), &stamp()).await.unwrap();
    let storage = tenancy.storage(&acme).await.unwrap();
    assert_eq!((storage.components, storage.stored.values), (of(&[("one", 1_000)]), of(&[])));

    // What lies there of a channel that nobody has is nobody's.
    let captures = directory.path().join("captures");
    std::fs::create_dir_all(&captures).unwrap();
    std::fs::write(captures.join("nobodys.jsonl"), "x".repeat(30)).unwrap();
    assert_eq!(tenancy.storage(&acme).await.unwrap().captures, 0);
}

#[tokio::test]
async fn whoever_makes_room_has_it_at_once() {
    let (app, _directory) = scratch("").await;
    scratch::tenant(&app, "acme", json!({})).await;
    let (acme, tenancy) = (TenantId::from("acme"), &app.tenancy);
    tenancy.put_bot(&acme, &"bot".into(), Default::default(), false, &stamp()).await.unwrap();
    let large = version(&app, &acme, "bot", 1 << 20).await;
    let operator = botyard_kernel::access::Scope::Operator;
    let limit = (Limit::StorageBytes, Some(1 << 20));
    tenancy.set_limit(&acme, limit.0, limit.1, operator, &stamp()).await.unwrap();
    let used = tenancy.used(&acme).await.unwrap().used[&Limit::StorageBytes];
    assert!(used > 1 << 20, "{used}");
    let refused = tenancy.room_for_bytes(&acme, 10).await.unwrap_err().to_string();
    for part in ["`storage-bytes` is 1048576", &format!("{used} are used"), "`retention`"] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let quotas = app.work.quotas();
    assert!(quotas.events(&acme, (1, 10), clock::now()).is_err(), "nor are events taken");
    tenancy.delete_version(&acme, &"bot".into(), &large, &stamp()).await.unwrap();
    tenancy.room_for_bytes(&acme, 10).await.unwrap();
    assert_eq!(quotas.events(&acme, (1, 10), clock::now()), Ok(()));
}

/// A host that starts knows what is kept before anybody asks.
#[tokio::test]
async fn all_tenants_are_weighed_and_one_that_cannot_be_read_keeps_nobody_waiting() {
    let (app, _directory) = scratch("").await;
    for name in ["acme", "broken", "zeta"] {
        scratch::tenant(&app, name, json!({})).await;
        let limit = (Limit::StorageBytes, Some(100));
        let operator = botyard_kernel::access::Scope::Operator;
        app.tenancy.set_limit(&name.into(), limit.0, limit.1, operator, &stamp()).await.unwrap();
    }
    let broken = app.tenancy.store(&"broken".into());
    broken.put(kind::VERSION, "bot.x", &json!({"bot": 7}), &stamp()).await.unwrap();
    let room = |name: &str| app.work.quotas().room(&name.into(), 1);
    assert!(room("acme").is_ok() && room("zeta").is_ok(), "nobody has looked yet");
    app.tenancy.weigh_all().await.unwrap();
    assert!(room("acme").is_err() && room("zeta").is_err());
}

#[test]
fn whoever_reads_while_something_changes_keeps_nothing() {
    let (components, acme) = (Components::default(), TenantId::from("acme"));
    let bytes = |bytes: u64| Arc::new(BTreeMap::from([(BotId::from("bot"), bytes)]));
    let changes = components.known(&acme).unwrap_err();
    components.changed(&acme);
    components.keep(&acme, &bytes(1), changes);
    let changes = components.known(&acme).unwrap_err();
    components.keep(&acme, &bytes(2), changes);
    assert_eq!(components.known(&acme), Ok(bytes(2)));
    components.changed(&acme);
    assert!(components.known(&acme).is_err());
}
