//! What a webhook gets that is not as it should be, and that it leaves no trace.

use botyard_tests::client::held::Held;
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::peers::userlike::Contact;
use botyard_tests::site::{HEADER, MAIN, SECRET, Setup, Site};
use serde_json::{Value, json};

const URL_SECRET: &str = "canary-url-secret-of-32-letters";
const CID: &str = "chatbot::612:0000000000000000000000000000beef";

fn message(cid: &str) -> Value {
    json!({ "info": { "cid": cid }, "packet": { "name": "message", "payload": { "body": "hi" } } })
}

/// Sends a body as it is; the answer's status and text.
async fn send(webhook: &Webhook, body: impl Into<Vec<u8>>) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.post(&webhook.url).body(body.into());
    if let Some((name, value)) = &webhook.header {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// An answer for whoever reads the vendor's log: one line that tells no secret.
fn is_one_line(text: &str) -> bool {
    let line = text.strip_suffix('\n').unwrap_or_default();
    line.len() > 10 && !line.contains('\n') && !line.contains("canary")
}

/// No event was counted, no turn was made, and the store knows no conversation.
async fn nothing_happened(site: &Site) {
    let metrics = site.metrics().await.unwrap();
    for name in ["botyard_events_total", "botyard_turns_total"] {
        assert_eq!(metrics.sum(name, &[]), 0.0, "{name}");
    }
    assert!(site.turns().is_empty());
    let signal = json!({ "name": "anybody" });
    let (status, text) = site.signals(CID).send(Some("1"), &signal).await.unwrap();
    assert_eq!(status, 404, "{text}");
}

#[tokio::test]
async fn a_webhook_without_the_right_header_is_refused() {
    let site = Setup::new("puppet").unwrap().start().await.unwrap();
    let url = site.webhook(MAIN).url;
    let long = "x".repeat(4_000);
    let headers: [Option<(&str, &str)>; 7] = [
        None,
        Some((HEADER, "")),
        Some((HEADER, "guess")),
        Some((HEADER, "Canary-webhook-secret")),
        Some((HEADER, "canary-webhook-secret-and-more")),
        Some((HEADER, &long)),
        Some(("security-token", SECRET)),
    ];
    for header in headers {
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let webhook = Webhook { url: url.clone(), header: header.map(own) };
        let (status, text) = send(&webhook, message(CID).to_string()).await;
        assert_eq!(status, 401, "{header:?}");
        assert!(is_one_line(&text), "{text}");
    }
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_webhooks_total", &["result=\"unauthorized\""]), 7.0);
    nothing_happened(&site).await;
    assert!(!site.host().log().contains("canary"));
}

#[tokio::test]
async fn an_account_without_headers_shows_its_secret_in_the_url() {
    let settings = json!({
        "webhook-header": null, "webhook-secret": null, "webhook-url-secret": URL_SECRET,
    });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, settings);
    let site = setup.start().await.unwrap();
    let base = site.webhook(MAIN).url;
    let wrong = [
        String::new(),
        "/".to_owned(),
        "/guess".to_owned(),
        format!("/{URL_SECRET}x"),
        format!("/{URL_SECRET}/more"),
        format!("?{URL_SECRET}"),
    ];
    for rest in wrong {
        let webhook = Webhook { url: format!("{base}{rest}"), header: None };
        let (status, text) = send(&webhook, message(CID).to_string()).await;
        // A path that ends in a slash has no handler at all.
        assert!(status == 401 || (rest == "/" && status == 404), "{rest}: {status}");
        assert!(status == 404 || is_one_line(&text), "{text}");
    }
    nothing_happened(&site).await;

    let webhook = Webhook { url: format!("{base}/{URL_SECRET}"), header: None };
    let right = Conversation::open(site.account(), &webhook, Contact::new()).unwrap();
    assert_eq!(right.message("hello").await.unwrap().texts(), ["you said: hello"]);
    assert!(!site.host().log().contains(URL_SECRET));
}

#[tokio::test]
async fn a_body_that_is_no_event_is_refused_and_leaves_nothing() {
    let site = Setup::new("puppet").unwrap().start().await.unwrap();
    let webhook = site.webhook(MAIN);
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let in_payload = message(CID).to_string().replace("\"hi\"", &nested);
    let packet = json!({ "name": "message", "payload": { "body": "hi" } });
    let rows: [(u16, Vec<u8>); 15] = [
        (400, b"".to_vec()),
        (400, b"{".to_vec()),
        (400, b"hello".to_vec()),
        (400, b"\xff\xfe".to_vec()),
        (400, b"null".to_vec()),
        (400, b"[]".to_vec()),
        (400, message(CID).to_string().into_bytes()[..40].to_vec()),
        (400, json!({ "packet": packet }).to_string().into()),
        (400, json!({ "info": {}, "packet": packet }).to_string().into()),
        (400, json!({ "info": { "cid": 7 }, "packet": packet }).to_string().into()),
        (400, json!({ "info": { "cid": CID } }).to_string().into()),
        (400, message(&"c".repeat(600)).to_string().into()),
        (400, nested.into()),
        (400, in_payload.into()),
        (413, message(&"c".repeat(1 << 20)).to_string().into()),
    ];
    for (expected, body) in rows {
        let head = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let (status, text) = send(&webhook, body).await;
        assert_eq!(status, expected, "{head}");
        assert!(is_one_line(&text), "{head}: {text}");
    }
    for name in ["", " "] {
        let (status, text) = send(&webhook, message(name).to_string()).await;
        assert_eq!(status, 400, "the cid {name:?}");
        assert!(text.contains("cid"), "{text}");
    }
    nothing_happened(&site).await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let limits = json!({ "server": { "body-timeout-ms": 300 } });
    let site = Setup::new("puppet").unwrap().with(limits).start().await.unwrap();
    let webhook = site.webhook(MAIN);
    let body = message(CID).to_string();
    let half = &body.as_bytes()[..body.len() / 2];
    for how in ["content-length: 1000", "transfer-encoding: chunked"] {
        let part = if how.starts_with("transfer") { b"5\r\n{\"inf\r\n" } else { half };
        let held = Held::begin(&webhook, how, part).await.unwrap();
        let (status, text) = held.answer().await.unwrap();
        assert_eq!(status, 408, "{how}: {text}");
        assert!(is_one_line(&text), "{text}");
    }
    nothing_happened(&site).await;
}

#[tokio::test]
async fn a_body_without_a_length_has_the_same_limit() {
    let site = Setup::new("puppet").unwrap().start().await.unwrap();
    let mut body = Vec::new();
    for _ in 0..16 {
        body.extend_from_slice(b"10000\r\n");
        body.extend_from_slice(&[b' '; 0x10000]);
        body.extend_from_slice(b"\r\n");
    }
    // Nothing is left unread, so that the end of the connection loses no answer.
    body.extend_from_slice(b"1\r\n \r\n");
    let how = "transfer-encoding: chunked";
    let held = Held::begin(&site.webhook(MAIN), how, &body).await.unwrap();
    let (status, text) = held.answer().await.unwrap();
    assert_eq!(status, 413, "{text}");
    nothing_happened(&site).await;
}

#[tokio::test]
async fn other_methods_and_other_addresses_are_refused() {
    let site = Setup::new("puppet").unwrap().start().await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = site.webhook(MAIN).url;
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let method = method.parse().unwrap();
        let answer = client.request(method, &url).header(HEADER, SECRET).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 405);
    }
    let (status, text) = send(&site.webhook("elsewhere"), message(CID).to_string()).await;
    assert_eq!(status, 404);
    assert!(is_one_line(&text), "{text}");
    nothing_happened(&site).await;
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_webhooks_total", &["result=\"unknown_channel\""]), 1.0);
}

#[tokio::test]
async fn what_we_do_not_know_is_a_value_and_no_error() {
    let site = Setup::new("puppet").unwrap().start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let answer = conversation.send("reaction", json!({ "emoji": "+1" })).await.unwrap();
    assert_eq!((answer.status, answer.texts()), (200, vec!["other reaction"]));
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_events_total", &["event=\"other\""]), 1.0);

    let mut body =
        conversation.body("message", json!({ "body": "hi", "mood": { "x": [1, null] } }));
    body["info"]["weather"] = json!("rain");
    body["info"]["conversation"]["contact_channel"]["type"] = json!("pigeon");
    body["more"] = json!([{}]);
    let answer = conversation.post(body.to_string()).await.unwrap();
    assert_eq!((answer.status, answer.texts()), (200, vec!["you said: hi"]));

    // Facts of a wrong kind are no facts; the event is there all the same.
    let mut body = conversation.body("message", json!({ "body": "ho" }));
    for key in ["contact", "conversation", "widget", "context", "approach_mode"] {
        body["info"][key] = json!(7);
    }
    let answer = conversation.post(body.to_string()).await.unwrap();
    assert_eq!((answer.status, answer.texts()), (200, vec!["you said: ho"]));
}
