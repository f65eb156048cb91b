//! Calls without an event before them, and what their answers mean.

use botyard_kernel::action::Action;
use botyard_kernel::id::PartId;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::golden::{action, read};
use super::{KEY, brief, channel, settings, with, with_dialect};
use crate::{CallAnswer, Outcome, Part, To, Vendor};

fn outcome(channel: &dyn Vendor, action: &Action, answer: &CallAnswer) -> Outcome {
    let id = PartId::from("t.0.0");
    channel.outcome_for(&[Part { id: &id, action, context: None }], answer)
}

fn answered(status: u16, after: Option<u64>, body: &'static [u8]) -> CallAnswer {
    let status = StatusCode::from_u16(status).unwrap();
    CallAnswer::Answered {
        status,
        retry_after_ms: after,
        body: Bytes::from_static(body),
        headers: http::HeaderMap::new(),
    }
}

#[test]
fn whoever_wrote_nothing_yet_is_reached_by_the_key_alone() {
    let (id, message) = (PartId::from("t.0.0"), action("message"));
    let parts = [Part { id: &id, action: &message, context: None }];
    let key = "acmehotel/apple/117101b2/urn:mbid:AQ%2F%3D";
    let call = channel(settings()).call(&To::conversation(key), &parts);
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let expect = json!({
        "coordinate": {
            "companyKey": "acmehotel", "networkKey": "apple", "externalId": "117101b2",
            "botId": "acme-bot", "scope": "PRIVATE",
        },
        "author": { "id": "urn:mbid:AQ/=" },
        "type": "message",
        "text": "Hello",
        "processSynchronously": true,
    });
    assert_eq!(body, expect);
}

#[test]
fn what_khoros_has_no_call_for_changes_nothing() {
    let call = channel(settings()).call(&To::conversation(KEY), &[]);
    assert_eq!(call.method, http::Method::GET);
    let path = "/control/network/facebook/externalId/410088123456789/author/7200011122";
    assert_eq!(call.url, format!("{}{path}", super::GATEWAY));
    let (id, foreign) = (
        PartId::from("t.0.0"),
        read(
            "p",
            json!({ "name": "passthrough", "payload": { "vendor": "userlike", "json": "{}" } }),
        ),
    );
    let parts = [Part { id: &id, action: &foreign, context: None }];
    assert_eq!(channel(settings()).call(&To::conversation(KEY), &parts).method, http::Method::GET);
}

#[test]
fn ids_that_are_no_numbers_go_as_they_are() {
    let id = PartId::from("t.0.0");
    let body = |action: Value| {
        let action = read("action", action);
        let parts = [Part { id: &id, action: &action, context: None }];
        let call = channel(settings()).call(&To::conversation(KEY), &parts);
        serde_json::from_slice::<Value>(&call.body).unwrap()
    };
    let tagged = body(json!({ "name": "tag", "payload": ["7", "vip"] }));
    assert_eq!(tagged["tagIds"], json!([7, "vip"]));
    let moved = body(json!({ "name": "work_queue", "payload": { "queue": "spa" } }));
    assert_eq!((&moved["newWorkQueue"], moved.get("comment")), (&json!("spa"), None));
    let form = body(json!({ "name": "secure_form", "payload": { "form": "F1" } }));
    assert_eq!(form["comment"], "Please fill in this form.");
}

#[test]
fn the_end_of_typing_is_the_bots_own_where_the_network_leaves_it_on() {
    let stays = |channel: &dyn Vendor, network: &str| {
        channel.profile(network).carries("typing_until_stopped")
    };
    let channel = channel(settings());
    assert!(stays(&*channel, "facebook") && !stays(&*channel, "twitter"));
    let quiet = with_dialect(json!({ "stop-typing": false }));
    assert!(!stays(&*quiet, "facebook") && quiet.profile("facebook").carries("typing"));
    assert_eq!(channel.acknowledge(&To::conversation(KEY), "something"), None);
}

#[test]
fn answers_of_calls_mean() {
    let rows = [
        (202, None, "delivered", "delivered"),
        (204, None, "delivered", "delivered"),
        (301, None, "retry, tenant", "retry, tenant"),
        (400, None, "fatal, bot", "fatal, bot"),
        (401, None, "retry, tenant", "retry, tenant"),
        (403, Some(5_000), "retry after 5000, tenant", "retry after 5000, tenant"),
        (404, None, "retry, tenant", "retry 6 times after 10000, vendor"),
        (404, Some(30_000), "retry after 30000, tenant", "retry 6 times after 30000, vendor"),
        (408, None, "retry, vendor", "retry, vendor"),
        (409, None, "retry, vendor", "retry, vendor"),
        (413, None, "fatal, bot", "fatal, bot"),
        (422, None, "fatal, bot", "fatal, bot"),
        (429, Some(30_000), "retry after 30000, vendor", "retry after 30000, vendor"),
        (500, None, "retry ambiguous, vendor", "retry, vendor"),
        (502, None, "retry ambiguous, vendor", "retry, vendor"),
        (503, Some(1_000), "retry after 1000, vendor", "retry after 1000, vendor"),
        (700, None, "retry, tenant", "retry, tenant"),
    ];
    let channel = channel(settings());
    for (status, after, for_message, for_forward) in rows {
        for body in [&b""[..], b"<html>", b"{\"error\":5}", b"[\xff"] {
            let answer = answered(status, after, body);
            assert_eq!(
                brief(outcome(&*channel, &action("message"), &answer)),
                for_message,
                "{status}"
            );
            assert_eq!(
                brief(outcome(&*channel, &action("forward"), &answer)),
                for_forward,
                "{status}"
            );
        }
    }
}

#[test]
fn the_vendors_words_are_told_in_short() {
    let channel = channel(settings());
    let long = format!("{{\"errors\":[\"line\\nbreak\",\"{}\"]}}", "x".repeat(5_000));
    let answer = CallAnswer::Answered {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        retry_after_ms: None,
        body: Bytes::from(long),
        headers: http::HeaderMap::new(),
    };
    let Outcome::Fatal { reason, .. } = outcome(&*channel, &action("message"), &answer) else {
        panic!("fatal")
    };
    assert!(reason.contains("422 (\"line break; xxx") && reason.len() < 330, "{reason}");
}

#[test]
fn calls_without_an_answer_mean() {
    let channel = channel(settings());
    let lost = CallAnswer::Lost("timeout".to_owned());
    let refused = CallAnswer::NotSent("no such host".to_owned());
    let rows = [
        ("message", "retry ambiguous, vendor"),
        ("note_create", "retry ambiguous, vendor"),
        // Once more, these change nothing.
        ("forward", "retry, vendor"),
        ("tag", "retry, vendor"),
        ("typing", "retry, vendor"),
    ];
    for (name, expect) in rows {
        assert_eq!(brief(outcome(&*channel, &action(name), &lost)), expect, "{name}");
        assert_eq!(brief(outcome(&*channel, &action(name), &refused)), "retry, host", "{name}");
    }
    assert_eq!(brief(channel.outcome(&lost)), "retry ambiguous, vendor");
}

#[test]
fn delivery_is_one_action_a_call_at_the_pace_of_the_dialect_if_it_has_one() {
    let delivery = channel(with(json!({ "age-max-ms": 5, "hold-ambiguous": true }))).delivery();
    assert!(!delivery.inline && !delivery.lists && !delivery.native_delay && !delivery.sends_start);
    assert!(delivery.reopens && delivery.hold_ambiguous && delivery.age_max_ms == 5);
    assert_eq!((delivery.token_rate, delivery.rate), (None, None), "Khoros states none");
    let paced = with_dialect(json!({ "timing": { "rate-calls": 2 } })).delivery();
    let rate = paced.token_rate.expect("a rate");
    assert_eq!((rate.calls, rate.window_ms), (2, 1_000));
}

#[test]
fn the_token_shows_nowhere() {
    let (id, message) = (PartId::from("t.0.0"), action("message"));
    let parts = [Part { id: &id, action: &message, context: None }];
    let channel = channel(settings());
    let call = channel.call(&To::conversation(KEY), &parts);
    assert_eq!(call.headers["authorization"], "Bearer adopted.jwt");
    let shown = format!("{channel:?}{call:?}{:?}", call.headers);
    assert!(!shown.contains("adopted.jwt") && !shown.contains(super::SECRET), "{shown}");
}

#[test]
fn what_was_taken_with_202_is_asked_for_until_it_is_known() {
    let channel = with_dialect(json!({ "synchronous": false }));
    let answered = |status: u16, id: Option<&'static str>, body: &'static [u8]| {
        let mut headers = http::HeaderMap::new();
        headers.extend(id.map(|id| {
            (http::HeaderName::from_static("x-amzn-requestid"), http::HeaderValue::from_static(id))
        }));
        let (status, body) = (StatusCode::from_u16(status).unwrap(), Bytes::from_static(body));
        CallAnswer::Answered { status, retry_after_ms: None, headers, body }
    };
    let asks = |name: &str, answer: &CallAnswer| match outcome(&*channel, &action(name), answer) {
        Outcome::Delivered { asks, .. } => asks,
        other => panic!("{other:?}"),
    };
    let taken = answered(202, Some("r/7"), b"");
    assert_eq!(asks("message", &taken).as_deref(), Some("request:r/7"));
    assert_eq!(asks("tag", &taken), None, "only agents see it");
    assert_eq!(asks("message", &answered(202, None, b"")), None, "nobody knows its name");
    let done = br#"{"data":{"requestState":"SUCCESS"},"requestId":"r"}"#;
    assert_eq!(asks("message", &answered(200, None, done)), None);

    let call = channel.acknowledge(&To::conversation(KEY), "request:r/7").expect("a call");
    assert_eq!((call.method.as_str(), call.body.len()), ("GET", 0));
    assert_eq!(call.url, format!("{}/request/r%2F7", super::GATEWAY));
    for (status, body, expect) in [
        (200, &done[..], "delivered"),
        (200, br#"{"data":{"requestState":"ERROR"}}"#, "fatal"),
        (200, br#"{"data":{"id":"r","state":"ERROR"}}"#, "fatal"),
        (200, br#"{"data":{"requestState":"PENDING"}}"#, "retry"),
        // Nothing else says that it was published.
        (200, b"", "retry"),
        (200, b"{}", "retry"),
        (200, br#"{"data":{"requestState":"ACCEPTED"}}"#, "retry"),
        (200, br#"{"data":{"id":"r","state":"SUCCESS"}}"#, "delivered"),
        (202, &done[..], "delivered"),
        (404, b"", "retry"),
        (500, b"<html>", "retry"),
    ] {
        let is = match channel.outcome_of("request:r/7", &answered(status, None, body)) {
            Outcome::Delivered { .. } => "delivered",
            Outcome::Fatal { .. } => "fatal",
            Outcome::Retry { .. } => "retry",
            other => panic!("{other:?}"),
        };
        assert_eq!(is, expect, "{status}");
    }
    // Whatever is no word about it is asked again, for as long as the host asks at all.
    let later = answered(200, None, br#"{"data":{"requestState":"PENDING"}}"#);
    let down = answered(503, None, b"");
    let (lost, unsent) = ("reset by peer".to_owned(), "no such host".to_owned());
    for answer in [later, down, CallAnswer::Lost(lost), CallAnswer::NotSent(unsent)] {
        let Outcome::Retry { after_ms, ambiguous, tries_max, .. } =
            channel.outcome_of("request:r/7", &answer)
        else {
            panic!("it is not asked again after {answer:?}")
        };
        assert_eq!((after_ms, ambiguous, tries_max), (Some(2_000), false, None), "{answer:?}");
    }
}
