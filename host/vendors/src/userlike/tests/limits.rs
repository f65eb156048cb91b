//! Bodies that are no event, sizes at their limits, and what names a request.

use botyard_kernel::event::{EventBody, First, RAW_BYTES_MAX, Setting};
use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{CID, SECRET, channel, event, headers, receive, rejection, settings, webhook};
use crate::{Inbound, Incoming};

fn incoming(webhook: &Value) -> Incoming {
    event(receive(&*channel(settings()), webhook.to_string().as_bytes()))
}

#[test]
fn what_is_no_event_is_refused_with_one_line() {
    let deep = "[".repeat(100_000);
    let rows: [(&[u8], &str); 14] = [
        (b"", "the body is not JSON"),
        (b"cid=1", "the body is not JSON"),
        (b"{\"info\":{\"cid\":\"\xff\"}}", "the body is not JSON"),
        (deep.as_bytes(), "the body is not JSON: recursion limit"),
        (b"null", "`info.cid`"),
        (b"[]", "`info.cid`"),
        (b"{}", "`info.cid`"),
        (b"{\"info\":[],\"packet\":{\"name\":\"start\"}}", "`info.cid`"),
        (b"{\"info\":{\"cid\":\"\"},\"packet\":{\"name\":\"start\"}}", "`info.cid`"),
        (b"{\"info\":{\"cid\":\" \"},\"packet\":{\"name\":\"start\"}}", "`info.cid`"),
        (b"{\"info\":{\"cid\":7},\"packet\":{\"name\":\"start\"}}", "`info.cid`"),
        (b"{\"info\":{\"cid\":\"c\"}}", "`packet.name`"),
        (b"{\"info\":{\"cid\":\"c\"},\"packet\":{\"name\":\"\"}}", "`packet.name`"),
        (b"{\"info\":{\"cid\":\"c\"},\"packet\":{\"name\":[\"start\"]}}", "`packet.name`"),
    ];
    for (body, expect) in rows {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let rejection = rejection(receive(&*channel(settings()), body));
        assert_eq!(rejection.status, StatusCode::BAD_REQUEST, "{shown}");
        assert!(rejection.reason.contains(expect), "{shown}: {}", rejection.reason);
        assert!(!rejection.reason.contains('\n'), "{shown}: {}", rejection.reason);
    }
}

#[test]
fn a_cid_has_at_most_512_bytes() {
    let of = |bytes: usize| {
        let mut webhook = webhook("start", json!({}));
        webhook["info"]["cid"] = json!("c".repeat(bytes));
        receive(&*channel(settings()), webhook.to_string().as_bytes())
    };
    assert_eq!(event(of(512)).conversation.len(), 512);
    assert_eq!(rejection(of(513)).status, StatusCode::BAD_REQUEST);
}

#[test]
fn a_context_of_more_than_10_240_bytes_is_not_offered_and_told() {
    let of = |bytes: usize| {
        let mut webhook = webhook("message", json!({ "body": "hi" }));
        let frame = r#"{"k":""}"#.len();
        webhook["info"]["context"] = json!({ "k": "x".repeat(bytes - frame) });
        let event = incoming(&webhook);
        (event.context.map(|context| context.len()), event.facts.params)
    };
    assert_eq!(of(10_240), (Some(10_240), Vec::new()));
    assert_eq!(of(10_241), (None, vec![Setting::new("foreign-context-dropped", "10241")]));
}

#[test]
fn only_a_non_empty_object_is_a_context() {
    for context in [json!({}), json!(null), json!("{\"a\":1}"), json!([1]), json!(5)] {
        let mut webhook = webhook("message", json!({ "body": "hi" }));
        webhook["info"]["context"] = context;
        assert_eq!(incoming(&webhook).context, None, "{webhook}");
    }
}

#[test]
fn a_large_body_is_not_kept_raw() {
    let of = |bytes: usize| {
        let frame = webhook("message", json!({ "body": "" })).to_string().len();
        let webhook = webhook("message", json!({ "body": "x".repeat(bytes - frame) }));
        assert_eq!(webhook.to_string().len(), bytes);
        incoming(&webhook).raw
    };
    assert_eq!(of(RAW_BYTES_MAX).map(|raw| raw.len()), Some(RAW_BYTES_MAX));
    assert_eq!(of(RAW_BYTES_MAX + 1), None);
}

#[test]
fn the_first_part_of_a_large_unknown_payload_is_told() {
    let of = |payload: Value| {
        let name = "ä".repeat(300);
        match incoming(&webhook(&name, payload)).body {
            EventBody::Other(other) => {
                assert_eq!(other.name, "ä".repeat(100));
                other.json
            }
            body => panic!("{body:?}"),
        }
    };
    let whole = 64 * 1024;
    assert_eq!(of(json!("x".repeat(whole - 2))), format!("\"{}\"", "x".repeat(whole - 2)));
    for (large, unit) in [("x", 1), ("é", 2), ("\"", 4), ("\n", 3), ("\\", 4), ("\u{1}", 7)] {
        let payload = json!({ "stars": large.repeat(whole) });
        let told = of(payload.clone());
        assert!(told.len() <= whole && told.len() + unit > whole, "{} for {large:?}", told.len());
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let told = told["truncated"].as_str().expect("a text");
        assert!(payload.to_string().starts_with(told), "{large:?}");
    }
}

#[test]
fn a_text_is_cut_at_64_kib_between_characters() {
    let of = |text: String| match incoming(&webhook("message", json!({ "body": text }))).body {
        EventBody::Message(message) => message.text,
        body => panic!("{body:?}"),
    };
    let whole = 64 * 1024;
    assert_eq!(of("x".repeat(whole)).len(), whole);
    assert_eq!(of("x".repeat(whole + 1)), "x".repeat(whole));
    assert_eq!(of(format!("x{}", "é".repeat(whole))).len(), whole - 1);
    let start = incoming(&webhook("start", json!({ "body": "x".repeat(whole + 1) })));
    assert!(matches!(start.body, EventBody::Start(start)
        if matches!(&start.first, Some(First::Message(first)) if first.text.len() == whole)));
}

#[test]
fn facts_are_bounded() {
    let mut webhook = webhook("message", json!({ "body": "hi" }));
    let many = (0..100).map(|at| (format!("f{at}"), json!(at)));
    webhook["info"]["widget"] = many.collect::<serde_json::Map<_, _>>().into();
    webhook["info"]["widget"]["f0"] = json!("x".repeat(1025));
    webhook["info"]["contact"] = json!({
        "name": "é".repeat(600),
        "custom_fields": { "k": "x".repeat(20_000) },
    });
    webhook["info"]["conversation"] = json!({ "topics": vec!["t"; 100] });
    let facts = incoming(&webhook).facts;
    assert_eq!(facts.params.len(), 32);
    assert_eq!(facts.params[0].name, "f1");
    assert_eq!(facts.contact.name, Some("é".repeat(512)));
    assert_eq!(facts.contact.custom_fields, "{}");
    assert_eq!(facts.topics.len(), 32);
}

#[test]
fn every_medium_of_the_vendor_is_told_by_its_name() {
    let mediums =
        ["web", "facebook", "telegram", "threema", "sms", "whatsapp_business", "custom", "new"];
    for medium in mediums {
        let mut webhook = webhook("message", json!({ "body": "hi" }));
        webhook["info"]["conversation"] = json!({ "contact_channel": { "type": medium } });
        assert_eq!(incoming(&webhook).facts.medium, medium);
    }
}

#[test]
fn method_url_and_body_name_a_request() {
    let named = |rest: &str, query: Option<&str>, text: &str| {
        let body = Bytes::from(webhook("message", json!({ "body": text })).to_string());
        let headers = headers(&[("api-security-token", SECRET)]);
        let request = Inbound {
            method: &Method::POST,
            rest,
            query,
            headers: &headers,
            body: &body,
            chance: Seed::default(),
        };
        event(channel(settings()).receive(&request, 5)).request.expect("a name")
    };
    assert_eq!(named("", None, "yes"), named("", None, "yes"));
    let different = [
        named("", None, "yes"),
        named("", None, "no"),
        named("a", None, "yes"),
        named("", Some("a"), "yes"),
        named("", Some(""), "yes"),
    ];
    for (at, one) in different.iter().enumerate() {
        assert!(!different[at + 1..].contains(one), "{at}");
    }
}

#[test]
fn start_has_one_key_and_nothing_else_has_any() {
    assert_eq!(incoming(&webhook("start", json!({}))).key.as_deref(), Some("start"));
    assert_eq!(incoming(&webhook("start", json!({ "body": "hi" }))).key.as_deref(), Some("start"));
    assert_eq!(incoming(&webhook("message", json!({ "body": "hi" }))).key, None);
    assert_eq!(incoming(&webhook("starts", json!({}))).key, None);
    assert_eq!(incoming(&webhook("start", json!({}))).conversation, CID);
}
