//! Conversations and channels do not know of one another.

use std::time::{Duration, Instant};

use botyard_tests::client::userlike::Conversation;
use botyard_tests::peers::userlike::Contact;
use botyard_tests::site::{MAIN, Setup};
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::test]
async fn many_conversations_at_once_keep_their_own_state() {
    let site = Setup::new("puppet").unwrap().start().await.unwrap();
    let mut talks = JoinSet::new();
    for _ in 0..50 {
        let conversation = site.open().unwrap();
        talks.spawn(async move {
            assert_eq!(conversation.start().await.unwrap().texts(), ["welcome"]);
            for n in 1..=5 {
                let answer = conversation.message("count").await.unwrap();
                assert_eq!(answer.texts(), [format!("{n} {n}")]);
            }
        });
    }
    while let Some(talk) = talks.join_next().await {
        talk.unwrap();
    }
    assert!(site.account().calls().is_empty(), "everything rode in answers");
}

#[tokio::test]
async fn the_same_cid_on_two_channels_is_two_conversations() {
    let site = Setup::new("puppet").unwrap().channel("other", json!({})).start().await.unwrap();
    let one = site.open().unwrap();
    let other = Conversation::open(site.account(), &site.webhook("other"), Contact::new()).unwrap();
    let mut other = other;
    other.cid.clone_from(&one.cid);
    for conversation in [&one, &other] {
        assert_eq!(conversation.start().await.unwrap().texts(), ["welcome"]);
    }
    // The same words with the same empty context, so that only the host can tell
    // whose they are.
    let body = one.body("message", json!({ "body": "count" })).to_string();
    for conversation in [&one, &other] {
        assert_eq!(conversation.post(body.clone()).await.unwrap().texts(), ["1 1"]);
    }
}

#[tokio::test]
async fn a_vendor_that_refuses_one_conversation_does_not_hold_up_another() {
    let mut site = Setup::new("puppet").unwrap().vendor_down().start().await.unwrap();
    let waiting = site.open().unwrap();
    waiting.start().await.unwrap();
    waiting.message("later 10 say late").await.unwrap();
    site.wait_metric("botyard_calls_total", &["result=\"retry\""], 1.0).await.unwrap();
    let lively = site.open().unwrap();
    let start = Instant::now();
    assert_eq!(lively.start().await.unwrap().texts(), ["welcome"]);
    assert_eq!(lively.message("say hi").await.unwrap().texts(), ["hi"]);
    assert!(start.elapsed() < Duration::from_secs(2));

    // A stop does not wait for a vendor that is down; what waits goes on later.
    let start = Instant::now();
    site.userlike.open().unwrap();
    assert!(site.restart().await.unwrap().success());
    assert!(start.elapsed() < Duration::from_secs(10));
    let within = Duration::from_secs(15);
    let packets = site.account().wait_delivered(&waiting.cid, 1, within).await.unwrap();
    assert_eq!(packets[0].text(), Some("late"));
}

#[tokio::test]
async fn a_restart_does_not_forget_the_calls_of_the_last_minute() {
    const WINDOW: Duration = Duration::from_secs(4);
    let timing = json!({ "timing": { "rate-window-ms": WINDOW.as_millis() as u64 } });
    let setup = Setup::new("puppet").unwrap().window(WINDOW);
    let mut site = setup.channel(MAIN, json!({ "dialect": timing })).start().await.unwrap();
    let mut conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let pictures = |from: u32| {
        let links = (from..from + 15).map(|n| format!("media https://files.example/{n}.png"));
        links.collect::<Vec<_>>().join("\n")
    };
    conversation.message(&pictures(0)).await.unwrap();
    let within = Duration::from_secs(15);
    site.account().wait_delivered(&conversation.cid, 15, within).await.unwrap();
    site.restart().await.unwrap();
    conversation.move_to(site.webhook(MAIN));
    conversation.message(&pictures(15)).await.unwrap();
    site.account().wait_delivered(&conversation.cid, 30, within).await.unwrap();
    assert!(site.account().calls().iter().all(|call| call.status == 200));
}
