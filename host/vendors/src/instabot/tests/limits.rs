//! Bodies that are no request, sizes at their limits, and what names a request.

use botyard_kernel::event::{EventBody, RAW_BYTES_MAX, Setting};
use botyard_kernel::id::EventId;
use botyard_kernel::log::Route;
use botyard_kernel::run::Blame;
use botyard_kernel::session::Seed;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{API_KEY, EMAIL, STREAM};
use super::{
    changed, channel, event, parsed, rejection, request, respond, send, settings, start, with,
};
use crate::Incoming;

fn refused(body: &[u8]) -> crate::Rejection {
    rejection(request(&*channel(settings()), &Method::POST, "secure/send", body))
}

fn taken(body: &Value) -> Incoming {
    event(send(&*channel(settings()), body))
}

#[test]
fn what_is_no_request_is_refused_with_one_line() {
    let deep = "[".repeat(100_000);
    let rows: [(&[u8], &str); 8] = [
        (b"", "the body is not JSON"),
        (b"streamId=1", "the body is not JSON"),
        (b"{\"streamId\":\"\xff\"}", "the body is not JSON"),
        (b"{\"streamId\":\"1\",}", "the body is not JSON"),
        (deep.as_bytes(), "the body is not JSON: recursion limit"),
        (b"null", "must be a JSON object"),
        (b"[]", "must be a JSON object"),
        (b"{}", "a chat begins with `start`"),
    ];
    for (body, expect) in rows {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        check_refused(&shown, &refused(body), expect);
    }
}

fn check_refused(shown: &str, rejection: &crate::Rejection, expect: &str) {
    assert_eq!(rejection.status, StatusCode::BAD_REQUEST, "{shown}");
    assert_eq!(rejection.blame, Blame::Vendor, "{shown}");
    assert!(rejection.reason.contains(expect), "{shown}: {}", rejection.reason);
    assert!(!rejection.reason.contains('\n'), "{shown}: {}", rejection.reason);
}

#[test]
fn fields_of_wrong_types_are_refused() {
    let rows = [
        (start(&json!({ "start": "true" })), "`start` must be true or false"),
        (start(&json!({ "start": 1 })), "`start` must be true or false"),
        (start(&json!({ "start": false })), "a chat begins with `start`"),
        (start(&json!({ "start": null })), "a chat begins with `start`"),
        (start(&json!({ "botId": null })), "`botId` must be a whole number"),
        (start(&json!({ "email": null })), "`email` must be a text"),
        (start(&json!({ "email": "  " })), "`email` must be a text"),
        (start(&json!({ "email": { "a": 1 } })), "`email` must be a text"),
        (start(&json!({ "metadata": [] })), "`metadata` must be an object"),
        (start(&json!({ "metadata": "a=b" })), "`metadata` must be an object"),
        (respond(json!(null)), "`message` must be an object"),
        (respond(json!("hi")), "`message` must be an object"),
        (respond(json!({})), "`message.text` must be a text"),
        (respond(json!({ "payload": 7 })), "`message.text` must be a text"),
        (respond(json!({ "text": 7 })), "`message.text` must be a text"),
        (respond(json!({ "text": null })), "`message.text` must be a text"),
        (respond(json!({ "text": "A", "payload": "7" })), "`message.payload` must be a whole"),
        (respond(json!({ "text": "A", "payload": 0.5 })), "`message.payload` must be a whole"),
        (respond(json!({ "text": "A", "payload": [7] })), "`message.payload` must be a whole"),
        (respond(json!({ "text": "A", "payload": u64::MAX })), "`message.payload` must be"),
    ];
    for (body, expect) in rows {
        let body = body.to_string();
        check_refused(&body, &refused(body.as_bytes()), expect);
    }
}

#[test]
fn an_email_has_at_most_320_bytes() {
    let of = |bytes: usize| start(&json!({ "email": "e".repeat(bytes) }));
    assert_eq!(taken(&of(320)).facts.contact.email.unwrap().len(), 320);
    check_refused("321", &refused(of(321).to_string().as_bytes()), "1 to 320 bytes");
}

#[test]
fn a_callback_that_cannot_be_used_is_as_good_as_none() {
    let urls = json!([
        7,
        "WEBHOOK",
        "/agent",
        "https://",
        "https:///agent",
        "http://c.invalid/",
        "ftp://c.invalid/",
        "https://c.invalid/a b",
        "éhttps://c.invalid/"
    ]);
    let strict = channel(with(&json!({ "dialect": { "refuse-callbacks": true } })));
    for url in urls.as_array().unwrap() {
        let body = start(&json!({ "callbackUrl": url }));
        let begun = taken(&body);
        assert_eq!(begun.route, Some(Route::Answers), "{url}");
        let told = begun.facts.params.iter().any(|param| param.name == "callback-unused");
        assert!(told && !begun.reply_to.unwrap().contains("callback"), "{url}");
        let rejection = rejection(send(&*strict, &body));
        assert!(rejection.reason.starts_with("`callbackUrl` must be a whole"), "{url}");
    }
}

#[test]
fn a_callback_has_at_most_2048_bytes_and_the_reply_address_4096() {
    let of = |path: &str, email: &str| {
        start(&json!({ "callbackUrl": format!("https://c.invalid/{path}"), "email": email }))
    };
    let frame = "https://c.invalid/".len();
    assert!(taken(&of(&"p".repeat(2048 - frame), EMAIL)).reply_to.unwrap().len() <= 4096);
    assert_eq!(taken(&of(&"p".repeat(2049 - frame), EMAIL)).route, Some(Route::Answers));
    // What has to be escaped grows.
    let email = "\u{1}".repeat(320);
    let fits = of("p", &email);
    assert!(taken(&fits).reply_to.unwrap().len() <= 4096);
    let large = of(&"\"".repeat(2048 - frame), &email).to_string();
    check_refused("escaped", &refused(large.as_bytes()), "too long together");
}

#[test]
fn only_so_much_metadata_is_offered_and_the_rest_told() {
    let of = |metadata: Value| taken(&start(&json!({ "metadata": metadata }))).facts.params;
    let many: Value = (0..40).map(|n| (format!("k{n:02}"), json!("v"))).collect();
    let params = of(many);
    assert_eq!((params.len(), &*params[0].name), (33, "k00"));
    assert_eq!(params[32], Setting::new("metadata-dropped", "8"));
    let long = of(json!({ "a": "x".repeat(1023), "b": "x".repeat(1024), "c": "v" }));
    let names: Vec<_> = long.iter().map(|param| (&*param.name, param.value.len())).collect();
    assert_eq!(names, [("a", 1023), ("c", 1), ("metadata-dropped", 1)]);
}

#[test]
fn of_a_huge_text_the_first_part_is_told() {
    let text = "é".repeat(100_000);
    let incoming = taken(&respond(json!({ "text": text })));
    assert_eq!(incoming.raw, None);
    let EventBody::Message(message) = incoming.body else { panic!("a message") };
    assert!(message.text.len() == 64 * 1024 && text.starts_with(&message.text));
    let incoming = taken(&respond(json!({ "text": text, "payload": 7 })));
    let EventBody::Click(click) = incoming.body else { panic!("a click") };
    assert_eq!(click.label.map(|label| label.len()), Some(8 * 1024));
}

#[test]
fn the_payload_travels_where_it_is_not_too_large() {
    // Without the stream id, which no bot is told.
    let frame = "{\"message\":{\"text\":\"\"}}".len();
    let raw = |bytes: usize| taken(&respond(json!({ "text": "x".repeat(bytes - frame) }))).raw;
    assert_eq!(raw(RAW_BYTES_MAX).map(|raw| raw.len()), Some(RAW_BYTES_MAX));
    assert_eq!(raw(RAW_BYTES_MAX + 1), None);
}

#[test]
fn bots_never_see_what_lets_others_speak() {
    let bodies = [
        start(&json!({ "more": { "a": [1, 2.5] } })).to_string(),
        changed(respond(json!({ "text": "hi" })), &json!({ "apiKey": API_KEY })).to_string(),
        // The name in disguise, and twice.
        format!(
            "{{\"streamId\":\"{STREAM}\",\"message\":{{\"text\":\"hi\"}},\"api\\u004bey\":\
             \"{API_KEY}\",\"apiKey\":\"{API_KEY}\"}}"
        ),
    ];
    for body in bodies {
        let received =
            request(&*channel(settings()), &Method::POST, "secure/send", body.as_bytes());
        let incoming = event(received);
        let arrival = incoming.arrival(EventId::from("e"), 0, Seed::default());
        let shown = format!("{:?} {:?} {:?}", arrival.event, arrival.facts, arrival.key);
        assert!(!shown.contains(API_KEY) && !shown.contains(STREAM), "{shown}");
        assert!(!shown.contains(&STREAM[20..]), "{shown}");
        assert!(arrival.event.raw.is_some());
    }
}

#[test]
fn the_facts_of_the_start_outlast_it() {
    let arrived = |incoming: Incoming| incoming.arrival(EventId::from("e"), 0, Seed::default());
    let started = arrived(taken(&start(&json!({}))));
    assert_eq!(started.facts.unwrap().contact.email.as_deref(), Some(EMAIL));
    let said = arrived(taken(&respond(json!({ "text": "hi" }))));
    assert_eq!((said.facts, said.route, said.reply_to), (None, None, None));
}

#[test]
fn a_start_is_always_a_chat_of_its_own() {
    let channel = channel(settings());
    let body = bytes::Bytes::from(start(&json!({})).to_string());
    let headers = http::HeaderMap::new();
    let start = |chance: [u64; 4]| {
        let request = crate::Inbound {
            method: &Method::POST,
            rest: "secure/send",
            query: None,
            headers: &headers,
            body: &body,
            chance: Seed(chance),
        };
        event(channel.receive(&request, 0))
    };
    let (one, two) = (start([1, 2, 3, 4]), start([1, 3, 3, 4]));
    assert_ne!(one.conversation, two.conversation);
    assert_eq!((one.request, two.request), (None, None));
}

#[test]
fn the_same_words_have_one_name() {
    let said = |text: &str| taken(&respond(json!({ "text": text }))).request.expect("a name");
    assert_eq!(said("yes"), said("yes"));
    assert_ne!(said("yes"), said("no"));
}

#[test]
fn callbacks_can_be_switched_off_and_be_plain_in_tests() {
    let url = "http://127.0.0.1:8080/agent";
    let body = start(&json!({ "callbackUrl": url }));
    let plain = with(&json!({ "dialect": { "plain-callbacks": true } }));
    let incoming = event(send(&*channel(plain), &body));
    assert_eq!(incoming.route, Some(Route::Calls));
    assert!(incoming.reply_to.unwrap().contains(url));
    let none = with(&json!({ "allow-callbacks": false }));
    let incoming = event(send(&*channel(none), &body));
    assert_eq!(incoming.route, Some(Route::Answers));
    let reply_to = parsed(incoming.reply_to.unwrap().as_bytes());
    assert_eq!(reply_to, json!({ "stream": STREAM, "email": EMAIL }));
}
