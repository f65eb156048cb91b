//! How many calls of a tenant are open at once: those that hang keep its later ones, and
//! nobody else's.

use std::time::{Duration, Instant};

use botyard_tests::peers::shop::Shop;
use botyard_twins::faults::{Fault, Faults};
use http::StatusCode;
use serde_json::json;

use crate::turn_limits::{begun, set, sharing};

const WITHIN: Duration = Duration::from_secs(30);

#[tokio::test]
async fn calls_within_turns_wait_for_a_place_as_long_as_they_may_and_name_the_limit() {
    let shop = Shop::start(Duration::from_millis(1_200)).await.unwrap();
    let (hosted, [acme, _other]) = sharing("puppet", &[shop.authority()]).await;
    assert_eq!(set(&acme, "calls-at-once", json!(0)).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(set(&acme, "calls-at-once", json!(1)).await, StatusCode::OK);
    let (one, two) = (begun(&hosted, "acme-web").await, begun(&hosted, "acme-web").await);
    let three = begun(&hosted, "acme-web").await;
    let theirs = begun(&hosted, "other-web").await;
    let fetch = format!("fetch {}/visits", shop.url());
    let short = format!("fetch {}/visits 300", shop.url());
    let began = Instant::now();
    let first = one.message(&fetch);
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        tokio::join!(two.message(&fetch), three.message(&short), theirs.message(&fetch))
    };
    let (first, (second, refused, others)) = tokio::join!(first, later);
    let took = began.elapsed();
    for answer in [first.unwrap(), second.unwrap(), others.unwrap()] {
        assert!(answer.texts()[0].starts_with("200 "), "{:?}", answer.texts());
    }
    assert!(took >= Duration::from_millis(2_400), "one after the other: {took:?}");
    let refused = refused.unwrap();
    let said = refused.texts()[0];
    assert!(
        said.contains("the limit `calls-at-once` is 1") && said.contains("timeout-ms"),
        "{said}"
    );
}

#[tokio::test]
async fn requests_and_deliveries_wait_for_a_place_and_all_of_them_arrive() {
    let shop = Shop::start(Duration::from_millis(800)).await.unwrap();
    let (hosted, [acme, other]) = sharing("puppet", &[shop.authority()]).await;
    for (admin, tenant) in [(&acme, "acme"), (&other, "other")] {
        let mut channel = hosted.channel();
        channel["settings"]["bot"] = json!("mine");
        channel["settings"]["inline"] = json!(false);
        admin.put(&format!("/tenants/{tenant}/channels/{tenant}-web"), channel).await.unwrap();
    }
    assert_eq!(set(&acme, "calls-at-once", json!(1)).await, StatusCode::OK);
    // The vendor takes its time over each call: those of a tenant that may have one at a time
    // come one after the other.
    let (slowly, account) = (Duration::from_millis(800), hosted.userlike.account());
    let mut slow = Faults::none().with(Fault::SlowApi, 1.0);
    slow.slow = slowly;
    account.set_faults(slow);
    let started = async |channel: &str| {
        let opened: Vec<_> = (0..4).map(|_| hosted.open(channel)).collect();
        let began = Instant::now();
        for conversation in &opened {
            conversation.start().await.unwrap();
        }
        for conversation in &opened {
            account.wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
        }
        (opened, began.elapsed())
    };
    let ((opened, own), (_, theirs)) = tokio::join!(started("acme-web"), started("other-web"));
    // The last one is there before the vendor has said so.
    assert!(own >= 3 * slowly, "{own:?}");
    assert!(theirs < own, "{theirs:?} and {own:?}");

    // As do requests of its bot, which are counted apart.
    account.set_faults(Faults::none());
    let began = Instant::now();
    let script = format!("request visits {}/visits", shop.url());
    for conversation in &opened {
        conversation.message(&script).await.unwrap();
    }
    for conversation in &opened {
        account.wait_delivered(&conversation.cid, 2, WITHIN).await.unwrap();
    }
    assert!(began.elapsed() >= 4 * slowly, "{:?}", began.elapsed());
}
