//! Too much work is refused before it is accepted, and over its rate a tenant is
//! slowed.

use std::time::{Duration, Instant};

use botyard_tests::client::userlike::Conversation;
use botyard_tests::site::{Setup, Site};
use serde_json::{Value, json};

use crate::puppet::begun;

/// A turn that takes a while in an unoptimized host, too.
const BUSY: &str = "work 4000";

async fn site(more: Value) -> Site {
    let slow = json!({ "runtime": { "native": { "cpu-ms": 2_000, "wall-ms": 60_000 } } });
    let setup = Setup::new("puppet").unwrap();
    let mut all = slow;
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    setup.with(all).start().await.unwrap()
}

/// Two webhooks at the same time, of which only one fits.
async fn second_of_two(site: &Site) -> (u16, Option<u64>) {
    let (one, other) = (begun(site).await, begun(site).await);
    let busy = tokio::spawn(async move { one.message(BUSY).await.unwrap().status });
    site.wait_metric("botyard_backlog_requests", &[], 1.0).await.unwrap();
    let answer = other.message("say hi").await.unwrap();
    assert_eq!(busy.await.unwrap(), 200, "what was taken is never refused");
    assert_eq!(other.message("say again").await.unwrap().texts(), ["again"]);
    (answer.status, answer.retry_after)
}

#[tokio::test]
async fn a_tenant_over_its_bound_is_told_when_to_come_again() {
    let site = site(json!({ "backlog": { "tenant": { "requests-max": 1 } } })).await;
    let (status, retry_after) = second_of_two(&site).await;
    assert_eq!(status, 429);
    assert!(retry_after.is_some_and(|seconds| seconds >= 1));
    let labels = ["whose=\"tenant\"", "what=\"requests\""];
    site.wait_metric("botyard_overload_total", &labels, 1.0).await.unwrap();
}

#[tokio::test]
async fn a_full_host_is_unavailable_for_a_while() {
    let site = site(json!({ "backlog": { "host": { "requests-max": 1 } } })).await;
    let (status, retry_after) = second_of_two(&site).await;
    assert_eq!(status, 503);
    assert!(retry_after.is_some_and(|seconds| seconds >= 1));
}

#[tokio::test]
async fn accepted_events_count_until_their_turns() {
    let dialect = json!({ "dialect": { "timing": { "answer-by-ms": 0 } } });
    let site = site(json!({
        "backlog": { "tenant": { "events-max": 2 } },
        "tenants": { "demo": { "channels": { "main": dialect } } },
        // Long enough for five webhooks, and short enough for a busy machine.
        "runtime": { "native": { "cpu-ms": 700, "wall-ms": 60_000 } },
    }))
    .await;
    let conversation = site.open().unwrap();
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(conversation.message(BUSY).await.unwrap().status);
    }
    assert_eq!(statuses[..2], [200, 200]);
    assert!(statuses.contains(&429), "{statuses:?}");
    // The body is not even read: it is none.
    let refused = conversation.post("x".repeat(100)).await.unwrap();
    assert_eq!(refused.status, 429);
    let taken = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(site.wait_turns(taken).await.unwrap().len(), taken);
}

#[tokio::test]
async fn over_its_rate_a_tenant_is_slowed_and_loses_nothing() {
    let rate = json!({ "turns-per-second": 2 });
    let site = site(json!({ "tenants": { "demo": { "rate": rate } } })).await;
    let conversations: Vec<Conversation> = (0..8).map(|_| site.open().unwrap()).collect();
    let start = Instant::now();
    let mut talks = tokio::task::JoinSet::new();
    for conversation in conversations {
        talks.spawn(async move { conversation.start().await.unwrap().status });
    }
    while let Some(status) = talks.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    assert_eq!(site.wait_turns(8).await.unwrap().len(), 8);
    assert!(start.elapsed() > Duration::from_millis(2_000), "{:?}", start.elapsed());
}
