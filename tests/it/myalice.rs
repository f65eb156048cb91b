//! `MyAlice` through the whole host: one thing in each answer, the rest by REST.

use std::time::Duration;

use botyard_tests::client::userlike::client;
use botyard_tests::peers::vendor::Vendor;
use botyard_tests::site::{Setup, Site};
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(10);
const SECRET: &str = "canary-alice-secret";
const KEY: &str = "canary-alice-key";

async fn site(rest: &Vendor) -> Site {
    let channel = json!({
        "vendor": "myalice",
        "webhook-header": null,
        "webhook-secret": SECRET,
        "api-url": null,
        "api-token": null,
        "api-key": KEY,
        "wait-text": "One moment, please.",
        "dialect": { "rest-base": rest.url() },
    });
    Setup::new("puppet").unwrap().channel("alice", channel).start().await.unwrap()
}

/// A block of the chatbot calls.
async fn block(site: &Site, form: &str, text: &str) -> Value {
    let url = site.url(&format!("/webhooks/alice/{form}/menu"));
    let body = json!({ "uid": 1022, "platform_id": 77, "bot_enabled": true, "full_name": "Mara",
        "last_message_text": text });
    let request = client().unwrap().post(url).header("X-Secret", SECRET).body(body.to_string());
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

fn texts(calls: &[botyard_tests::peers::vendor::Called]) -> Vec<&str> {
    calls.iter().filter_map(|call| call.body["text"].as_str()).collect()
}

#[tokio::test]
async fn a_text_block_shows_the_first_text_and_the_rest_follows_by_rest() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let site = site(&rest).await;
    let answer = block(&site, "text", "say one\nsay two\nmedia https://x.example/a.png").await;
    assert_eq!((&answer["data"], &answer["success"]), (&json!("one"), &json!(true)), "{answer}");
    let calls = rest.wait(2, WITHIN).await.unwrap();
    assert_eq!(calls[0].path, "/customers/send-text-message");
    assert_eq!(calls[0].headers["x-myalice-api-key"], KEY);
    assert_eq!(calls[0].body["customer_id"], json!("1022"));
    assert_eq!(texts(&calls), ["two", "https://x.example/a.png"]);
}

#[tokio::test]
async fn an_image_block_shows_the_picture_and_texts_follow() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let site = site(&rest).await;
    let answer = block(&site, "image", "say one\nmedia https://x.example/a.png\nname Ida").await;
    assert!(answer["data"].as_str().unwrap().contains("https://x.example/a.png"), "{answer}");
    assert!(answer["attributes"].to_string().contains("Ida"), "{answer}");
    assert_eq!(texts(&rest.wait(1, WITHIN).await.unwrap()), ["one"]);
}

#[tokio::test]
async fn the_second_picture_of_an_image_block_follows_as_a_link() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let site = site(&rest).await;
    let script = "media https://x.example/a.png\nmedia https://x.example/b.png\nsay done";
    let answer = block(&site, "image", script).await;
    assert!(answer["data"].as_str().unwrap().contains("https://x.example/a.png"), "{answer}");
    let calls = rest.wait(2, WITHIN).await.unwrap();
    assert_eq!(texts(&calls), ["https://x.example/b.png", "done"]);
}

/// The believed form of quick replies has no place for the text. What follows may take the
/// buttons away, so it numbers them.
#[tokio::test]
async fn the_text_of_quick_replies_is_said_and_a_second_menu_is_numbered() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let site = site(&rest).await;
    let answer = block(&site, "quick-reply", "menu Sure? Yes No\nmenu When? Today Later").await;
    assert_eq!(answer["data"], json!(r#"[{"title":"Yes"},{"title":"No"}]"#), "{answer}");
    let calls = rest.wait(2, WITHIN).await.unwrap();
    let numbered = "When?\n1. Today\n2. Later\nReply with a number.";
    assert_eq!(texts(&calls), ["Sure?\n1. Yes\n2. No\nReply with a number.", numbered]);
    let answer = block(&site, "quick-reply", "Today").await;
    assert_eq!(answer["success"], json!(false), "nothing is a quick reply: {answer}");
    assert_eq!(texts(&rest.wait(3, WITHIN).await.unwrap())[2], "clicked Today");
}

/// What misses its block's answer loses nothing: it is numbered in as many messages as it
/// takes.
#[tokio::test]
async fn a_late_menu_of_forty_options_arrives_whole() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let channel = json!({ "dialect": { "timing": { "answer-by-ms": 1 } } });
    let more = json!({ "tenants": { "demo": { "channels": { "alice": channel } } } });
    let mut site = site(&rest).await;
    site.restart_with(more).await.unwrap();
    let labels: Vec<String> = (1..=40).map(|n| format!("{n}-{}", "x".repeat(60))).collect();
    let script = format!("work 30\nmenu Which? {}", labels.join(" "));
    let answer = block(&site, "quick-reply", &script).await;
    assert_eq!((&answer["data"], &answer["success"]), (&json!(""), &json!(false)), "{answer}");
    let calls = rest.wait(2, WITHIN).await.unwrap();
    let texts = texts(&calls);
    assert!(texts.iter().all(|text| text.chars().count() <= 2_000), "{texts:?}");
    let whole = texts.join("\n");
    for (n, label) in (1..).zip(&labels) {
        assert!(whole.contains(&format!("{n}. {label}")), "{n}: {whole}");
    }
}

#[tokio::test]
async fn a_late_turn_is_awaited_with_the_wait_text_and_goes_by_rest() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let channel = json!({ "dialect": { "timing": { "answer-by-ms": 1 } } });
    let more = json!({ "tenants": { "demo": { "channels": { "alice": channel } } } });
    let mut site = site(&rest).await;
    site.restart_with(more).await.unwrap();
    let answer = block(&site, "text", "work 30\nsay late").await;
    assert_eq!(answer["data"], json!("One moment, please."));
    assert_eq!(texts(&rest.wait(1, WITHIN).await.unwrap()), ["late"]);
}

#[tokio::test]
async fn a_get_is_a_conversation_of_its_own_with_nothing_after_its_answer() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let site = site(&rest).await;
    let get = async |query: &str| {
        let url = site.url(&format!("/webhooks/alice/text/menu?{query}"));
        let request = client().unwrap().get(url).header("X-Secret", SECRET);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    };
    assert_eq!(get("text=count").await["data"], json!("1 1"));
    assert_eq!(get("text=count").await["data"], json!("1 1"), "nothing is remembered");
    assert_eq!(get("text=many%202").await["data"], json!("0"));
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(rest.calls().len(), 0, "nothing is sent after the answer");
}

#[tokio::test]
async fn whom_the_vendor_gives_to_a_human_no_bot_answers() {
    let rest = Vendor::start(json!({ "success": true })).unwrap();
    let site = site(&rest).await;
    let url = site.url("/webhooks/alice/text/menu");
    let body = json!({ "uid": 1, "platform_id": 77, "bot_enabled": false,
        "last_message_text": "say nobody" });
    let send = |secret: &'static str| {
        client().unwrap().post(&url).header("X-Secret", secret).body(body.to_string()).send()
    };
    assert_eq!(send("guess").await.unwrap().status().as_u16(), 401);
    assert_eq!(send(SECRET).await.unwrap().status().as_u16(), 200);
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_turns_total", &["result=\"ran\""]), 0.0);
    let nowhere = client().unwrap().post(site.url("/webhooks/alice/video/menu"));
    let nowhere = nowhere.header("X-Secret", SECRET).body("{}").send().await.unwrap();
    assert_eq!(nowhere.status().as_u16(), 404);
}
