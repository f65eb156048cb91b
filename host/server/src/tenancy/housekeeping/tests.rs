//! What is kept, of whom and for how long; and who hears of what ends.

use botyard_kernel::access::{Grant, Scope, Texts};
use botyard_kernel::event::{Event, EventBody, Message, TextFormat};
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::{Arrival, Outcome, Seq, SkipReason, Turn};
use botyard_kernel::session::Seed;
use botyard_store::Commit;

use super::*;
use crate::alerts::heard::Heard;
use crate::app::App;
use crate::app::scratch::{self, scratch, stamp, told_at};

/// A tenant whose settings say this of how long things are kept.
async fn keeping(app: &App, name: &str, retention: serde_json::Value) {
    scratch::tenant(app, name, json!({"retention": retention})).await;
}

/// A conversation with a turn for each of these ages.
async fn said(app: &App, tenant: &str, name: &str, days_ago: &[u64]) {
    let (tenant, vendor_key) = (TenantId::from(tenant), name.to_owned());
    let store = app.tenancy.store(&tenant);
    let key = ConversationKey { tenant, channel: "web".into(), vendor_key };
    let (mut previous, mut turns) = (0, 0);
    for days in days_ago {
        turns += 1;
        let turn = turn(&format!("{name}-{turns}"), previous, clock::now() - days * DAY);
        let committed = store.commit(&key, &turn).await.unwrap();
        let Commit::Committed { seq, .. } = committed else { panic!("{committed:?}") };
        previous = seq;
    }
}

fn turn(id: &str, previous: Seq, at_ms: Millis) -> Turn {
    let text = Message { text: "hi".to_owned(), format: TextFormat::Plain };
    let event = Event::new(id.into(), at_ms, EventBody::Message(text));
    Turn {
        id: id.into(),
        previous,
        base: previous,
        watermark: previous,
        fused: Some(Box::new(Arrival::new(event, Seed::default()))),
        event: id.into(),
        ..scratch::turn(Outcome::Skipped(SkipReason::NotOwner))
    }
}

/// The conversations of a tenant by name, with how many turns are left of each.
async fn left(app: &App, tenant: &str) -> Vec<(String, usize)> {
    let store = app.tenancy.store(&tenant.into());
    let mut left = Vec::new();
    for (summary, _) in
        store.conversations(botyard_store::Which::default(), None, 100).await.unwrap()
    {
        let turns = store.turns(&summary.key, 0, 100).await.unwrap().len();
        left.push((summary.key.vendor_key, turns));
    }
    left.sort();
    left
}

fn named(all: &[(&str, usize)]) -> Vec<(String, usize)> {
    all.iter().map(|(name, turns)| ((*name).to_owned(), *turns)).collect()
}

#[tokio::test]
async fn each_tenant_keeps_what_it_wants_for_as_long_as_it_wants() {
    let (app, _directory) = scratch("").await;
    keeping(&app, "silent", json!({"silent-days": 30})).await;
    keeping(&app, "turns", json!({"turns-days": 7})).await;
    keeping(&app, "both", json!({"silent-days": 30, "turns-days": 7})).await;
    keeping(&app, "all", json!({})).await;
    let tenants = ["silent", "turns", "both", "all"];
    for name in tenants {
        said(&app, name, "old", &[41, 40]).await;
        said(&app, name, "goes-on", &[40, 8, 1]).await;
        said(&app, name, "new", &[6, 1]).await;
    }
    let everything = named(&[("goes-on", 3), ("new", 2), ("old", 2)]);

    // Whoever has restored a store looks at it first.
    app.work.hold(true);
    assert_eq!(app.tenancy.keep_house().await.unwrap().rows, 0);
    for name in tenants {
        assert_eq!(left(&app, name).await, everything, "{name}");
    }
    app.work.hold(false);
    assert!(app.tenancy.keep_house().await.unwrap().rows > 0);
    assert_eq!(left(&app, "silent").await, named(&[("goes-on", 3), ("new", 2)]));
    // The last turn of a conversation holds what is known of it.
    assert_eq!(left(&app, "turns").await, named(&[("goes-on", 1), ("new", 2), ("old", 1)]));
    assert_eq!(left(&app, "both").await, named(&[("goes-on", 1), ("new", 2)]));
    assert_eq!(left(&app, "all").await, everything);
    assert_eq!(app.tenancy.keep_house().await.unwrap().rows, 0, "it is done");
}

#[tokio::test]
async fn whoever_uses_a_token_that_ends_soon_hears_of_it_once() {
    let (operator, owner) = (Heard::start().await, Heard::start().await);
    let elsewhere = Heard::start().await;
    let settings =
        format!("[egress]\nallow-loopback = true\n[alerts]\nurl = {:?}\n", operator.url());
    let (app, _directory) = scratch(&settings).await;
    told_at(&app, "acme", &owner.url()).await;
    told_at(&app, "other", &elsewhere.url()).await;
    let now = clock::now();
    let soon = now + TOLD_BEFORE_MS - 60_000;
    for expires_ms in [Some(soon), Some(now + TOLD_BEFORE_MS + 60_000), Some(now - 1), None] {
        let grant = Grant {
            tenant: Some("acme".into()),
            scope: Scope::Read,
            bot: None,
            expires_ms,
            texts: Texts::Redacted,
        };
        app.tenancy.put_token(grant, None, &stamp()).await.unwrap();
    }
    for _ in 0..2 {
        app.tenancy.tell_of_tokens().await.unwrap();
    }
    for heard in [&operator, &owner] {
        let told = heard.next().await;
        assert_eq!(
            (&told["type"], &told["data"]["tenant"]),
            (&json!("token.expires"), &json!("acme"))
        );
        assert_eq!(
            (&told["data"]["blame"], &told["data"]["since_ms"]),
            (&json!("tenant"), &json!(soon))
        );
        assert!(heard.is_silent().await, "once, and of one token");
    }
    assert!(elsewhere.is_silent().await, "it is not theirs");
}

#[tokio::test]
async fn the_operator_alone_hears_how_full_the_disk_is() {
    let (operator, owner) = (Heard::start().await, Heard::start().await);
    let settings =
        format!("[egress]\nallow-loopback = true\n[alerts]\nurl = {:?}\n", operator.url());
    let (app, _directory) = scratch(&settings).await;
    told_at(&app, "acme", &owner.url()).await;
    const GIB: u64 = 1 << 30;
    let rows = [(15, "disk.fills"), (1, "disk.full"), (90, "disk.has_room")];
    for (free, kind) in rows {
        for _ in 0..2 {
            app.work.note_disk(free * GIB, 100 * GIB);
        }
        let told = operator.next().await;
        assert_eq!((&told["type"], &told["data"]["blame"]), (&json!(kind), &json!("host")));
        assert!(told["data"]["tenant"].is_null(), "{told}");
    }
    assert!(operator.is_silent().await && owner.is_silent().await);
}
