//! The door through which a tenant's own systems speak into a conversation.

use std::time::Duration;

use botyard_tests::client::userlike::Conversation;
use botyard_tests::peers::userlike::Packet;
use botyard_tests::site::Site;
use serde_json::{Value, json};

use crate::puppet::{begun, site};

const WITHIN: Duration = Duration::from_secs(10);

fn paid() -> Value {
    json!({ "name": "paid", "payload": { "euros": 7 } })
}

const TOLD: &str = r#"signal paid {"euros":7}"#;

/// What the bot has said by itself, after waiting for so many texts.
async fn told(site: &Site, conversation: &Conversation, count: usize) -> Vec<String> {
    let account = site.account();
    let packets = account.wait_delivered(&conversation.cid, count, WITHIN).await.unwrap();
    packets.iter().filter_map(Packet::text).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_signal_needs_the_token_a_key_a_body_and_a_conversation() {
    let site = site().await;
    let conversation = begun(&site).await;
    let door = site.signals(&conversation.cid);
    for token in [None, Some(""), Some("guess"), Some("canary-signal-token-and-more")] {
        let mut door = door.clone();
        door.token = token.map(str::to_owned);
        let (status, text) = door.send(Some("key"), &paid()).await.unwrap();
        assert_eq!(status, 401, "{token:?}: {text}");
    }
    let mut elsewhere = door.clone();
    elsewhere.url = elsewhere.url.replace("/main/", "/elsewhere/");
    // A stranger is not told which channels there are.
    assert_eq!(elsewhere.send(Some("key"), &paid()).await.unwrap().0, 401);

    for key in [None, Some(""), Some(&*"k".repeat(201))] {
        let (status, text) = door.send(key, &paid()).await.unwrap();
        assert_eq!(status, 400, "{key:?}: {text}");
        assert!(text.contains("Idempotency-Key"), "{text}");
    }
    let bodies = [
        (400, json!({})),
        (400, json!([])),
        (400, json!({ "name": "" })),
        (400, json!({ "name": 7 })),
        (400, json!({ "name": "paid", "text": "by mistake" })),
        (413, json!({ "name": "paid", "payload": "x".repeat(70_000) })),
    ];
    for (expected, body) in bodies {
        let (status, text) = door.send(Some("key"), &body).await.unwrap();
        assert_eq!(status, expected, "{text}");
    }
    let (status, text) =
        site.signals("chatbot::612:nobody").send(Some("k"), &paid()).await.unwrap();
    assert_eq!(status, 404, "{text}");
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_signals_total", &["accepted"]), 0.0);
    assert_eq!(metrics.sum("botyard_signals_total", &["refused"]), 15.0);
    assert_eq!(metrics.sum("botyard_turns_total", &[]), 1.0);
}

#[tokio::test]
async fn the_same_key_is_the_same_signal_also_after_a_restart() {
    let mut site = site().await;
    let mut conversation = begun(&site).await;
    for _ in 0..3 {
        let (status, text) =
            site.signals(&conversation.cid).send(Some("order-7"), &paid()).await.unwrap();
        assert_eq!(status, 202, "{text}");
    }
    assert_eq!(told(&site, &conversation, 1).await, [TOLD]);

    // In peace: what is called in a crash may be called again, and the count
    // below would not tell that from a second signal.
    assert!(site.restart().await.unwrap().success());
    conversation.move_to(site.webhook("main"));
    let door = site.signals(&conversation.cid);
    assert_eq!(door.send(Some("order-7"), &paid()).await.unwrap().0, 202);
    assert_eq!(door.send(Some("order-8"), &json!({ "name": "shipped" })).await.unwrap().0, 202);
    assert_eq!(told(&site, &conversation, 2).await, [TOLD, "signal shipped null"]);
    assert_eq!(conversation.message("say on").await.unwrap().texts(), ["on"]);
    assert_eq!(site.account().delivered(&conversation.cid).len(), 2);
}

#[tokio::test]
async fn one_key_sent_many_times_at_once_is_one_signal() {
    let site = site().await;
    let conversation = begun(&site).await;
    let door = site.signals(&conversation.cid);
    let body = paid();
    let send = || door.send(Some("once"), &body);
    let answers = tokio::join!(send(), send(), send(), send(), send());
    let answers = [answers.0, answers.1, answers.2, answers.3, answers.4];
    for answer in answers {
        assert_eq!(answer.unwrap().0, 202);
    }
    assert_eq!(told(&site, &conversation, 1).await, [TOLD]);
    assert_eq!(conversation.message("say on").await.unwrap().texts(), ["on"]);
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_turns_total", &["result=\"ran\""]), 3.0);
}

/// What was accepted happens, whatever becomes of the host right after.
#[tokio::test]
async fn an_accepted_signal_survives_a_crash() {
    let mut site = site().await;
    let conversation = begun(&site).await;
    for n in 1..=3 {
        let body = json!({ "name": "step", "payload": n });
        let key = format!("step-{n}");
        let door = site.signals(&conversation.cid);
        assert_eq!(door.send(Some(&key), &body).await.unwrap().0, 202);
        site.crash().await.unwrap();
    }
    site.account().wait_delivered(&conversation.cid, 3, WITHIN).await.unwrap();
    let mut told = told(&site, &conversation, 3).await;
    // What was on its way in a crash may arrive twice, in its place.
    told.dedup();
    assert_eq!(told, ["signal step 1", "signal step 2", "signal step 3"]);
}
