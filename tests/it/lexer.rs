//! Lexer Respond on Messenger, through the whole host: claims, replies, echoes.

use std::time::Duration;

use axum::http::StatusCode;
use botyard_tests::client::userlike::client;
use botyard_tests::peers::vendor::{Called, Vendor};
use botyard_tests::site::{Setup, Site};
use botyard_twins::{lexer, messenger};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::relay;

const WITHIN: Duration = Duration::from_secs(10);
const SECRET: &str = "canary-app-secret";

/// A page whose inbox is in Lexer: Facebook's side and Lexer's.
struct Page {
    site: Site,
    facebook: Vendor,
    lexer: Vendor,
}

impl Page {
    async fn open() -> Self {
        Self::open_with(json!({}), json!({})).await
    }

    async fn open_with(dialect: Value, more: Value) -> Self {
        let facebook =
            Vendor::start(json!({ "recipient_id": "7200", "message_id": "m_reply" })).unwrap();
        let lexer = Vendor::start_with(StatusCode::CREATED, json!({ "status": "ok" })).unwrap();
        let messenger = json!({
            "app-secret": SECRET,
            "verify-token": "canary-verify-token",
            "page-token": "canary-page-token",
            "app-id": "1234567890",
            "graph-url": facebook.url(),
        });
        let channel = json!({
            "vendor": "lexer",
            "webhook-header": null,
            "webhook-secret": null,
            "api-url": null,
            "api-token": null,
            "messenger": messenger,
            "client-id": 42,
            "token": "canary-lexer-token",
            "hub-url": lexer.url(),
            "dialect": dialect,
        });
        let setup = Setup::new("puppet").unwrap().channel("page", channel).with(more);
        let site = setup.start().await.unwrap();
        Self { site, facebook, lexer }
    }

    async fn send(&self, secret: &str, item: Value) -> u16 {
        self.send_all(secret, &[item]).await
    }

    async fn send_all(&self, secret: &str, items: &[Value]) -> u16 {
        let entry = json!({ "id": "410088", "time": 1_700_000_000_000_u64, "messaging": items });
        let body = json!({ "object": "page", "entry": [entry] }).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(body.as_bytes());
        let digest = mac.finalize().into_bytes();
        let signature: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let request = client().unwrap().post(self.site.url("/webhooks/page"));
        let request = request.header("X-Hub-Signature-256", format!("sha256={signature}"));
        request.body(body).send().await.unwrap().status().as_u16()
    }
}

fn message(mid: &str, text: &str) -> Value {
    json!({
        "sender": { "id": "7200" }, "recipient": { "id": "410088" },
        "timestamp": 1_700_000_000_000_u64, "message": { "mid": mid, "text": text },
    })
}

fn noticed(calls: &[Called], kind: &str) -> Vec<String> {
    let own = calls.iter().filter(|call| call.path.ends_with(kind));
    own.filter_map(|call| call.body["object_id"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn each_message_is_claimed_and_each_reply_echoed() {
    let page = Page::open().await;
    assert_eq!(page.send(SECRET, message("m_1", "say hi")).await, 200);
    let sent = page.facebook.wait(1, WITHIN).await.unwrap();
    assert_eq!(sent[0].body["message"]["text"], json!("hi"));
    assert_eq!(sent[0].body["recipient"]["id"], json!("7200"));
    assert_eq!(sent[0].headers["authorization"], "Bearer canary-page-token");
    let told = page.lexer.wait(2, WITHIN).await.unwrap();
    assert_eq!(noticed(&told, "/objects/claim"), ["m_1"]);
    assert_eq!(noticed(&told, "/objects/echo"), ["m_reply"]);
    let claim = told.iter().find(|call| call.path.ends_with("/claim")).unwrap();
    assert_eq!(claim.path, "/api/clients/42/bots/objects/claim");
    assert_eq!(claim.headers["auth-api-token"], "canary-lexer-token");
    assert_eq!(
        (&claim.body["state"], &claim.body["account_id"]),
        (&json!("closed"), &json!("410088"))
    );
    let echo = told.iter().find(|call| call.path.ends_with("/echo")).unwrap();
    assert!(echo.body.get("state").is_none());

    // The same webhook again is the same message: nothing is said or claimed twice.
    assert_eq!(page.send(SECRET, message("m_1", "say hi")).await, 200);
    assert_eq!(page.send("guess", message("m_2", "say no")).await, 401);
}

/// To hand over is to fall silent: nobody is called for it, so a page whose Facebook
/// refuses all control of threads has its team all the same.
#[tokio::test]
async fn a_hand_off_is_no_call_and_ends_the_claims() {
    const PSID: &str = "2410099887766";
    let options = messenger::Options {
        role: messenger::Role::Absent,
        ..messenger::Options::new(SECRET, "canary-verify-token", "canary-page-token")
    };
    let (page_id, app_id) = (options.page_id.clone(), options.app_id.clone());
    let facebook = messenger::start(options, messenger::conduct()).unwrap();
    let hub = lexer::Hub {
        client_id: 42,
        token: "canary-lexer-token".to_owned(),
        accounts: vec![page_id.clone()],
    };
    let lexer = lexer::start(hub, messenger::conduct()).unwrap();
    let below = json!({
        "app-secret": SECRET,
        "verify-token": "canary-verify-token",
        "page-token": "canary-page-token",
        "app-id": app_id,
        "graph-url": format!("{}/v23.0", facebook.url()),
    });
    let channel = json!({
        "vendor": "lexer",
        "webhook-header": null, "webhook-secret": null, "api-url": null, "api-token": null,
        "messenger": below,
        "client-id": 42,
        "token": "canary-lexer-token",
        "hub-url": lexer.url(),
    });
    let site = Setup::new("puppet").unwrap().channel("page", channel).start().await.unwrap();
    let account = facebook.account();
    account.point(messenger::HOOK, &site.url("/webhooks/page"));
    let write = async |text: &str| {
        let event = account.act(PSID, messenger::Act::Write(text.to_owned())).unwrap();
        let delivery = account.deliver(account.webhook(&[event])).await;
        assert!(delivery.is_delivered(), "{}", delivery.reason());
    };
    write("say one moment\nforward").await;
    account.wait_seen(PSID, 1, WITHIN).await.unwrap();
    let told = || (lexer.account().echoed(&page_id).len() == 1).then_some(());
    botyard_tests::wait::until("the echo", WITHIN, told).await.unwrap();
    write("say nobody").await;
    site.wait_metric("botyard_turns_total", &["skipped"], 1.0).await.unwrap();
    assert_eq!(account.texts(PSID), ["one moment"]);
    for call in account.calls() {
        assert!(call.acted, "{call:?}");
    }
    assert_eq!(lexer.account().claimed(&page_id).len(), 1, "the team has the second message");
}

/// To Lexer's team an external bot is the chatbot: what it takes does not show in the
/// inbox, and what it says is in the history.
#[tokio::test]
async fn what_an_external_bot_takes_is_claimed_too() {
    let twin = relay::external();
    let care = json!({
        "vendor": "instabot", "base-url": twin.url(), "api-key": relay::KEY,
        "bot-id": relay::BOT_ID,
    });
    let relays = json!({ "tenants": { "demo": { "relays": { "care": care } } } });
    let page = Page::open_with(json!({}), relays).await;
    assert_eq!(page.send(SECRET, message("m_1", "hand-over care")).await, 200);
    page.facebook.wait(2, WITHIN).await.unwrap();
    assert_eq!(page.send(SECRET, message("m_2", "Rye")).await, 200);
    let sent = page.facebook.wait(3, WITHIN).await.unwrap();
    assert_eq!(sent[2].body["message"]["text"], json!("How many?"));
    let told = page.lexer.wait(5, WITHIN).await.unwrap();
    assert_eq!(noticed(&told, "/objects/claim"), ["m_1", "m_2"]);
    assert_eq!(noticed(&told, "/objects/echo"), ["m_reply"; 3]);
}

/// On a page that has handover roles beside Lexer, the channel may say so.
#[tokio::test]
async fn a_page_with_handover_roles_passes_the_thread() {
    let page = Page::open_with(json!({ "pass-thread": true }), json!({})).await;
    assert_eq!(page.send(SECRET, message("m_1", "forward")).await, 200);
    let passed = page.facebook.wait(1, WITHIN).await.unwrap();
    assert_eq!(passed[0].path, "/me/pass_thread_control");
    assert_eq!(page.send(SECRET, message("m_2", "say nobody")).await, 200);
    page.site.wait_metric("botyard_turns_total", &["skipped"], 1.0).await.unwrap();
    assert_eq!(noticed(&page.lexer.calls(), "/objects/claim"), ["m_1"]);
}

#[tokio::test]
async fn a_damaged_part_holds_up_none_of_the_others_and_is_kept_once() {
    let page = Page::open().await;
    let items = [json!(7), message("m_1", "say hi")];
    for _ in 0..3 {
        assert_eq!(page.send_all(SECRET, &items).await, 200);
    }
    let sent = page.facebook.wait(1, WITHIN).await.unwrap();
    assert_eq!(sent[0].body["message"]["text"], json!("hi"));
    let operate = async |words: &[&str]| {
        let (code, printed) = page.site.operate(words).await.unwrap();
        assert_eq!(code, Some(0), "{words:?}: {printed}");
        printed
    };
    let list: Value =
        serde_json::from_str(&operate(&["dead-letter", "list", "--json"]).await).unwrap();
    let letters = list["letters"].as_array().unwrap();
    assert_eq!(letters.len(), 1, "{list}");
    let shown = operate(&["dead-letter", "show", letters[0]["part"].as_str().unwrap()]).await;
    assert!(shown.contains("reason: ") && shown.contains("damaged_webhook"), "{shown}");
}

/// Whoever sends a thousand parts that cannot be read costs no more than who sends a few.
#[tokio::test]
async fn of_many_damaged_parts_the_first_are_kept_and_the_rest_in_one_letter() {
    let page = Page::open().await;
    let mut items: Vec<Value> = (0..1_000).map(|number| json!(number)).collect();
    items.push(message("m_1", "say hi"));
    for _ in 0..2 {
        assert_eq!(page.send_all(SECRET, &items).await, 200);
    }
    let sent = page.facebook.wait(1, WITHIN).await.unwrap();
    assert_eq!(sent[0].body["message"]["text"], json!("hi"));
    let operator = page.site.host().management();
    let list = operator.get("/tenants/demo/dead-letters?limit=200").await.unwrap();
    let reason = |letter: &Value| letter["reason"].as_str().unwrap().to_owned();
    let reasons: Vec<String> = list["items"].as_array().unwrap().iter().map(reason).collect();
    assert_eq!(reasons.len(), 33, "{list}");
    let summed = reasons.iter().filter(|reason| reason.starts_with("968 more parts")).count();
    assert_eq!(summed, 1, "{reasons:?}");
    let metrics = page.site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_webhook_parts_damaged_total", &[]), 2_000.0);
    let log = page.site.host().log();
    let lines = log.lines().filter(|line| line.contains("of a webhook cannot be read"));
    assert_eq!(lines.count(), 2, "a line for each webhook");
}
