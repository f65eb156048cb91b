//! The same webhook again: a redelivery where the answer failed, a second event
//! everywhere else. The bot counts, so a turn too many or too few shows.

use std::time::Duration;

use botyard_tests::client::held::Held;
use botyard_tests::client::userlike::Conversation;
use botyard_tests::site::{MAIN, Site};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::puppet::{begun, site};

const WITHIN: Duration = Duration::from_secs(10);
/// Long enough to leave and come back while an answer is still due, and shorter
/// than the four seconds after which the host answers in any case.
const BUSY: &str = "pause 2500\nsay busy";

/// A conversation in which a list with a delay is being played: the answers of
/// what follows wait for its end.
async fn busy(site: &Site) -> Conversation {
    let conversation = begun(site).await;
    assert_eq!(conversation.message(BUSY).await.unwrap().texts(), ["busy"]);
    conversation
}

/// The bytes of a webhook that makes the bot count.
fn count(conversation: &Conversation) -> Vec<u8> {
    conversation.body("message", json!({ "body": "count" })).to_string().into_bytes()
}

async fn turns(site: &Site) -> f64 {
    site.metrics().await.unwrap().sum("botyard_turns_total", &["result=\"ran\""])
}

/// What was delivered to a conversation by calls.
fn delivered(site: &Site, conversation: &Conversation) -> Vec<String> {
    let packets = site.account().delivered(&conversation.cid);
    packets.iter().filter_map(|packet| packet.text().map(str::to_owned)).collect()
}

/// Sends the bytes and leaves when the turn is stored, before there is an answer.
async fn leave(site: &Site, conversation: &Conversation, body: &[u8]) {
    let before = turns(site).await;
    let held = Held::send(&site.webhook(MAIN), body).await.unwrap();
    site.wait_metric("botyard_turns_total", &["result=\"ran\""], before + 1.0).await.unwrap();
    drop(held);
    site.wait_metric("botyard_answers_total", &["client_left"], 1.0).await.unwrap();
    assert_eq!(delivered(site, conversation), [""; 0], "the queue is closed for a while");
}

#[tokio::test]
async fn yes_yes_are_two_turns() {
    let site = site().await;
    let conversation = begun(&site).await;
    let body = count(&conversation);
    for n in 1..=3 {
        let answer = conversation.post(body.clone()).await.unwrap();
        assert_eq!(answer.texts(), [format!("{n} {n}")]);
    }
    assert_eq!(delivered(&site, &conversation), [""; 0]);
}

#[tokio::test]
async fn yes_yes_at_the_same_time_are_as_many_turns() {
    let site = site().await;
    let conversation = begun(&site).await;
    let body = count(&conversation);
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let held = Held::send(&site.webhook(MAIN), &body).await.unwrap();
        calls.spawn(held.answer());
    }
    let mut said = Vec::new();
    while let Some(answer) = calls.join_next().await {
        let (status, body) = answer.unwrap().unwrap();
        assert_eq!(status, 200);
        said.extend(texts(&body));
    }
    // What did not ride in an answer was called.
    let missing = 10 - said.len();
    site.account().wait_delivered(&conversation.cid, missing, WITHIN).await.unwrap();
    said.extend(delivered(&site, &conversation));
    said.sort_by_key(|text| text.split(' ').next().and_then(|n| n.parse::<u32>().ok()));
    let expected: Vec<_> = (1..=10).map(|n| format!("{n} {n}")).collect();
    assert_eq!(said, expected);
}

/// The texts of an answer's list.
fn texts(body: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(body).unwrap_or_default();
    let packets = list.as_array().cloned().unwrap_or_default();
    let text = |packet: &Value| packet["packet"]["payload"]["body"].as_str().map(str::to_owned);
    packets.iter().filter_map(text).collect()
}

#[tokio::test]
async fn a_redelivery_takes_over_what_was_not_delivered() {
    let site = site().await;
    let conversation = busy(&site).await;
    let body = count(&conversation);
    leave(&site, &conversation, &body).await;
    let answer = conversation.post(body).await.unwrap();
    assert_eq!(answer.texts(), ["1 1"], "the actions ride in the new answer");
    assert_eq!(conversation.message("count").await.unwrap().texts(), ["2 2"]);
    assert_eq!(delivered(&site, &conversation), [""; 0]);
}

#[tokio::test]
async fn a_redelivery_of_what_was_called_meanwhile_is_answered_empty() {
    let site = site().await;
    let conversation = busy(&site).await;
    let body = count(&conversation);
    leave(&site, &conversation, &body).await;
    site.account().wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
    let answer = conversation.post(body).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(conversation.message("count").await.unwrap().texts(), ["2 2"]);
    assert_eq!(delivered(&site, &conversation), ["1 1"]);
}

#[tokio::test]
async fn after_a_redelivery_was_answered_the_same_bytes_are_a_new_event() {
    let site = site().await;
    let conversation = busy(&site).await;
    let body = count(&conversation);
    leave(&site, &conversation, &body).await;
    assert_eq!(conversation.post(body.clone()).await.unwrap().texts(), ["1 1"]);
    assert_eq!(conversation.post(body).await.unwrap().texts(), ["2 2"]);
}

#[tokio::test]
async fn while_the_first_is_open_the_same_bytes_are_a_new_event() {
    let site = site().await;
    let conversation = busy(&site).await;
    let body = count(&conversation);
    let before = turns(&site).await;
    let first = Held::send(&site.webhook(MAIN), &body).await.unwrap();
    site.wait_metric("botyard_turns_total", &["result=\"ran\""], before + 1.0).await.unwrap();
    let second = Held::send(&site.webhook(MAIN), &body).await.unwrap();
    let (first, second) = tokio::join!(first.answer(), second.answer());
    let mut said = texts(&first.unwrap().1);
    said.extend(texts(&second.unwrap().1));
    site.account().wait_delivered(&conversation.cid, 2 - said.len(), WITHIN).await.unwrap();
    said.extend(delivered(&site, &conversation));
    assert_eq!(said, ["1 1", "2 2"]);
}

#[tokio::test]
async fn a_start_happens_once() {
    let site = site().await;
    let conversation = begun(&site).await;
    for _ in 0..2 {
        let answer = conversation.start().await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    }
    assert_eq!(turns(&site).await, 1.0);

    // A conversation whose two starts meet is welcomed once as well.
    let conversation = site.open().unwrap();
    let (one, other) = tokio::join!(conversation.start(), conversation.start());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!([one.texts(), other.texts()].concat(), ["welcome"]);
    assert_eq!(turns(&site).await, 2.0);
    assert_eq!(delivered(&site, &conversation), [""; 0]);
}

#[tokio::test]
async fn a_redelivery_is_known_after_a_crash() {
    let mut site = site().await;
    let mut conversation = busy(&site).await;
    let body = count(&conversation);
    leave(&site, &conversation, &body).await;
    site.crash().await.unwrap();
    conversation.move_to(site.webhook(MAIN));
    let mut said: Vec<String> = texts(&conversation.post(body).await.unwrap().body);
    site.account().wait_delivered(&conversation.cid, 1 - said.len(), WITHIN).await.unwrap();
    said.extend(delivered(&site, &conversation));
    assert_eq!(said, ["1 1"]);
    assert_eq!(conversation.message("count").await.unwrap().texts(), ["2 2"]);
}

/// Whatever the moment: what is answered is stored, what is not is sent again,
/// and every event counts once.
#[tokio::test]
async fn a_crash_at_any_moment_loses_no_event_and_doubles_none() {
    const CRASHES: u64 = 16;
    let mut site = site().await;
    let mut conversation = begun(&site).await;
    let mut said = Vec::new();
    for n in 1..=CRASHES {
        let mut body = conversation.body("message", json!({ "body": "count" }));
        body["info"]["widget"]["call"] = json!(n);
        let body = body.to_string();
        let held = Held::send(&site.webhook(MAIN), body.as_bytes()).await.unwrap();
        // Finer than the clock of the tests' own runtime.
        std::thread::sleep(Duration::from_micros((n - 1) * 400));
        site.crash().await.unwrap();
        conversation.move_to(site.webhook(MAIN));
        let answer = match held.answer().await {
            Ok((status, answer)) => {
                assert_eq!(status, 200);
                answer
            }
            Err(_) => conversation.post(body).await.unwrap().body,
        };
        said.extend(texts(&answer));
    }
    let answer = conversation.message("count").await.unwrap();
    said.extend(texts(&answer.body));
    said.extend(delivered(&site, &conversation));
    for n in 1..=CRASHES + 1 {
        assert!(said.contains(&format!("{n} {n}")), "{n} in {said:?}");
    }
    let most = format!("{0} {0}", CRASHES + 2);
    assert!(!said.contains(&most), "one event counted twice: {said:?}");
    assert_eq!(answer.texts().last(), Some(&&*format!("{0} {0}", CRASHES + 1)));
}
