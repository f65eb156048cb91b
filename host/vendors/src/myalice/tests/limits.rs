//! Bodies that are no event, sizes at their limits, and what names a request.

use botyard_kernel::event::{EventBody, RAW_BYTES_MAX};
use botyard_kernel::owner::Owner;
use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    SECRET, block, channel, event, headers, receive, receive_as, rejection, settings, ticket, with,
};
use crate::{Inbound, Incoming, Received};

fn incoming(body: &Value) -> Incoming {
    event(receive("text/orders", body.to_string().as_bytes()))
}

#[test]
fn what_is_no_event_is_refused_with_one_line() {
    let deep = "[".repeat(100_000);
    let id = "must be a whole number";
    let rows: [(&str, &[u8], &str); 19] = [
        ("text/o", b"", "the body is not JSON"),
        ("text/o", b"uid=1", "the body is not JSON"),
        ("text/o", b"{\"uid\":\"\xff\"}", "the body is not JSON"),
        ("text/o", deep.as_bytes(), "the body is not JSON: recursion limit"),
        ("text/o", b"null", "must be a JSON object"),
        ("text/o", b"[{\"uid\":1,\"platform_id\":1}]", "must be a JSON object"),
        ("text/o", b"{}", id),
        ("text/o", b"{\"uid\":1}", "`platform_id`"),
        ("text/o", b"{\"platform_id\":1}", "`uid`"),
        ("text/o", b"{\"uid\":1,\"platform_id\":null}", "`platform_id`"),
        ("text/o", b"{\"uid\":-1,\"platform_id\":1}", "`uid`"),
        ("text/o", b"{\"uid\":1.5,\"platform_id\":1}", "`uid`"),
        ("text/o", b"{\"uid\":\"\",\"platform_id\":1}", "`uid`"),
        ("text/o", b"{\"uid\":\"1:2\",\"platform_id\":1}", "`uid`"),
        ("text/o", b"{\"uid\":\"123456789012345678901\",\"platform_id\":1}", "`uid`"),
        ("tickets", b"ticket_created", "the body is not JSON"),
        ("tickets", b"[]", "must be a JSON object"),
        ("tickets", b"{}", "`action`"),
        ("tickets", b"{\"action\":7,\"customer\":{\"id\":1},\"channel\":{\"id\":1}}", "`action`"),
    ];
    for (rest, body, expect) in rows {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let rejection = rejection(receive(rest, body));
        assert_eq!(rejection.status, StatusCode::BAD_REQUEST, "{shown}");
        assert!(rejection.reason.contains(expect), "{shown}: {}", rejection.reason);
        assert!(!rejection.reason.contains('\n'), "{shown}: {}", rejection.reason);
    }
}

#[test]
fn a_ticket_of_nobody_is_kept_as_damaged() {
    let nobody = [
        json!({ "action": "ping" }),
        json!({ "action": "ticket_created", "customer": { "id": 1 } }),
        json!({ "action": "ticket_created", "customer": [], "channel": { "id": 1 } }),
        json!({ "action": "ticket_created", "customer": { "id": {} }, "channel": { "id": 1 } }),
    ];
    for body in nobody {
        let body = body.to_string();
        let Received::Events { events, damaged } = receive("tickets", body.as_bytes()) else {
            panic!("{body}");
        };
        assert!(events.is_empty(), "{body}");
        assert_eq!(damaged.len(), 1, "{body}");
        assert_eq!(damaged[0].raw, body);
        assert!(damaged[0].reason.contains("`channel.id` and `customer.id`"));
    }
}

#[test]
fn only_listed_platforms_may_use_the_channel() {
    let listing = channel(with(&json!({ "platform-ids": [31, "1"] })));
    let said = |platform: u64| {
        let mut body = block("hi");
        body["platform_id"] = json!(platform);
        let body = body.to_string();
        receive_as(&*listing, &Method::POST, "text/o", None, body.as_bytes())
    };
    assert_eq!(event(said(31)).conversation, "31:1022");
    assert_eq!(event(said(1)).conversation, "1:1022");
    let refused = rejection(said(3));
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.reason.contains("`platform-ids`"), "{}", refused.reason);

    let mut body = ticket("ticket_created");
    let told = |body: &Value| {
        let body = body.to_string();
        receive_as(&*listing, &Method::POST, "tickets", None, body.as_bytes())
    };
    event(told(&body));
    body["channel"]["id"] = json!(3);
    assert!(matches!(told(&body), Received::Ignored(_)));
    // A GET names no platform.
    event(receive_as(&*listing, &Method::GET, "text/o", None, b""));
}

#[test]
fn a_ticket_is_a_humans_only_while_it_is_open() {
    let told = |agent: Value, resolved: Value| {
        let mut body = ticket("ticket_created");
        body["ticket"] = json!({ "assigned_agent": agent, "is_resolved": resolved });
        let got = event(receive("tickets", body.to_string().as_bytes()));
        (matches!(got.body, EventBody::HumanSpoke(_)), got.owner)
    };
    let human = (true, Some(Owner::Human));
    let nobody = (false, None);
    assert_eq!(told(json!("Rafi"), json!(false)), human);
    assert_eq!(told(json!(5), json!(null)), human);
    assert_eq!(told(json!(["Rafi"]), json!(false)), human);
    assert_eq!(told(json!("Rafi"), json!(true)), nobody);
    for agent in [json!(null), json!(false), json!(" "), json!([]), json!({})] {
        assert_eq!(told(agent, json!(false)), nobody);
    }
}

/// No bot greets because of one.
#[test]
fn a_tag_of_a_ticket_is_beside_the_talk_and_a_block_is_not() {
    let tagged = ticket("ticket_tagged").to_string();
    assert!(event(receive("tickets", tagged.as_bytes())).aside);
    assert!(!event(receive("tickets", ticket("ticket_resolved").to_string().as_bytes())).aside);
    let mut silent = block("");
    silent["last_message_text"] = json!(null);
    assert!(!incoming(&silent).aside, "a person came to the block");
}

#[test]
fn a_huge_text_is_cut_and_a_huge_payload_does_not_travel() {
    let limit = 64 * 1024;
    let text = "é".repeat(limit);
    let got = incoming(&block(&text));
    let EventBody::Message(message) = got.body else { panic!("{:?}", got.body) };
    assert_eq!(message.text, text[..limit]);
    assert_eq!(got.raw, None);

    let mut fits = block("");
    let frame = fits.to_string().len();
    fits["last_message_text"] = json!("x".repeat(RAW_BYTES_MAX - frame));
    assert_eq!(incoming(&fits).raw, Some(fits.to_string()));

    let mut unknown = ticket("ticket_moved");
    unknown["note"] = json!("\"\\é".repeat(limit));
    let got = event(receive("tickets", unknown.to_string().as_bytes()));
    let EventBody::Other(other) = got.body else { panic!("{:?}", got.body) };
    assert!(other.json.len() <= limit && other.json.len() > limit / 3, "{}", other.json.len());
    let json: Value = serde_json::from_str(&other.json).unwrap();
    assert!(json["truncated"].as_str().unwrap().starts_with("{\"action\":\"ticket_moved\""));

    let query = format!("text={}", "x".repeat(2 * limit));
    let channel = channel(settings());
    let got = event(receive_as(&*channel, &Method::GET, "text/o", Some(&query), b""));
    let EventBody::Message(message) = got.body else { panic!("{:?}", got.body) };
    assert_eq!((message.text.len(), got.facts.params.len()), (limit - "text=".len(), 0));
}

#[test]
fn attributes_without_room_are_counted() {
    let mut body = block("hi");
    body["small"] = json!(1);
    body["huge"] = json!("x".repeat(20_000));
    body["last"] = json!(2);
    let facts = incoming(&body).facts;
    assert_eq!(facts.contact.custom_fields, r#"{"small":1,"last":2}"#);
    let told = facts.params.iter().find(|param| param.name == "custom-fields-dropped");
    assert_eq!(told.map(|param| &*param.value), Some("1"));

    let mut many = block("hi");
    for at in 0..5_000 {
        many[format!("k\"{at}")] = json!(null);
    }
    let facts = incoming(&many).facts;
    let size = facts.contact.custom_fields.len();
    assert!((16_370..=16 * 1024).contains(&size), "{size}");
}

#[test]
fn params_are_bounded() {
    let many: String = (0..100).map(|at| format!("k{at}=v&")).collect();
    let query = format!("long={}&{many}", "x".repeat(1_100));
    let channel = channel(settings());
    let body = block("hi").to_string();
    let got = receive_as(&*channel, &Method::POST, "text/o", Some(&query), body.as_bytes());
    let params = event(got).facts.params;
    assert_eq!(params.len(), 32);
    assert_eq!((&*params[0].name, &*params[1].name), ("platform_id", "k0"));
}

#[test]
fn times_are_read_as_far_as_they_are_times() {
    let rows = [
        (json!("2020-10-16 06:41:59.039735+00:00"), Some(1_602_830_519_039)),
        (json!("2020-10-16 06:41:59+06:00"), Some(1_602_808_919_000)),
        (json!("2020-10-16T06:41:59Z"), Some(1_602_830_519_000)),
        (json!("1700008420"), Some(1_700_008_420_000)),
        (json!(1_700_008_420), Some(1_700_008_420_000)),
        (json!(" 1700008420 "), Some(1_700_008_420_000)),
        (json!(""), None),
        (json!("yesterday"), None),
        (json!("2020-10-16 06:41:59"), None),
        (json!("2020-13-16 06:41:59+00:00"), None),
        (json!("1969-12-31 23:59:59+00:00"), None),
        (json!("18446744073709551615"), None),
        (json!(u64::MAX), None),
        (json!(-5), None),
        (json!(null), None),
        (json!({}), None),
        (json!("1".repeat(100)), None),
    ];
    for (written, expect) in rows {
        let mut body = block("hi");
        body["last_message_time"] = written.clone();
        assert_eq!(incoming(&body).vendor_ms, expect, "{written}");
    }
}

#[test]
fn only_a_usable_phone_is_kept_for_replies() {
    let of = |phone: Value| {
        let mut body = block("hi");
        body["phone"] = phone;
        incoming(&body).reply_to
    };
    assert_eq!(of(json!("+88 01")).as_deref(), Some("+88 01"));
    assert_eq!(of(json!(8801)).as_deref(), Some("8801"));
    for none in [json!(""), json!(" "), json!(null), json!([]), json!("1".repeat(65))] {
        assert_eq!(of(none), None);
    }
}

#[test]
fn a_request_is_named_by_its_words_and_a_get_never() {
    let channel = channel(settings());
    let name = |method: &Method, rest: &str, query: Option<&str>, body: &str| {
        event(receive_as(&*channel, method, rest, query, body.as_bytes())).request
    };
    let body = block("hi").to_string();
    let one = name(&Method::POST, "text/o", None, &body);
    assert!(one.is_some());
    assert_eq!(one, name(&Method::POST, "text/o", None, &body));
    assert_ne!(one, name(&Method::POST, "text/p", None, &body));
    assert_ne!(one, name(&Method::POST, "image/o", None, &body));
    assert_ne!(one, name(&Method::POST, "text/o", Some("a=1"), &body));
    assert_ne!(one, name(&Method::POST, "text/o", None, &block("ho").to_string()));
    for query in [None, Some("a=1"), Some("text=hi")] {
        assert_eq!(name(&Method::GET, "text/o", query, ""), None);
        assert_eq!(name(&Method::GET, "text/o", query, &body), None);
    }
}

#[test]
fn each_get_is_a_conversation_of_its_own() {
    let of = |chance: Seed| {
        let request = Inbound {
            method: &Method::GET,
            rest: "text/o",
            query: None,
            headers: &headers(&[("x-secret", SECRET)]),
            body: &Bytes::new(),
            chance,
        };
        event(channel(settings()).receive(&request, 0)).conversation
    };
    let one = of(Seed([u64::MAX, 1, 0, 0]));
    assert_eq!(one, "get:ffffffffffffffff0000000000000001");
    assert_ne!(one, of(Seed([u64::MAX, 2, 0, 0])));
    assert_ne!(one, of(Seed([1, 1, 0, 0])));
}
