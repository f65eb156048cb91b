//! A bot of ours hands a conversation over to an Instabot bot and gets it back.

use std::time::Duration;

use botyard_tests::client::held::Held;
use botyard_tests::client::userlike::{Conversation, Webhook, client};
use botyard_tests::peers::userlike::Packet;
use botyard_tests::site::{MAIN, Setup, Site};
use botyard_tests::wait::{until, until_asked};
use botyard_twins::account::{Conduct, Twin};
use botyard_twins::faults::{Fault, Faults};
use botyard_twins::instabot::{Bot, Node, start_bot};
use serde_json::{Value, json};

use crate::puppet::begun;

const WITHIN: Duration = Duration::from_secs(10);
pub(crate) const KEY: &str = "canary-external-key";
pub(crate) const BOT_ID: u64 = 474_960_032;
/// What the external bot calls its first chat.
const CHAT: &str = "478158890";
const HERE: &str = "https://host.example";

pub(crate) fn external() -> Twin<Bot> {
    behaving(Conduct::default())
}

fn behaving(conduct: Conduct) -> Twin<Bot> {
    let options = vec![("Rye".to_owned(), 478_137_613), ("Spelt".to_owned(), 478_137_614)];
    let flow = vec![
        Node::Say("I am the other one.".to_owned()),
        Node::Choose("Which?".to_owned(), options),
        Node::Ask("How many?".to_owned()),
        Node::Say("Thank you.".to_owned()),
    ];
    start_bot(KEY, BOT_ID, flow, conduct).unwrap()
}

async fn site(twin: &Twin<Bot>, bot_id: u64) -> Site {
    let care = json!({
        "vendor": "instabot", "base-url": twin.url(), "api-key": KEY, "bot-id": bot_id,
    });
    let more = json!({
        "server": { "public-url": HERE, "body-timeout-ms": 300 },
        "tenants": { "demo": { "relays": { "care": care } } },
    });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, json!({})).with(more);
    setup.start().await.unwrap()
}

async fn got(site: &Site, cid: &str, count: usize) -> Vec<String> {
    let packets = site.account().wait_delivered(cid, count, WITHIN).await.unwrap();
    packets.iter().filter_map(Packet::text).map(str::to_owned).collect()
}

/// What the external bot was asked, from the first on.
fn asked(twin: &Twin<Bot>) -> Vec<Value> {
    twin.account().calls().iter().map(|call| call.body.clone()).collect()
}

/// The address that the external bot was given, at this host.
fn callback(site: &Site, twin: &Twin<Bot>) -> String {
    let calls = asked(twin);
    calls[0]["callbackUrl"].as_str().unwrap().replacen(HERE, &site.url(""), 1)
}

/// A conversation that the external bot has, and the address at which its agents speak.
async fn handed_over(site: &Site, twin: &Twin<Bot>) -> (Conversation, String) {
    let conversation = begun(site).await;
    conversation.message("hand-over care").await.unwrap();
    assert_eq!(got(site, &conversation.cid, 2).await, ["I am the other one.", "Which?"]);
    (conversation, callback(site, twin))
}

/// Its live agent speaks: the status, and after how many seconds to come again.
async fn post(url: &str, text: &str) -> (u16, Option<String>) {
    let body = json!({ "streamId": CHAT, "text": text }).to_string();
    let answer = client().unwrap().post(url).body(body).send().await.unwrap();
    let later = answer.headers().get("retry-after").map(|it| it.to_str().unwrap().to_owned());
    (answer.status().as_u16(), later)
}

#[tokio::test]
async fn an_external_bot_speaks_until_its_agent_leaves() {
    let twin = external();
    let site = site(&twin, BOT_ID).await;
    let conversation = begun(&site).await;
    let cid = conversation.cid.clone();
    let answer = conversation.message("say One moment.\nhand-over care").await.unwrap();
    assert_eq!(answer.texts(), ["One moment."]);
    let texts = got(&site, &cid, 2).await;
    assert_eq!(texts, ["I am the other one.", "Which?"]);

    // A choice that is typed goes back as the number of its option.
    conversation.message("second").await.unwrap();
    assert_eq!(got(&site, &cid, 3).await[2..], ["How many?"]);
    let calls = asked(&twin);
    assert!(calls[0]["email"].as_str().unwrap().ends_with("@guest.invalid"), "{}", calls[0]);
    assert_eq!(calls[1]["message"], json!({ "text": "Spelt", "payload": 478_137_614 }));

    // Its live agent speaks through an address that nobody can guess.
    let callback = callback(&site, &twin);
    assert_eq!(calls[1]["streamId"], CHAT);
    let post = async |url: &str, text: &str| post(url, text).await.0;
    assert_eq!(post(&callback, "I am Ada.").await, 200);
    assert_eq!(got(&site, &cid, 4).await[3..], ["I am Ada."]);
    let part = Webhook { url: callback.clone(), header: None };
    let held = Held::begin(&part, "content-length: 1000", b"{").await.unwrap();
    assert_eq!(held.answer().await.unwrap().0, 408);
    let (before, _) = callback.rsplit_once('/').unwrap();
    assert_eq!(post(&format!("{before}/guess"), "I am Eve.").await, 404);
    assert_eq!(post(&callback, "Agent has ended this live session").await, 200);

    let probe = async || {
        let texts = conversation.message("say It is me again.").await?.texts().join("");
        Ok((texts == "It is me again.").then_some(()))
    };
    until_asked("the bot", WITHIN, probe).await.unwrap();
    assert_eq!(post(&callback, "too late").await, 410);
    // At its end it was asked what it knows of the person.
    let last = asked(&twin).pop().unwrap();
    assert_eq!((&last["email"], &last["apiKey"]), (&calls[0]["email"], &json!(KEY)));

    // Humans at the desk read what was said, and nothing that opens a door.
    let desk = site.desk();
    let (status, told) = desk.read(&format!("/conversations/{cid}/messages")).await.unwrap();
    let told = told.to_string();
    assert!(status == 200 && told.contains("I am the other one.") && told.contains("I am Ada."));
    assert!(!told.contains(CHAT) && !told.contains("botyard.relay"), "{told}");
    let log = site.host().log();
    assert!(!log.contains(KEY) && !log.contains("/relays/"), "a secret stands in the log");
}

#[tokio::test]
async fn an_agent_who_says_the_same_twice_is_heard_twice() {
    let twin = external();
    let site = site(&twin, BOT_ID).await;
    let (conversation, url) = handed_over(&site, &twin).await;
    let whole = ["result=\"whole\""];
    let before = site.metrics().await.unwrap().sum("botyard_answers_total", &whole);
    let mut posts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let url = url.clone();
        posts.spawn(async move { post(&url, "Hello?").await.0 });
    }
    assert_eq!(posts.join_all().await, [200; 8]);
    let texts = got(&site, &conversation.cid, 10).await;
    assert_eq!(texts[2..], ["Hello?"; 8]);
    // Whether they were answered whole is known, so that what was not may come again.
    site.wait_metric("botyard_answers_total", &whole, before + 8.0).await.unwrap();
}

#[tokio::test]
async fn whoever_says_too_much_at_once_comes_again() {
    let twin = external();
    let site = site(&twin, BOT_ID).await;
    let (_conversation, url) = handed_over(&site, &twin).await;
    let mut taken = 0;
    let refused = loop {
        match post(&url, &format!("Number {taken}.")).await {
            (200, None) => taken += 1,
            refused => break refused,
        }
        assert!(taken < 100, "whatever comes is taken");
    };
    assert_eq!(refused, (503, Some("10".to_owned())));
    // Some had their turns before they were slowed down, and as many as may wait do.
    assert!((30..=60).contains(&taken), "{taken}");
}

#[tokio::test]
async fn an_agent_who_speaks_before_the_chat_has_begun_here_comes_again() {
    let mut faults = Faults::seeded(1).with(Fault::SlowApi, 1.0);
    faults.slow = Duration::from_secs(2);
    let twin = behaving(Conduct { faults, ..Conduct::default() });
    let site = site(&twin, BOT_ID).await;
    let conversation = begun(&site).await;
    conversation.message("hand-over care").await.unwrap();
    until("the start", WITHIN, || (!asked(&twin).is_empty()).then_some(())).await.unwrap();
    let url = callback(&site, &twin);
    assert_eq!(post(&url, "I am Ada.").await, (503, Some("1".to_owned())));
    assert_eq!(got(&site, &conversation.cid, 2).await, ["I am the other one.", "Which?"]);
    assert_eq!(post(&url, "I am Ada.").await, (200, None));
    assert_eq!(got(&site, &conversation.cid, 3).await[2..], ["I am Ada."]);
}

#[tokio::test]
async fn a_hand_over_to_a_bot_that_is_not_there_fails() {
    let twin = external();
    let site = site(&twin, BOT_ID + 1).await;
    let conversation = begun(&site).await;
    let answer = conversation.message("say One moment.\nhand-over care").await.unwrap();
    assert_eq!(answer.texts(), ["One moment."]);
    assert_eq!(got(&site, &conversation.cid, 1).await, ["forward failed"]);
    let answer = conversation.message("say It is me again.").await.unwrap();
    assert_eq!(answer.texts(), ["It is me again."]);
}
