//! What the Send API and the handover protocol take.

use super::*;
use crate::faults::{Fault, Faults};

fn buttons(count: usize, title: usize, payload: usize) -> Value {
    let button = json!({
        "type": "postback",
        "title": "t".repeat(title),
        "payload": "p".repeat(payload),
    });
    Value::from(vec![button; count])
}

fn template(payload: Value) -> Value {
    json!({ "attachment": { "type": "template", "payload": payload } })
}

fn button_template(text: usize, buttons: &Value) -> Value {
    let text = "x".repeat(text);
    template(json!({ "template_type": "button", "text": text, "buttons": buttons }))
}

fn generic(count: usize, title: usize, subtitle: usize, buttons: &Value) -> Value {
    let element = json!({
        "title": "t".repeat(title),
        "subtitle": "s".repeat(subtitle),
        "buttons": buttons,
    });
    template(json!({ "template_type": "generic", "elements": vec![element; count] }))
}

fn quick_replies(count: usize, title: usize, payload: usize) -> Value {
    let reply = json!({
        "content_type": "text",
        "title": "\u{fc}".repeat(title),
        "payload": "p".repeat(payload),
    });
    json!({ "text": "Pick", "quick_replies": vec![reply; count] })
}

#[tokio::test]
async fn messages_at_a_limit_are_taken() {
    let one = buttons(1, 1, 1);
    let rows = [
        json!({ "text": "\u{1f642}".repeat(2_000) }),
        quick_replies(13, 20, 1_000),
        button_template(640, &buttons(3, 20, 1_000)),
        generic(10, 80, 80, &buttons(3, 20, 1_000)),
        generic(1, 80, 80, &one),
        template(json!({ "template_type": "generic", "elements": [
            { "title": "t", "default_action": { "type": "web_url", "url": "https://a.example" } },
        ] })),
        template(json!({ "template_type": "media", "elements": [
            { "media_type": "image", "attachment_id": "12", "buttons": one },
        ] })),
        json!({ "attachment": { "type": "image", "payload": { "url": "https://a.example/i" } } }),
        json!({ "text": "x", "metadata": "m".repeat(1_000) }),
        button_template(
            1,
            &json!([
                { "type": "web_url", "title": "Site", "url": "https://a.example" },
                { "type": "phone_number", "title": "Call", "payload": "+49221" },
            ]),
        ),
        json!({ "text": "x", "quick_replies": [{ "content_type": "user_email" }] }),
    ];
    let twin = page(options());
    for message in &rows {
        let (status, body) = send(&twin, message.clone()).await;
        assert_eq!((status, &body["recipient_id"]), (200, &json!(PSID)), "{message}: {body}");
        assert!(body["message_id"].is_string(), "{body}");
    }
    assert_eq!(twin.account().seen(PSID).len(), rows.len());
}

#[tokio::test]
async fn messages_over_a_limit_are_refused() {
    let one = buttons(1, 1, 1);
    let rows = [
        json!({ "text": "x".repeat(2_001) }),
        json!({ "text": "" }),
        json!({}),
        json!({ "text": 5 }),
        json!("x"),
        quick_replies(14, 1, 1),
        quick_replies(0, 1, 1),
        quick_replies(1, 21, 1),
        quick_replies(1, 0, 1),
        quick_replies(1, 1, 1_001),
        quick_replies(1, 1, 0),
        json!({ "text": "x", "quick_replies": [{ "content_type": "location" }] }),
        json!({ "text": "x", "quick_replies": [{ "title": "x", "payload": "x" }] }),
        button_template(641, &one),
        button_template(0, &one),
        button_template(1, &buttons(4, 1, 1)),
        button_template(1, &buttons(0, 1, 1)),
        button_template(1, &buttons(1, 21, 1)),
        button_template(1, &buttons(1, 1, 1_001)),
        button_template(1, &buttons(1, 1, 0)),
        button_template(1, &json!([{ "type": "web_url", "title": "x", "url": "nowhere" }])),
        button_template(1, &json!([{ "type": "phone_number", "title": "x", "payload": "49" }])),
        button_template(1, &json!([{ "type": "shout", "title": "x" }])),
        generic(11, 1, 1, &one),
        generic(0, 1, 1, &one),
        generic(1, 81, 1, &one),
        generic(1, 0, 1, &one),
        generic(1, 1, 81, &one),
        generic(1, 1, 1, &buttons(4, 1, 1)),
        template(json!({ "template_type": "generic", "elements": [{ "title": "alone" }] })),
        template(json!({ "template_type": "list", "elements": [] })),
        json!({ "attachment": { "type": "image", "payload": {} } }),
        json!({ "attachment": { "type": "poem", "payload": { "url": "https://a.example" } } }),
        json!({ "text": "x", "attachment": {
            "type": "image", "payload": { "url": "https://a.example/i" },
        } }),
        json!({ "text": "x", "colour": "red" }),
        json!({ "text": "x", "metadata": "m".repeat(1_001) }),
    ];
    let twin = page(options());
    for message in rows {
        let (status, body) = send(&twin, message.clone()).await;
        assert_eq!((status, code(&body)), (400, (100, 0)), "{message}");
    }
    assert!(twin.account().seen(PSID).is_empty());
}

#[tokio::test]
async fn a_call_has_one_person_and_one_purpose() {
    let twin = page(options());
    let to = json!({ "id": PSID });
    let message = json!({ "text": "x" });
    let rows = [
        (200, json!({ "recipient": to, "sender_action": "typing_on" })),
        (400, json!({ "recipient": to, "sender_action": "dance" })),
        (400, json!({ "recipient": to, "sender_action": "typing_on", "message": message })),
        (400, json!({ "recipient": to, "message": message })),
        (400, json!({ "recipient": to, "messaging_type": "REPLY", "message": message })),
        (400, json!({ "recipient": to, "messaging_type": "MESSAGE_TAG", "message": message })),
        (
            400,
            json!({ "recipient": to, "messaging_type": "RESPONSE", "tag": "HUMAN_AGENT",
            "message": message }),
        ),
        (400, json!({ "recipient": to, "messaging_type": "RESPONSE" })),
        (400, json!({ "messaging_type": "RESPONSE", "message": message })),
        (
            400,
            json!({ "recipient": { "id": 5 }, "messaging_type": "RESPONSE", "message": message }),
        ),
        (400, json!([])),
    ];
    for (expected, body) in rows {
        let (status, answer) = post(&twin, "messages", &body).await;
        assert_eq!(status, expected, "{body}: {answer}");
    }
    let names: Vec<_> = twin.account().seen(PSID).iter().map(|seen| seen.name.clone()).collect();
    assert_eq!(names, ["typing_on"]);
}

#[tokio::test]
async fn a_call_needs_the_token_and_an_address() {
    let twin = page(options());
    let body = json!({ "recipient": { "id": PSID }, "messaging_type": "RESPONSE",
        "message": { "text": "x" } });
    let json_type = ("content-type", "application/json");
    let rows = [
        (200, "POST", "/v23.0/me/messages?access_token=page-token", None),
        (200, "POST", "/me/messages", Some("Bearer page-token")),
        (200, "POST", "/v23.0/410088123456789/messages", Some("Bearer page-token")),
        (401, "POST", "/v23.0/me/messages", None),
        (401, "POST", "/v23.0/me/messages", Some("Bearer guess")),
        (400, "POST", "/v23.0/999/messages", Some("Bearer page-token")),
        (400, "PUT", "/v23.0/me/messages", Some("Bearer page-token")),
        (400, "GET", "/v23.0/me/pass_thread_control", Some("Bearer page-token")),
    ];
    for (expected, method, path, bearer) in rows {
        let mut headers = vec![json_type];
        headers.extend(bearer.map(|bearer| ("authorization", bearer)));
        let (status, answer) = host::call(&twin, method, path, &headers, body.to_string()).await;
        assert_eq!(status, expected, "{method} {path} {bearer:?}: {answer}");
        if status == 401 {
            assert_eq!(code(&answer), (190, 0));
        }
    }
    let form = [("authorization", "Bearer page-token"), ("content-type", "text/plain")];
    let sent = host::call(&twin, "POST", "/me/messages", &form, body.to_string()).await;
    assert_eq!(sent.0, 400);
    assert_eq!(twin.account().texts(PSID), ["x", "x", "x"]);
    assert_eq!(twin.account().calls().len(), 9);
}

#[tokio::test]
async fn strangers_closed_windows_and_blocks_are_told_apart() {
    let window = Duration::from_millis(50);
    let twin = page(Options { window, human_agent_window: window * 100, ..options() });
    let stranger = json!({ "recipient": { "id": "9" }, "messaging_type": "RESPONSE",
        "message": { "text": "x" } });
    let (status, body) = post(&twin, "messages", &stranger).await;
    assert_eq!((status, code(&body)), (400, (100, 2_018_001)));
    tokio::time::sleep(window * 2).await;
    let (status, body) = send(&twin, json!({ "text": "late" })).await;
    assert_eq!((status, code(&body)), (400, (10, 2_018_278)));
    for tag in ["HUMAN_AGENT", "ACCOUNT_UPDATE"] {
        let tagged = json!({ "recipient": { "id": PSID }, "messaging_type": "MESSAGE_TAG",
            "tag": tag, "message": { "text": tag } });
        assert_eq!(post(&twin, "messages", &tagged).await.0, 200);
    }
    twin.account().act(PSID, Act::Write("again".to_owned())).unwrap();
    assert_eq!(send(&twin, json!({ "text": "in time" })).await.0, 200);
    twin.account().set_gone(PSID, true);
    let (status, body) = send(&twin, json!({ "text": "gone" })).await;
    assert_eq!((status, code(&body)), (400, (551, 1_545_041)));
    assert_eq!(twin.account().texts(PSID), ["HUMAN_AGENT", "ACCOUNT_UPDATE", "in time"]);

    twin.account().know("10");
    let early = json!({ "recipient": { "id": "10" }, "messaging_type": "UPDATE",
        "message": { "text": "x" } });
    assert_eq!(code(&post(&twin, "messages", &early).await.1), (10, 2_018_278));
}

#[tokio::test]
async fn who_does_not_control_a_thread_is_silent_in_it() {
    let twin = page(options());
    let to = json!({ "id": PSID });
    let own = options().app_id;
    let pass =
        json!({ "recipient": to, "target_app_id": 263_902_037_430_900_u64, "metadata": "m" });
    assert_eq!(post(&twin, "pass_thread_control", &pass).await, (200, json!({ "success": true })));
    assert_eq!(twin.account().owner(PSID).as_deref(), Some("263902037430900"));
    let (status, body) = send(&twin, json!({ "text": "x" })).await;
    assert_eq!((status, code(&body)), (403, (10, 2_018_300)));
    assert_eq!(code(&post(&twin, "pass_thread_control", &pass).await.1).0, 10);
    let plain = json!({ "recipient": to });
    assert_eq!(code(&post(&twin, "release_thread_control", &plain).await.1).0, 10);
    assert_eq!(code(&post(&twin, "request_thread_control", &plain).await.1).0, 100);
    assert_eq!(post(&twin, "take_thread_control", &plain).await.0, 200);
    assert_eq!(twin.account().owner(PSID), Some(own.clone()));
    assert_eq!(send(&twin, json!({ "text": "mine" })).await.0, 200);
    let bearer = [("authorization", "Bearer page-token")];
    let path = format!("/v23.0/me/thread_owner?recipient={PSID}");
    let (_, owner) = host::call(&twin, "GET", &path, &bearer, "").await;
    assert_eq!(owner, json!({ "data": [{ "thread_owner": { "app_id": own } }] }));
    let path = "/v23.0/me/secondary_receivers?fields=id,name";
    let (_, others) = host::call(&twin, "GET", path, &bearer, "").await;
    assert_eq!(others["data"][0]["id"], "263902037430900");
    assert_eq!(post(&twin, "release_thread_control", &plain).await.0, 200);
    assert_eq!(twin.account().owner(PSID), None);
    // Nobody's thread takes the messages of any app.
    assert_eq!(send(&twin, json!({ "text": "free" })).await.0, 200);

    let twin = page(Options { role: Role::Secondary, ..options() });
    assert_eq!(code(&post(&twin, "take_thread_control", &plain).await.1).0, 100);
    assert_eq!(post(&twin, "request_thread_control", &plain).await.0, 200);
    let bad = json!({ "recipient": to, "target_app_id": {} });
    assert_eq!(code(&post(&twin, "pass_thread_control", &bad).await.1).0, 100);
}

#[tokio::test]
async fn each_fault_of_a_call_does_what_it_says() {
    let rows = [
        (Fault::SlowApi, 200, 0, 1),
        (Fault::Limited, 400, 613, 0),
        (Fault::LimitedFor, 400, 613, 0),
        (Fault::Broken, 500, 1_200, 0),
        (Fault::BrokenAfter, 500, 1_200, 1),
        (Fault::Cut, 0, 0, 0),
        (Fault::CutAfter, 0, 0, 1),
        (Fault::Expire, 400, 10, 0),
    ];
    for (fault, status, code, delivered) in rows {
        let twin = page(options());
        let mut faults = Faults::seeded(1).with(fault, 1.0);
        faults.slow = Duration::from_millis(50);
        twin.account().set_faults(faults);
        let (answered, body) = send(&twin, json!({ "text": "x" })).await;
        assert_eq!(answered, status, "{fault:?}: {body}");
        assert_eq!(body["error"]["code"].as_u64().unwrap_or_default(), code, "{fault:?}");
        assert_eq!(twin.account().texts(PSID).len(), delivered, "{fault:?}");
        let call = twin.account().calls().remove(0);
        assert_eq!((call.status, call.acted), (status, delivered == 1), "{fault:?}");
        assert_eq!(call.fault, Some(fault.name()));
    }
}

#[tokio::test]
async fn a_limit_says_in_a_header_when_there_is_room() {
    let twin = page(options());
    let mut faults = Faults::seeded(1).with(Fault::LimitedFor, 1.0);
    faults.retry_after = 61;
    twin.account().set_faults(faults);
    let body = json!({ "recipient": { "id": PSID }, "messaging_type": "RESPONSE",
        "message": { "text": "x" } });
    let request = twin.account().http().post(format!("{}/me/messages", twin.url()));
    let request = request.bearer_auth(TOKEN).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "61");
    let usage = answer.headers()["x-business-use-case-usage"].to_str().unwrap();
    let usage: Value = serde_json::from_str(usage).unwrap();
    assert_eq!(usage["410088123456789"][0]["estimated_time_to_regain_access"], 2);
}

#[tokio::test]
async fn the_next_calls_can_be_refused() {
    let twin = page(options());
    twin.account().refuse_next([503]);
    assert_eq!(send(&twin, json!({ "text": "x" })).await.0, 503);
    assert_eq!(send(&twin, json!({ "text": "y" })).await.0, 200);
    assert_eq!(twin.account().texts(PSID), ["y"]);
}
