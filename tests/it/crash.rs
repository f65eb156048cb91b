//! Clients that leave and hosts that die at any moment. The moments are spread
//! over the time in which a turn runs and is stored.

use std::collections::BTreeSet;
use std::time::Duration;

use botyard_tests::client::held::Held;
use botyard_tests::client::userlike::Conversation;
use botyard_tests::peers::userlike::Packet;
use botyard_tests::site::{MAIN, Setup, Site};
use botyard_tests::wait;
use serde_json::json;

use crate::puppet::begun;

const WITHIN: Duration = Duration::from_secs(20);

fn delivered(site: &Site, conversation: &Conversation) -> Vec<String> {
    let packets = site.account().delivered(&conversation.cid);
    packets.iter().filter_map(Packet::text).map(str::to_owned).collect()
}

#[tokio::test]
async fn whenever_a_client_leaves_its_event_counts_once() {
    let patient = json!({ "runtime": { "native": { "cpu-ms": 5_000, "wall-ms": 60_000 } } });
    let site = Setup::new("puppet").unwrap().with(patient).start().await.unwrap();
    for moment in 0_u64..10 {
        let conversation = begun(&site).await;
        // The answer of what follows is due when the delay is over, so that the
        // client always leaves before it.
        conversation.message("pause 1000\nsay busy").await.unwrap();
        let script = json!({ "body": "work 20\ncount" });
        let body = conversation.body("message", script).to_string();
        let held = Held::send(&site.webhook(MAIN), body.as_bytes()).await.unwrap();
        // Five events a round, and this is its third.
        let read = (5 * moment + 3) as f64;
        site.wait_metric("botyard_events_total", &[], read).await.unwrap();
        tokio::time::sleep(Duration::from_millis(moment * 4)).await;
        drop(held);
        let left = (moment + 1) as f64;
        site.wait_metric("botyard_answers_total", &["client_left"], left).await.unwrap();
        let answer = conversation.post(body).await.unwrap();
        let mut said: Vec<_> = answer.texts().into_iter().map(str::to_owned).collect();
        let rest = 1 - said.len();
        site.account().wait_delivered(&conversation.cid, rest, WITHIN).await.unwrap();
        said.extend(delivered(&site, &conversation));
        assert_eq!(said, ["1 1"], "left at moment {moment}");
        let answer = conversation.message("count").await.unwrap();
        assert_eq!(answer.texts(), ["2 2"], "left at moment {moment}");
    }
}

#[tokio::test]
async fn whenever_the_host_dies_no_action_is_lost_or_overtaken() {
    // More calls than Userlike's minute has room for.
    let timing = json!({ "timing": { "rate-window-ms": 1_000 } });
    let settings = json!({ "inline": false, "dialect": timing });
    let setup = Setup::new("puppet").unwrap().window(Duration::from_secs(1));
    let mut site = setup.channel(MAIN, settings).start().await.unwrap();
    let mut conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    for moment in 0..8 {
        let text = format!("say {moment}a\nmedia https://files.example/{moment}\nsay {moment}b");
        assert_eq!(conversation.message(&text).await.unwrap().status, 200);
        tokio::time::sleep(Duration::from_millis(moment * 3)).await;
        site.crash().await.unwrap();
        conversation.move_to(site.webhook(MAIN));
    }
    let mut expected = vec!["welcome".to_owned()];
    expected.extend((0..8).flat_map(|n| [format!("{n}a"), format!("{n}"), format!("{n}b")]));
    let what = "the last action at the vendor";
    wait::until(what, WITHIN, || {
        (said(&site, &conversation).last() == expected.last()).then_some(())
    })
    .await
    .unwrap();
    // At least once, in order: what was under way in a crash may come twice.
    let said = said(&site, &conversation);
    let most = expected.len() + 8 * 2;
    assert!(said.len() <= most, "only what was under way comes twice: {said:?}");
    assert_eq!(firsts(said), expected);
}

/// Each text where it first stands.
fn firsts(texts: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.into_iter().filter(|text| seen.insert(text.clone())).collect()
}

/// What was called: texts, and of pictures the last part of the link.
fn said(site: &Site, conversation: &Conversation) -> Vec<String> {
    let packets = site.account().delivered(&conversation.cid);
    let link =
        |packet: &Packet| packet.payload["link"].as_str()?.rsplit('/').next().map(str::to_owned);
    packets.iter().filter_map(|it| it.text().map(str::to_owned).or_else(|| link(it))).collect()
}

#[tokio::test]
async fn whenever_the_host_dies_a_timer_rings_once() {
    let mut site = Setup::new("puppet").unwrap().start().await.unwrap();
    let conversation = begun(&site).await;
    let timers: Vec<_> = (1..=12).map(|n| format!("later {} count", n * 150)).collect();
    conversation.message(&timers.join("\n")).await.unwrap();
    for moment in 0..5 {
        tokio::time::sleep(Duration::from_millis(100 + moment * 7)).await;
        site.crash().await.unwrap();
    }
    let last = "12 12".to_owned();
    wait::until("the last timer", WITHIN, || {
        delivered(&site, &conversation).contains(&last).then_some(())
    })
    .await
    .unwrap();
    let expected: Vec<_> = (1..=12).map(|n| format!("{n} {n}")).collect();
    assert_eq!(firsts(delivered(&site, &conversation)), expected);
}
