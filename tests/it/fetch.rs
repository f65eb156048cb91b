//! Calls to web services within a turn.

use std::time::Duration;

use botyard_tests::peers::shop::Shop;
use botyard_tests::site::{MAIN, Setup, Site};
use botyard_tests::wait;
use serde_json::json;

use crate::puppet::begun;

const WITHIN: Duration = Duration::from_secs(30);

async fn shop(delay_ms: u64) -> Shop {
    Shop::start(Duration::from_millis(delay_ms)).await.unwrap()
}

fn setup(shop: &Shop) -> Setup {
    Setup::new("puppet").unwrap().hosts([shop.authority()])
}

fn keys(shop: &Shop) -> Vec<String> {
    shop.lookups().into_iter().filter_map(|lookup| lookup.idempotency_key).collect()
}

async fn delivered(site: &Site, cid: &str, count: usize) -> Vec<String> {
    let packets = site.account().wait_delivered(cid, count, WITHIN).await.unwrap();
    packets.iter().filter_map(|packet| packet.text().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_bot_is_answered_within_its_turn_and_never_sees_the_secret() {
    let shop = shop(0).await;
    let secret = json!({ shop.authority(): { "authorization": "Bearer sesame" } });
    let more = json!({ "tenants": { "demo": { "bots": { "bot": { "http-headers": secret } } } } });
    let site = setup(&shop).with(more).start().await.unwrap();
    let conversation = begun(&site).await;
    let script = format!("fetch {0}/visits\nfetch {0}/visits\nsay done", shop.url());
    let answer = conversation.message(&script).await.unwrap();
    assert_eq!(answer.texts(), ["200 1", "200 2", "done"]);

    let lookups = shop.lookups();
    assert!(lookups.iter().all(|it| it.authorization.as_deref() == Some("Bearer sesame")));
    let keys = keys(&shop);
    assert_ne!(keys[0], keys[1], "each call has a key of its own");
    let calls = site.metrics().await.unwrap().sum("botyard_http_calls_total", &["answered"]);
    assert_eq!(calls, 2.0);
    let turn = site.wait_turns(2).await.unwrap().pop().unwrap();
    assert_eq!(turn["fused"], false, "the event was stored before the first call: {turn}");
    assert!(!site.host().log().contains("sesame"));
}

#[tokio::test]
async fn whoever_dies_in_a_call_makes_only_that_one_again() {
    let shop = shop(1_000).await;
    let mut site = setup(&shop).start().await.unwrap();
    let mut conversation = begun(&site).await;
    let script = format!("fetch {0}/visits\nfetch {0}/visits", shop.url());
    let said = conversation.message(&script);
    let dies = async {
        wait::until("the second call", WITHIN, || (keys(&shop).len() == 2).then_some(()))
            .await
            .unwrap();
    };
    tokio::select! {
        answer = said => panic!("the host answered before it died: {answer:?}"),
        () = dies => {}
    }
    site.crash().await.unwrap();
    let said = delivered(&site, &conversation.cid, 2).await;
    // The first answer is the recorded one, the second call was made again.
    assert_eq!(said, ["200 1", "200 3"]);
    let keys = keys(&shop);
    assert_eq!(keys.len(), 3);
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[1], keys[2], "the same call has the same key");
    conversation.move_to(site.webhook(MAIN));
    assert_eq!(conversation.message("count").await.unwrap().texts(), ["1 1"]);
}

#[tokio::test]
async fn what_a_bot_may_not_call_is_said_to_it() {
    let (shop, elsewhere) = (shop(0).await, shop(0).await);
    let site = setup(&shop).start().await.unwrap();
    let conversation = begun(&site).await;
    let answer = conversation.message(&format!("fetch {}/visits", elsewhere.url())).await.unwrap();
    let text = answer.texts()[0];
    assert!(text.starts_with("Error::Denied(") && text.contains("`hosts`"), "{text}");
    assert!(elsewhere.lookups().is_empty());
}

#[tokio::test]
async fn calls_have_bounds_that_the_bot_sees() {
    let shop = shop(0).await;
    let site = setup(&shop).start().await.unwrap();
    let conversation = begun(&site).await;
    let url = shop.url();
    let answer = conversation.message(&format!("often 9 {url}/visits")).await.unwrap();
    assert_eq!(answer.texts(), ["Error::Limit"]);
    assert_eq!(shop.lookups().len(), 8);
    let answer = conversation.message(&format!("fetch {url}/catalogue")).await.unwrap();
    assert_eq!(answer.texts(), ["Error::TooLarge"]);
    let slow = self::shop(20_000).await;
    let site = setup(&slow).start().await.unwrap();
    let conversation = begun(&site).await;
    let script = format!("fetch {}/visits 200\nsay on", slow.url());
    assert_eq!(conversation.message(&script).await.unwrap().texts(), ["Error::Timeout", "on"]);
}

#[tokio::test]
async fn a_call_that_takes_its_time_delays_only_its_own_conversation() {
    let shop = shop(4_000).await;
    let settings = json!({ "dialect": { "timing": { "answer-by-ms": 1_000 } } });
    let site = setup(&shop).channel(MAIN, settings).start().await.unwrap();
    let (stuck, other) = (begun(&site).await, begun(&site).await);
    // The vendor gets its answer in time, and what the bot says later.
    let answer = stuck.message(&format!("fetch {}/visits", shop.url())).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    for n in 1..=10 {
        let answer = other.message("count").await.unwrap();
        assert_eq!(answer.texts(), [format!("{n} {n}")]);
    }
    // What comes meanwhile waits for its turn, and is not lost.
    let waits = stuck.message("say after").await.unwrap();
    assert_eq!(waits.status, 200);
    assert_eq!(delivered(&site, &stuck.cid, 2).await, ["200 1", "after"]);
}

#[tokio::test]
async fn a_timer_may_call_too_and_rings_once() {
    let shop = shop(700).await;
    let mut site = setup(&shop).start().await.unwrap();
    let conversation = begun(&site).await;
    conversation.message(&format!("later 50 fetch {}/visits", shop.url())).await.unwrap();
    wait::until("the call", WITHIN, || (keys(&shop).len() == 1).then_some(())).await.unwrap();
    site.crash().await.unwrap();
    assert_eq!(delivered(&site, &conversation.cid, 1).await, ["200 2"]);
    let keys = keys(&shop);
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}

#[tokio::test]
async fn a_service_that_answers_nobody_is_left_alone_within_turns_too() {
    let shop = shop(0).await;
    let (site, url) = (setup(&shop).start().await.unwrap(), shop.url());
    let conversation = begun(&site).await;
    drop(shop);
    let mut said = Vec::new();
    for _ in 0..12 {
        let answer = conversation.message(&format!("fetch {url}/visits")).await.unwrap();
        said.extend(answer.texts().into_iter().map(str::to_owned));
    }
    assert!(!said[0].contains("left alone"), "{said:?}");
    assert!(said[11].contains("has not answered of late and is left alone"), "{said:?}");
    // A request of the bot's is not tried meanwhile, and loses none of its tries.
    conversation.message(&format!("request gone {url}/visits")).await.unwrap();
    site.wait_metric("botyard_requests_total", &["result=\"held\""], 1.0).await.unwrap();
}
