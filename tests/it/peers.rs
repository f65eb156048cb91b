//! The peers themselves: a lenient one would hide the host's mistakes.

use std::time::{Duration, Instant};

use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::peers::shop::Shop;
use botyard_tests::peers::userlike::{Account, Contact, Userlike};
use serde_json::{Value, json};

const CID: &str = "chatbot::612:00000000000000000000000000000001";

fn event(name: &str, payload: Value) -> Value {
    json!({ "info": { "cid": CID }, "packet": { "name": name, "payload": payload } })
}

fn hello() -> Value {
    event("message", json!({ "body": "Hello" }))
}

/// Calls the API URL as a host would.
async fn call(url: &str, token: &str, body: impl ToString) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.post(url).header("SECURITY-TOKEN", token);
    let request = request.header("content-type", "application/json").body(body.to_string());
    request.send().await.unwrap().status().as_u16()
}

async fn open() -> Userlike {
    rustls::crypto::ring::default_provider().install_default().ok();
    let userlike = Userlike::start("secret").await.unwrap();
    userlike.account().open(CID, Contact::new());
    userlike
}

#[tokio::test]
async fn userlike_takes_lists_and_single_events_with_the_token_only() {
    let userlike = open().await;
    let url = userlike.api_url();
    assert_eq!(call(&url, "secret", hello()).await, 200);
    assert_eq!(call(&url, "secret", json!([hello(), hello()])).await, 200);
    assert_eq!(call(&url, "guess", hello()).await, 401);
    assert_eq!(userlike.account().delivered(CID).len(), 3);
    let calls = userlike.account().calls();
    assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [200, 200, 401]);
}

#[tokio::test]
async fn userlike_refuses_what_its_documents_rule_out() {
    let userlike = open().await;
    let mut stranger = hello();
    stranger["info"]["cid"] = json!("chatbot::612:ffffffffffffffffffffffffffffffff");
    let with_context = |letters: usize| {
        let mut event = hello();
        event["info"]["context"] = json!({ "a": "x".repeat(letters) });
        event
    };
    let options: Vec<_> = (0..11).map(|id| json!({ "id": id, "label": "x" })).collect();
    let rows = [
        (404, stranger),
        (400, json!("text")),
        (400, event("shout", json!({}))),
        (400, event("message", json!({ "body": "" }))),
        (200, event("message", json!({ "body": "ä".repeat(5_000) }))),
        (400, event("message", json!({ "body": "ä".repeat(5_001) }))),
        // `{"a":""}` itself has 8 bytes.
        (200, with_context(9_992)),
        (400, with_context(9_993)),
        (400, event("bubbles", json!({ "body": "?", "options": [] }))),
        (400, event("list_template", json!({ "options": options, "fallback": "?" }))),
        (400, event("contact_update", json!({}))),
    ];
    for (expected, body) in rows {
        let head: String = body.to_string().chars().take(120).collect();
        assert_eq!(call(&userlike.api_url(), "secret", body).await, expected, "{head}");
    }
    assert_eq!(call(&userlike.api_url(), "secret", "{").await, 400);
}

#[tokio::test]
async fn userlike_lets_twenty_requests_a_minute_through() {
    let userlike = open().await;
    for _ in 0..20 {
        assert_eq!(call(&userlike.api_url(), "secret", hello()).await, 200);
    }
    assert_eq!(call(&userlike.api_url(), "secret", hello()).await, 429);
    assert_eq!(userlike.account().delivered(CID).len(), 20);
}

#[tokio::test]
async fn userlike_echoes_the_last_context_that_was_not_empty() {
    let userlike = open().await;
    let account = userlike.account();
    let webhook = Webhook { url: "http://127.0.0.1:1/".into(), header: None };
    let conversation = Conversation::open(account, &webhook, Contact::new()).unwrap();
    say(account, &conversation.cid, json!({ "state": "name" }));
    say(account, &conversation.cid, json!({}));
    let body = conversation.body("message", json!({ "body": "Mara" }));
    assert_eq!(body["info"]["context"], json!({ "state": "name" }));
    assert_eq!(body["info"]["cid"], json!(conversation.cid));
}

fn say(account: &Account, cid: &str, context: Value) {
    let mut event = hello();
    event["info"] = json!({ "cid": cid, "context": context });
    let packets = botyard_tests::peers::userlike::packets(event.to_string().as_bytes()).unwrap();
    account.take(&packets);
}

#[tokio::test]
async fn userlike_shows_an_updated_contact() {
    let userlike = open().await;
    let update = event("contact_update", json!({ "name": "Mara" }));
    assert_eq!(call(&userlike.api_url(), "secret", update).await, 200);
    assert_eq!(userlike.account().contact(CID)["name"], json!("Mara"));
}

#[tokio::test]
async fn the_shop_answers_late_and_notes_the_key() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let delay = Duration::from_millis(50);
    let shop = Shop::start(delay).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let start = Instant::now();
    let ask = client.get(format!("{}/orders/84-11907", shop.url()));
    let answer = ask.header("idempotency-key", "k1").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(start.elapsed() >= delay);
    assert_eq!(shop.lookups()[0].idempotency_key.as_deref(), Some("k1"));
    let unknown = client.get(format!("{}/orders/lamp", shop.url())).send().await.unwrap();
    assert_eq!(unknown.status().as_u16(), 404);
}
