//! Bodies that are no webhook, sizes at their limits, and what names an event.

use botyard_kernel::event::{EventBody, RAW_BYTES_MAX};
use serde_json::{Value, json};

use super::{channel, item, receive, settings, webhook};
use crate::{Incoming, Received};

const WHOLE: usize = 64 * 1024;

fn events(webhook: &Value) -> Vec<Incoming> {
    match receive(&*channel(settings()), webhook.to_string().as_bytes()) {
        Received::Events { events, damaged } if damaged.is_empty() => events,
        other => panic!("events, not {other:?}"),
    }
}

fn event(kind: &str, part: Value) -> Incoming {
    let mut events = events(&webhook(&item(kind, part)));
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[test]
fn what_is_no_webhook_is_kept_as_damaged_with_one_line() {
    let deep = "[".repeat(100_000);
    let rows: [(&[u8], &str); 9] = [
        (b"", "the body is not JSON"),
        (b"entry=1", "the body is not JSON"),
        (b"{\"object\":\"\xff\"}", "the body is not JSON"),
        (deep.as_bytes(), "the body is not JSON: recursion limit"),
        (b"null", "`entry` must be a list"),
        (b"[]", "`entry` must be a list"),
        (b"{}", "`entry` must be a list"),
        (b"{\"object\":\"page\",\"entry\":{}}", "`entry` must be a list"),
        (b"{\"object\":\"page\",\"sender\":{\"id\":\"1\"}}", "`entry` must be a list"),
    ];
    for (body, expect) in rows {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let Received::Events { events, damaged } = receive(&*channel(settings()), body) else {
            panic!("{shown}: it is answered with success")
        };
        assert_eq!((events.len(), damaged.len()), (0, 1), "{shown}");
        let reason = &damaged[0].reason;
        assert!(reason.contains(expect) && !reason.contains('\n'), "{shown}: {reason}");
    }
}

#[test]
fn a_batch_of_n_yields_n() {
    let text =
        |n: usize| item("message", json!({ "mid": format!("m_{n}"), "text": n.to_string() }));
    let entry = |from: usize, list: &str| {
        let items: Vec<_> = (from..from + 50).map(text).collect();
        json!({ "id": super::PAGE, list: items })
    };
    let batch = json!({
        "object": "page",
        "entry": [entry(0, "messaging"), entry(50, "standby"), entry(100, "messaging")],
    });
    let events = events(&batch);
    let keys: Vec<_> = events.iter().filter_map(|it| it.key.clone()).collect();
    assert_eq!(keys, (0..150).map(|n| format!("m_{n}")).collect::<Vec<_>>());
}

#[test]
fn a_text_is_cut_at_64_kib_between_characters() {
    let of = |text: String| match event("message", json!({ "mid": "m", "text": text })).body {
        EventBody::Message(message) => message.text,
        body => panic!("{body:?}"),
    };
    assert_eq!(of("x".repeat(WHOLE)).len(), WHOLE);
    assert_eq!(of("x".repeat(WHOLE + 1)), "x".repeat(WHOLE));
    assert_eq!(of(format!("x{}", "é".repeat(WHOLE))).len(), WHOLE - 1);
}

#[test]
fn a_large_item_is_not_kept_raw() {
    let of = |bytes: usize| {
        let frame = item("message", json!({ "mid": "m", "text": "" })).to_string().len();
        event("message", json!({ "mid": "m", "text": "x".repeat(bytes - frame) })).raw
    };
    assert_eq!(of(RAW_BYTES_MAX).map(|raw| raw.len()), Some(RAW_BYTES_MAX));
    assert_eq!(of(RAW_BYTES_MAX + 1), None);
}

#[test]
fn the_first_part_of_a_large_unknown_payload_is_told() {
    let of = |payload: Value| match event(&"ä".repeat(300), payload).body {
        EventBody::Other(other) => {
            assert_eq!(other.name, "ä".repeat(100));
            other.json
        }
        body => panic!("{body:?}"),
    };
    assert_eq!(of(json!("x".repeat(WHOLE - 2))), format!("\"{}\"", "x".repeat(WHOLE - 2)));
    for (large, unit) in [("x", 1), ("é", 2), ("\"", 4), ("\n", 3), ("\\", 4), ("\u{1}", 7)] {
        let payload = json!({ "stars": large.repeat(WHOLE) });
        let told = of(payload.clone());
        assert!(told.len() <= WHOLE && told.len() + unit > WHOLE, "{} for {large:?}", told.len());
        let told: Value = serde_json::from_str(&told).expect("JSON");
        let told = told["truncated"].as_str().expect("a text");
        assert!(payload.to_string().starts_with(told), "{large:?}");
    }
}

#[test]
fn facts_and_clicks_are_bounded() {
    let mut referral: serde_json::Map<String, Value> =
        (0..100).map(|at| (format!("f{at}"), json!(at))).collect();
    referral["f0"] = json!("x".repeat(1025));
    referral.insert("ref".to_owned(), json!("é".repeat(600)));
    let postback = json!({ "payload": "p".repeat(9000), "title": "t".repeat(9000), "mid": "m" });
    let mut with = postback.clone();
    with["referral"] = referral.into();
    let facts = event("postback", with).facts;
    assert_eq!(facts.entry, Some("é".repeat(512)));
    assert_eq!(facts.params.len(), 32);
    assert_eq!(facts.params[0].name, "f1");
    let EventBody::Click(click) = event("postback", postback).body else { panic!("a click") };
    assert_eq!(click.option_ids, ["p".repeat(8192)]);
    assert_eq!(click.label, Some("t".repeat(8192)));
}

#[test]
fn a_redelivery_has_the_key_that_it_had_and_nothing_else_has() {
    let key = |kind: &str, part: Value| event(kind, part).key.expect("a key");
    let reaction = json!({ "reaction": "smile", "mid": "m_1" });
    let one = key("reaction", reaction.clone());
    assert_eq!(one, key("reaction", reaction.clone()));
    assert_ne!(one, key("reaction", json!({ "reaction": "love", "mid": "m_1" })));
    let mut later = item("reaction", reaction);
    later["timestamp"] = json!(super::NOW + 1);
    assert_ne!(Some(one), events(&webhook(&later))[0].key);

    assert_eq!(key("message", json!({ "mid": "m", "text": "yes" })), "m");
    let long = "m".repeat(513);
    assert_eq!(key("message", json!({ "mid": long, "text": "yes" })).len(), 64);
    // Without an id and without a time nothing tells a redelivery from a second event.
    let mut bare = item("message", json!({ "text": "yes" }));
    bare.as_object_mut().unwrap().remove("timestamp");
    assert_eq!(events(&webhook(&bare))[0].key, None);
}

/// No bot greets because of them.
#[test]
fn reactions_and_what_was_taken_back_are_beside_the_talk() {
    let aside = |kind: &str, part: Value| event(kind, part).aside;
    assert!(aside("reaction", json!({ "reaction": "love", "mid": "m_1" })));
    assert!(aside("message", json!({ "mid": "m_1", "is_deleted": true })));
    assert!(aside("response_feedback", json!({ "feedback": "Good bot response" })));
    assert!(!aside("message", json!({ "mid": "m_1" })), "a person sent what has no words");
    assert!(!aside("message", json!({ "mid": "m_1", "text": "hi" })));
    assert!(!aside("optin", json!({ "ref": "shop" })), "a person came in");
}

#[test]
fn keys_count_without_their_case_only_where_the_exact_one_is_missing() {
    let both = json!({ "Mid": "m_wrong", "mid": "m_right", "TEXT": "hi" });
    let event = event("Message", both);
    assert_eq!(event.key.as_deref(), Some("m_right"));
    assert!(matches!(event.body, EventBody::Message(message) if message.text == "hi"));
}

#[test]
fn a_code_that_says_too_many_counts_as_the_status_does() {
    let channel = channel(settings());
    let error = |code: u64| json!({ "error": { "code": code } }).to_string();
    let (bad, many) = (http::StatusCode::BAD_REQUEST, http::StatusCode::TOO_MANY_REQUESTS);
    for code in [4, 17, 32, 613, 80_006] {
        assert!(channel.says_too_many(bad, error(code).as_bytes()), "{code}");
    }
    assert!(channel.says_too_many(many, b"slow down"));
    for body in [error(100), error(190), "{}".to_owned(), "<html>".to_owned()] {
        assert!(!channel.says_too_many(bad, body.as_bytes()), "{body}");
    }
}
