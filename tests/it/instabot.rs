//! The Instabot Chat API through the whole host, with the strict client of the twins.

use std::time::Duration;

use botyard_tests::client::desk::Desk;
use botyard_tests::client::userlike::client;
use botyard_tests::site::{DESK_TOKEN, Setup, Site};
use botyard_tests::wait::{until, until_asked};
use botyard_twins::account::{Account, Conduct, Delivery, Twin};
use botyard_twins::instabot::{BASE, Client, Options, start_client};
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(10);
const EMAIL: &str = "guest@example.invalid";
const KEY: &str = "canary-instabot-key";
const BOT: u64 = 474_960_032;

async fn site(changes: Value) -> Site {
    let mut channel = json!({
        "vendor": "instabot",
        "webhook-header": null, "webhook-secret": null, "api-url": null, "api-token": null,
        "bot-id": BOT,
        "api-key": KEY,
        "stream-secret": "canary-instabot-stream-secret-of-32",
        "dialect": { "plain-callbacks": true },
    });
    channel.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    Setup::new("puppet").unwrap().channel("chat", channel).start().await.unwrap()
}

fn user(site: &Site, has_callback: bool) -> Twin<Client> {
    let options = Options { api_key: KEY.to_owned(), bot_id: BOT, has_callback };
    let twin = start_client(options, Conduct::default()).unwrap();
    twin.account().point(BASE, &site.url("/webhooks/chat"));
    twin
}

fn taken(delivery: &Delivery) {
    assert!(delivery.is_delivered() && delivery.reason().is_empty(), "{}", delivery.reason());
}

async fn sees(account: &Account<Client>, text: &str) {
    let seen =
        || account.seen(EMAIL).iter().any(|seen| format!("{seen:?}").contains(text)).then_some(());
    until(text, WITHIN, seen).await.unwrap();
}

#[tokio::test]
async fn a_chat_begins_goes_on_and_its_options_come_back_as_they_were() {
    let site = site(json!({})).await;
    let twin = user(&site, false);
    let account = twin.account();
    taken(&account.begin(EMAIL).await);
    let stream = account.stream(EMAIL).unwrap();
    assert!(stream.len() == 40 && stream.bytes().all(|byte| byte.is_ascii_digit()), "{stream}");
    taken(&account.write(EMAIL, "say hi\nmenu Which? rye spelt").await.unwrap());
    sees(account, "hi").await;
    taken(&account.tap(EMAIL, "spelt").await.unwrap());
    sees(account, "clicked spelt").await;
    taken(&account.write(EMAIL, "menu Which? rye spelt").await.unwrap());
    taken(&account.write(EMAIL, "1").await.unwrap());
    sees(account, "clicked rye").await;
    taken(&account.ask_for(EMAIL).await);
}

#[tokio::test]
async fn who_asks_for_a_person_hears_what_is_known_of_them() {
    let mut site = site(json!({})).await;
    let twin = user(&site, false);
    let account = twin.account();
    let ask = async |site: &Site, email: &str| {
        let url = site.url("/webhooks/chat/secure/user");
        let body = json!({ "apiKey": KEY, "email": email });
        let answer = client().unwrap().post(url).body(body.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    let stranger = ask(&site, EMAIL).await;
    assert_eq!(
        (&stranger["name"], &stranger["isDefaultFriendlyName"]),
        (&json!(EMAIL), &json!(true))
    );
    assert_eq!(stranger["createDate"], "0001-01-01T00:00:00Z");
    taken(&account.begin(EMAIL).await);
    let first = ask(&site, EMAIL).await;
    assert!(first["createDate"].as_str().unwrap().starts_with("20"), "{first}");
    taken(&account.write(EMAIL, "name Ida").await.unwrap());
    taken(&account.write(EMAIL, "end").await.unwrap());
    taken(&account.begin(EMAIL).await);
    site.restart_with(json!({})).await.unwrap();
    let known = ask(&site, &EMAIL.to_uppercase()).await;
    assert_eq!(
        (&known["friendlyName"], &known["isDefaultFriendlyName"]),
        (&json!("Ida"), &json!(false))
    );
    assert_eq!(known["createDate"], first["createDate"]);
    assert_ne!(known["lastLoginTime"], first["lastLoginTime"], "another chat began");
    assert_eq!(ask(&site, "nobody@example.invalid").await["isDefaultFriendlyName"], json!(true));
}

#[tokio::test]
async fn what_is_late_waits_for_the_next_request() {
    let site = site(json!({ "dialect": { "answer-by-ms": 1 } })).await;
    let twin = user(&site, false);
    let account = twin.account();
    taken(&account.begin(EMAIL).await);
    taken(&account.write(EMAIL, "pause 2000\nsay late").await.unwrap());
    let is_seen = || account.seen(EMAIL).iter().any(|seen| format!("{seen:?}").contains("late"));
    assert!(!is_seen(), "the answer waited for what is late");
    let ask = async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        taken(&account.write(EMAIL, "work 1").await.unwrap());
        Ok(is_seen().then_some(()))
    };
    until_asked("what is late", WITHIN, ask).await.unwrap();
}

#[tokio::test]
async fn what_is_late_is_posted_to_the_callback() {
    let site = site(json!({ "dialect": { "answer-by-ms": 1, "plain-callbacks": true } })).await;
    let twin = user(&site, true);
    let account = twin.account();
    taken(&account.begin(EMAIL).await);
    taken(&account.write(EMAIL, "work 30\nsay late").await.unwrap());
    sees(account, "late").await;
}

#[tokio::test]
async fn a_hand_off_goes_to_the_desk_whose_words_come_with_the_next_answer() {
    let site = site(json!({})).await;
    let twin = user(&site, false);
    let account = twin.account();
    taken(&account.begin(EMAIL).await);
    taken(&account.write(EMAIL, "say one moment\nforward").await.unwrap());
    sees(account, "one moment").await;
    let url = site.url("/v1/channels/chat/desk");
    let desk = Desk { url, token: DESK_TOKEN.to_owned() };
    let listed = async || {
        let (_, list) = desk.read("/conversations").await?;
        Ok(list["conversations"][0]["conversation"].as_str().map(str::to_owned))
    };
    let name = until_asked("the desk lists the chat", WITHIN, listed).await.unwrap();
    let own = format!("/conversations/{name}");
    let hello = json!({ "text": "I am Ada." });
    assert_eq!(desk.post(&format!("{own}/replies"), Some("r"), &hello).await.unwrap().0, 202);
    taken(&account.write(EMAIL, "say nobody runs").await.unwrap());
    sees(account, "I am Ada.").await;
    assert_eq!(desk.post(&format!("{own}/return"), Some("b"), &json!({})).await.unwrap().0, 202);
    taken(&account.write(EMAIL, "say the bot again").await.unwrap());
    sees(account, "the bot again").await;
    assert!(!account.texts(EMAIL).contains(&"nobody runs".to_owned()));
}

#[tokio::test]
async fn a_chat_begins_also_where_its_callback_cannot_be_used() {
    // The twin's callback is plain http, which this channel does not take.
    let site = site(json!({ "dialect": {} })).await;
    let twin = user(&site, true);
    let account = twin.account();
    taken(&account.begin(EMAIL).await);
    taken(&account.write(EMAIL, "say hi").await.unwrap());
    sees(account, "hi").await;
    assert_eq!(account.calls().len(), 0);
}

#[tokio::test]
async fn a_refusal_says_in_json_what_is_wrong() {
    let site = site(json!({})).await;
    let body = json!({ "apiKey": "guess", "start": true, "botId": BOT, "email": EMAIL });
    let send = async |path: &str, body: &Value| {
        let url = site.url(&format!("/webhooks/chat/{path}"));
        let answer = client().unwrap().post(url).body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap().to_string())
    };
    let (status, told) = send("secure/send", &body).await;
    assert!(status == 401 && told.contains("api-key") && !told.contains("canary"), "{told}");
    let (status, told) = send("secure/sent", &body).await;
    assert!(status == 404 && told.contains("/secure/send"), "{told}");
    let made_up = json!({ "streamId": "1".repeat(40), "message": { "text": "say hi" } });
    let (status, told) = send("secure/send", &made_up).await;
    assert!(status == 404 && told.contains("start a new one"), "{told}");
}
