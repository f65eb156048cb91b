//! The whole twin on this machine's own address.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::faults::{Fault, Faults};
use crate::host::{self, Heard, Host};

const UID: u64 = 1_022;

fn platform(conduct: Conduct) -> Twin<Platform> {
    let twin = start(Options::new("key", "X-Secret", "hook"), conduct).unwrap();
    twin.account().know(UID, "880100");
    twin
}

fn post(output: Output) -> Block {
    let parameters = vec![("lang".to_owned(), "en us".to_owned())];
    Block { output, method: Method::POST, parameters }
}

fn pointed(host: &Host, output: Output) -> Twin<Platform> {
    let twin = platform(conduct());
    twin.account().add_block("block", post(output));
    twin.account().point("block", &host.url());
    twin
}

fn answer(data: &str) -> Value {
    json!({ "data": data, "success": true, "message": "Successful", "attributes": {}, "status": 200 })
}

async fn rest(twin: &Twin<Platform>, path: &str, body: &Value) -> (u16, Value) {
    let headers = [("x-myalice-api-key", "key"), ("content-type", "application/json")];
    host::call(twin, "POST", &format!("/stable/open/{path}"), &headers, body.to_string()).await
}

#[tokio::test]
async fn a_post_tells_the_customer_and_keeps_the_attributes_of_the_answer() {
    let host = Host::start(|_, _: &Heard| {
        let mut answer = answer("Your order\nships today.");
        answer["attributes"] = json!({ "order_state": "shipped" });
        (200, answer.to_string())
    });
    let twin = pointed(&host, Output::Text);
    let account = twin.account();
    let delivery = account.write(UID, "block", "order status").await.unwrap();
    assert_eq!((delivery.status(), delivery.reason()), (200, ""));
    account.write(UID, "block", "again").await.unwrap();
    assert_eq!(account.texts(&UID.to_string()), ["Your order\nships today."; 2]);
    assert_eq!(account.attributes(UID)["order_state"], "shipped");
    let heard = host.heard();
    assert_eq!(heard[0].header("x-secret"), "hook");
    let first = heard[0].json();
    assert_eq!(first["uid"], UID);
    assert_eq!(first["timezone"].to_string(), "6.0");
    assert_eq!(first["last_message_text"], "order status");
    assert_eq!(first["lang"], "en us");
    assert!(first.get("order_state").is_none());
    assert_eq!(heard[1].json()["order_state"], "shipped");
}

#[tokio::test]
async fn a_get_tells_nothing_but_its_parameters() {
    let host = Host::start(|_, _: &Heard| (200, answer("hi").to_string()));
    let twin = pointed(&host, Output::Text);
    twin.account().add_block("block", Block { method: Method::GET, ..post(Output::Text) });
    twin.account().write(UID, "block", "secret words").await.unwrap();
    let heard = &host.heard()[0];
    assert_eq!((&heard.method, &*heard.body), (&Method::GET, &b""[..]));
    assert!(heard.path.ends_with("?lang=en+us"), "{}", heard.path);
    assert_eq!(heard.header("x-secret"), "hook");
    assert_eq!(twin.account().texts(&UID.to_string()), ["hi"]);
}

#[tokio::test]
async fn an_answer_is_one_object_of_the_documented_form() {
    let with = |key: &str, value: Value| {
        let mut answer = answer("x");
        answer[key] = value;
        answer.to_string()
    };
    let without = |key: &str| {
        let mut answer = answer("x");
        answer.as_object_mut().unwrap().shift_remove(key);
        answer.to_string()
    };
    let rows = [
        (without("attributes"), ""),
        (with("success", json!(false)), ""),
        (String::new(), "not JSON"),
        (format!("[{}]", answer("x")), "without a payload object"),
        (format!("{0}{0}", answer("x")), "not JSON"),
        (with("data", json!({ "text": "x" })), "data is"),
        (with("data", Value::Null), "data is"),
        (without("data"), "data is"),
        (with("success", json!("yes")), "success is"),
        (without("success"), "success is"),
        (with("message", json!(5)), "message is"),
        (with("status", json!("200")), "whole number in status"),
        (with("attributes", json!([])), "attributes"),
        (with("colour", json!("red")), "colour"),
    ];
    for (body, words) in rows {
        let answered = body.clone();
        let host = Host::start(move |_, _: &Heard| (200, answered.clone()));
        let twin = pointed(&host, Output::Text);
        let delivery = twin.account().write(UID, "block", "x").await.unwrap();
        assert!(delivery.reason().contains(words), "{body}: {}", delivery.reason());
        assert_eq!(delivery.reason().is_empty(), words.is_empty(), "{body}");
        let shown = twin.account().texts(&UID.to_string());
        assert_eq!(shown.len(), usize::from(words.is_empty()), "{body}");
    }
}

#[tokio::test]
async fn each_kind_of_output_has_its_form() {
    let rows = [
        (Output::Image, "https://cdn.example/p.jpg", true),
        (Output::Image, "a picture", false),
        (Output::Gallery, r#"[{"title":"Lamp","image":"https://cdn.example/1.jpg"}]"#, true),
        (Output::Gallery, r#"[{"title":"Lamp","image":"nowhere"}]"#, false),
        (Output::Gallery, r#"[{"image":"https://cdn.example/1.jpg"}]"#, false),
        (Output::Button, r#"[{"title":"Buy"}]"#, true),
        (Output::Button, "[]", false),
        (Output::QuickReply, r#"[{"title":"Yes"},{"title":"No"}]"#, true),
        (Output::QuickReply, "Yes", false),
        (Output::QuickReply, r#"{"title":"Yes"}"#, false),
    ];
    for (output, data, good) in rows {
        let host = Host::start(move |_, _: &Heard| (200, answer(data).to_string()));
        let twin = pointed(&host, output);
        let delivery = twin.account().write(UID, "block", "x").await.unwrap();
        assert_eq!(delivery.reason().is_empty(), good, "{output:?} {data}: {}", delivery.reason());
        let seen = twin.account().seen(&UID.to_string());
        assert_eq!(seen.len(), usize::from(good));
        assert!(seen.iter().all(|seen| seen.name == output.name()));
    }
}

#[tokio::test]
async fn what_was_shown_can_be_tapped_once() {
    let data = r#"[{"title":"Yes"},{"title":"No"}]"#;
    let host = Host::start(move |number, _: &Heard| {
        (200, answer(if number == 1 { data } else { "" }).to_string())
    });
    let twin = pointed(&host, Output::QuickReply);
    let account = twin.account();
    account.tap(UID, "block", "Yes").await.expect_err("nothing was shown");
    account.write(UID, "block", "hi").await.unwrap();
    account.tap(UID, "block", "Yes").await.unwrap();
    assert_eq!(host.heard()[1].json()["last_message_text"], "Yes");
    account.tap(UID, "block", "Yes").await.expect_err("it is gone");
    assert_eq!(account.seen(&UID.to_string()).len(), 1, "empty data shows nothing");
}

#[tokio::test]
async fn what_comes_too_late_or_fails_is_not_shown_and_not_asked_again() {
    let host = Host::late(Duration::from_millis(400), |_, _| (200, answer("late").to_string()));
    let twin = platform(Conduct { answer_within: Duration::from_millis(30), ..conduct() });
    twin.account().add_block("block", post(Output::Text));
    twin.account().point("block", &host.url());
    let delivery = twin.account().write(UID, "block", "x").await.unwrap();
    assert_eq!((delivery.sendings.len(), delivery.reason()), (1, "no answer within 30ms"));
    let host = Host::start(|_, _: &Heard| (503, answer("no").to_string()));
    twin.account().point("block", &host.url());
    let delivery = twin.account().write(UID, "block", "x").await.unwrap();
    assert_eq!((delivery.sendings.len(), delivery.status()), (1, 503));
    assert!(twin.account().texts(&UID.to_string()).is_empty());
    assert_eq!(conduct().answer_within, Duration::from_secs(5));
}

#[tokio::test]
async fn news_have_their_own_form_and_blocks_say_whether_the_bot_is_on() {
    let host = Host::start(|_, _: &Heard| (200, String::new()));
    let twin = platform(conduct());
    let account = twin.account();
    account.point(TICKETS, &host.url());
    account.add_block("block", post(Output::Text));
    let all = [
        News::CustomerCreated,
        News::TicketCreated,
        News::TicketTagged,
        News::TicketResolved,
        News::TicketReopened,
    ];
    for news in all {
        let webhook = account.news(UID, news).unwrap();
        assert!(account.deliver(webhook).await.is_delivered());
    }
    let heard: Vec<_> = host.heard().iter().map(Heard::json).collect();
    let actions: Vec<_> = heard.iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        [
            "customer_created",
            "ticket_created",
            "ticket_tagged",
            "ticket_resolved",
            "ticket_reopened"
        ]
    );
    assert!(heard[0].get("ticket").is_none());
    assert!(heard[1]["ticket"]["created_at"].is_string());
    assert_eq!(heard[1]["ticket"]["id"], heard[4]["ticket"]["id"]);
    assert_eq!(heard[3]["ticket"]["is_resolved"], true);
    assert_eq!(heard[1]["customer"]["id"], UID);
    for enabled in [false, true] {
        account.set_bot_enabled(UID, enabled);
        let body = account.ask(UID, "block", "x").unwrap().body;
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["bot_enabled"], enabled);
    }
    account.ask(9, "block", "x").expect_err("nobody knows them");
    account.ask(UID, "none", "x").expect_err("there is no such block");
}

#[tokio::test]
async fn rest_calls_reach_customers() {
    let twin = platform(conduct());
    let text = "customers/send-text-message";
    let sequence = "customers/send-sequence";
    let template = "whatsapp/send-template-message";
    let rows = [
        (200, text, json!({ "customer_id": "1022", "text": "Hi" })),
        (400, text, json!({ "customer_id": 1022, "text": "Hi" })),
        (400, text, json!({ "customer_id": "1022", "text": "" })),
        (400, text, json!({ "customer_id": "1022" })),
        (400, text, json!({ "customer_id": "1022", "text": "Hi", "colour": "red" })),
        (400, text, json!([])),
        (404, text, json!({ "customer_id": "9", "text": "Hi" })),
        (200, sequence, json!({ "sequence_id": "138", "customer_id": "1022" })),
        (404, sequence, json!({ "sequence_id": "9", "customer_id": "1022" })),
        (400, sequence, json!({ "customer_id": "1022" })),
        (
            200,
            template,
            json!({ "template_id": "9", "channel_id": 1, "customer_phone": "880100",
            "attributes": {} }),
        ),
        (404, template, json!({ "template_id": "8", "channel_id": 1, "customer_phone": "880100" })),
        (400, template, json!({ "template_id": "9", "customer_phone": "880100" })),
        (404, "customers/shout", json!({})),
    ];
    for (expected, path, body) in rows {
        let (status, answer) = rest(&twin, path, &body).await;
        assert_eq!(status, expected, "{path} {body}: {answer}");
    }
    let seen = twin.account().seen("1022");
    let names: Vec<_> = seen.iter().map(|seen| &*seen.name).collect();
    assert_eq!(names, ["text", "sequence", "template"]);
    let path = "/stable/open/whatsapp/get-template-list?platform_id=1";
    let key = [("X-Myalice-Api-Key", "key")];
    assert_eq!(host::call(&twin, "GET", path, &key, "").await.1["data"], json!([{ "id": "9" }]));
    let path = "/stable/open/customers/send-text-message";
    let guess = [("x-myalice-api-key", "guess"), ("content-type", "application/json")];
    assert_eq!(host::call(&twin, "POST", path, &guess, "{}").await.0, 401);
}

#[tokio::test]
async fn faults_meet_calls_and_blocks() {
    let rows = [(Fault::Broken, 500, 0), (Fault::LimitedFor, 429, 0), (Fault::CutAfter, 0, 1)];
    for (fault, status, shown) in rows {
        let twin = platform(conduct());
        twin.account().set_faults(Faults::seeded(1).with(fault, 1.0));
        let body = json!({ "customer_id": "1022", "text": "Hi" });
        assert_eq!(rest(&twin, "customers/send-text-message", &body).await.0, status, "{fault:?}");
        assert_eq!(twin.account().texts("1022").len(), shown, "{fault:?}");
    }
    let host = Host::start(|_, _: &Heard| (200, answer("hi").to_string()));
    let twin = pointed(&host, Output::Text);
    twin.account().set_faults(Faults::seeded(1).with(Fault::Tear, 1.0));
    let delivery = twin.account().write(UID, "block", "x").await.unwrap();
    assert!(!delivery.is_delivered() && twin.account().texts("1022").is_empty());
}
