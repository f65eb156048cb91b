//! `MyAlice` with its people in the loop, with the strict twin as the other side: who has
//! a conversation, and what a block shows meanwhile.

use std::time::Duration;

use botyard_tests::client::desk::Desk;
use botyard_tests::site::{DESK_TOKEN, Setup, Site};
use botyard_twins::account::{Account, Twin};
use botyard_twins::myalice::{
    Block, News, Options, Output, Platform, TICKETS, conduct, document, start,
};
use http::Method;
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(10);
const SECRET: &str = "canary-alice-secret";
const KEY: &str = "canary-alice-key";
const TICKETS_SECRET: &str = "canary-alice-tickets-secret";
const UID: u64 = 1022;
const CONVERSATION: &str = "/conversations/1:1022";
/// The name of the one block.
const MENU: &str = "menu";

/// A host, and the platform whose block asks it.
async fn site(changes: Value, method: Method) -> (Site, Twin<Platform>) {
    let twin = start(Options::new(KEY, "X-Secret", SECRET), conduct()).unwrap();
    let mut channel = json!({
        "vendor": "myalice",
        "webhook-header": null, "api-url": null, "api-token": null,
        "webhook-secret": SECRET,
        "tickets-url-secret": TICKETS_SECRET,
        "api-key": KEY,
        "wait-text": "One moment, please.",
        "failure-texts": { "": "Sorry, not now." },
        "dialect": { "rest-base": format!("{}{}", twin.url(), document::BASE) },
    });
    let (given, changes) = (channel.as_object_mut().unwrap(), changes.as_object().unwrap());
    for (key, value) in changes {
        match (given.get_mut(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => old.extend(new.clone()),
            _ => drop(given.insert(key.clone(), value.clone())),
        }
    }
    let site = Setup::new("puppet").unwrap().channel("alice", channel).start().await.unwrap();
    let account = twin.account();
    let parameters = match method {
        Method::GET => vec![("text".to_owned(), "work 300\nsay late".to_owned())],
        _ => Vec::new(),
    };
    account.add_block(MENU, Block { output: Output::Text, method, parameters });
    account.point(MENU, &site.url("/webhooks/alice/text/menu"));
    account.point(TICKETS, &site.url(&format!("/webhooks/alice/tickets/{TICKETS_SECRET}")));
    account.know(UID, "+49301234567");
    (site, twin)
}

fn desk(site: &Site) -> Desk {
    Desk { url: site.url("/v1/channels/alice/desk"), token: DESK_TOKEN.to_owned() }
}

/// Says something to the block and tells what it shows.
async fn shows(account: &Account<Platform>, text: &str) -> String {
    let delivery = account.write(UID, MENU, text).await.unwrap();
    assert!(delivery.is_delivered() && delivery.reason().is_empty(), "{}", delivery.reason());
    let answer: Value = serde_json::from_str(delivery.answer()).unwrap();
    answer["data"].as_str().unwrap().to_owned()
}

async fn tell(account: &Account<Platform>, news: News) {
    let sent = account.post(account.news(UID, news).unwrap()).await;
    assert!(sent.delivered, "{}", sent.reason);
}

async fn listed(desk: &Desk) -> usize {
    let (status, list) = desk.read("/conversations").await.unwrap();
    assert_eq!(status, 200, "{list}");
    list["conversations"].as_array().unwrap().len()
}

async fn wait_texts(account: &Account<Platform>, count: usize) -> Vec<String> {
    account.wait_seen(&UID.to_string(), count, WITHIN).await.unwrap();
    account.texts(&UID.to_string())
}

#[tokio::test]
async fn a_human_at_the_desk_keeps_the_conversation_while_the_vendor_says_the_bot_has_it() {
    let (site, twin) = site(json!({}), Method::POST).await;
    let (account, desk) = (twin.account(), desk(&site));
    assert_eq!(shows(account, "say hi").await, "hi");
    let ada = json!({ "agent": "Ada" });
    assert_eq!(desk.post(&format!("{CONVERSATION}/take"), Some("t"), &ada).await.unwrap().0, 202);
    for _ in 0..2 {
        assert_eq!(shows(account, "say nobody runs").await, "", "no wait text: nothing follows");
    }
    // A ticket of MyAlice's own that is closed gives back nothing that it had not taken.
    tell(account, News::TicketCreated).await;
    tell(account, News::TicketResolved).await;
    assert_eq!(shows(account, "say nobody runs").await, "");
    assert_eq!(listed(&desk).await, 1);
    let hello = json!({ "text": "Hello, I am Ada." });
    assert_eq!(
        desk.post(&format!("{CONVERSATION}/replies"), Some("r"), &hello).await.unwrap().0,
        202
    );
    assert_eq!(wait_texts(account, 2).await, ["hi", "Hello, I am Ada."]);
    let back = desk.post(&format!("{CONVERSATION}/return"), Some("b"), &json!({})).await.unwrap();
    assert_eq!(back.0, 202);
    assert_eq!(shows(account, "say the bot again").await, "the bot again");
    assert_eq!(listed(&desk).await, 0);
}

#[tokio::test]
async fn what_the_vendor_took_the_vendor_gives_back() {
    let (site, twin) = site(json!({}), Method::POST).await;
    let (account, desk) = (twin.account(), desk(&site));
    account.set_bot_enabled(UID, false);
    assert_eq!(shows(account, "say nobody").await, "");
    assert_eq!(listed(&desk).await, 1);
    account.set_bot_enabled(UID, true);
    assert_eq!(shows(account, "say again").await, "again");
    account.set_bot_enabled(UID, false);
    assert_eq!(shows(account, "say nobody").await, "");
    tell(account, News::TicketResolved).await;
    assert_eq!(listed(&desk).await, 0, "the ticket is closed");
    // Who does not know the secret in the URL tells no news.
    account.point(TICKETS, &site.url("/webhooks/alice/tickets/guess"));
    let sent = account.post(account.news(UID, News::TicketCreated).unwrap()).await;
    assert_eq!(sent.status, Some(401), "{}", sent.reason);
}

#[tokio::test]
async fn a_hand_off_goes_to_the_desk_behind_the_bots_last_words() {
    for word in ["forward", "abort"] {
        let (site, twin) = site(json!({}), Method::POST).await;
        let (account, desk) = (twin.account(), desk(&site));
        let shown = shows(account, &format!("say one\nsay two\n{word}\nsay withheld")).await;
        assert_eq!(shown, "one");
        assert_eq!(wait_texts(account, 2).await, ["one", "two"]);
        botyard_tests::wait::until_asked("the desk lists it", WITHIN, async || {
            Ok((listed(&desk).await == 1).then_some(()))
        })
        .await
        .unwrap();
        assert_eq!(shows(account, "say nobody runs").await, "");
        let back = format!("{CONVERSATION}/return");
        assert_eq!(desk.post(&back, Some("b"), &json!({})).await.unwrap().0, 202);
        assert_eq!(shows(account, "say back").await, "back");
        assert_eq!(account.texts(&UID.to_string()), ["one", "two", "back"]);
    }
}

#[tokio::test]
async fn without_a_desk_the_bot_hears_once_that_nobody_took_it() {
    let (site, twin) = site(json!({ "desk-token": null }), Method::POST).await;
    let account = twin.account();
    assert_eq!(shows(account, "forward").await, "");
    assert_eq!(wait_texts(account, 1).await, ["forward failed"]);
    assert_eq!(shows(account, "say the bot goes on").await, "the bot goes on");
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_turns_total", &["result=\"ran\""]), 3.0);
}

#[tokio::test]
async fn a_bot_that_says_nothing_shows_nothing() {
    let (_site, twin) = site(json!({}), Method::POST).await;
    assert_eq!(shows(twin.account(), "note for the desk").await, "");
}

#[tokio::test]
async fn a_get_that_is_late_shows_the_failure_text() {
    let late = json!({ "dialect": { "timing": { "answer-by-ms": 1 } } });
    let (_site, twin) = site(late, Method::GET).await;
    assert_eq!(shows(twin.account(), "").await, "Sorry, not now.");
}
