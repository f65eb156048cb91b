//! Input that nobody meant to send: never a panic, always an answer.

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::golden::fixtures;
use super::{channel, receive_as, settings, with_dialect};
use crate::{Incoming, Received};

/// The URLs and bodies of the fixtures that have a body.
fn webhooks() -> Vec<(String, Value)> {
    let all = fixtures("in.").into_iter().map(|(_, fixture)| fixture["request"].clone());
    let posts = all.filter(|request| request["method"] == "POST");
    posts.map(|it| (it["rest"].as_str().unwrap().to_owned(), it["body"].clone())).collect()
}

/// What stands in the place of a part of a webhook.
fn odd() -> impl Strategy<Value = Value> {
    let nest = |inner, at: usize| {
        if at.is_multiple_of(2) { json!([inner]) } else { json!({ "a": inner }) }
    };
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!({})),
        Just(json!([])),
        Just(json!([null, 1, "x"])),
        Just(json!(-1)),
        Just(json!(u64::MAX)),
        Just(json!(1e300)),
        Just(json!("")),
        Just(json!("\u{0}\u{feff}\u{1f600}")),
        Just(json!("x".repeat(70_000))),
        Just((0..100).fold(json!(1), nest)),
        ".*".prop_map(Value::from),
    ]
}

/// Puts a value in the place of the n-th part of another one.
fn replace(value: &mut Value, nth: usize, with: &Value) {
    fn walk<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
        if *left == 0 {
            return Some(value);
        }
        *left -= 1;
        match value {
            Value::Array(items) => items.iter_mut().find_map(|item| walk(item, left)),
            Value::Object(fields) => fields.values_mut().find_map(|field| walk(field, left)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }
    let mut left = nth;
    if let Some(part) = walk(value, &mut left) {
        *part = with.clone();
    }
}

fn bounded(event: &Incoming) {
    assert!(!event.conversation.is_empty() && event.conversation.len() <= 64);
    assert!(event.reply_to.as_ref().is_none_or(|phone| phone.len() <= 64));
    let facts = serde_json::to_vec(&event.facts).expect("facts");
    assert!(facts.len() < 256 * 1024, "{} bytes of facts", facts.len());
    let fields: Value = serde_json::from_str(&event.facts.contact.custom_fields).expect("JSON");
    assert!(fields.is_object());
    let body = serde_json::to_vec(&event.body).expect("an event");
    assert!(body.len() <= 512 * 1024, "{} bytes of an event", body.len());
}

/// An answer for whatever came.
fn check(method: &Method, rest: &str, query: Option<&str>, body: &[u8]) {
    match receive_as(&*channel(settings()), method, rest, query, body) {
        Received::Rejected(rejection) => {
            assert!(matches!(rejection.status.as_u16(), 400 | 404 | 405), "{}", rejection.status);
            assert_eq!(rejection.reason.lines().count(), 1, "{}", rejection.reason);
        }
        Received::Events { events, damaged } => {
            assert_eq!(events.len() + damaged.len(), 1);
            events.iter().for_each(bounded);
        }
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300), tickets: bool) {
        check(&Method::POST, if tickets { "tickets" } else { "text/orders" }, None, &body);
    }

    #[test]
    fn any_url(rest in ".*", query in ".*", get: bool) {
        let (_, body) = webhooks().remove(0);
        let method = if get { Method::GET } else { Method::POST };
        check(&method, &rest, Some(&query), body.to_string().as_bytes());
        check(&method, &format!("gallery/{rest}"), Some(&query), body.to_string().as_bytes());
        check(&method, &format!("tickets/{rest}"), Some(&query), body.to_string().as_bytes());
    }

    #[test]
    fn any_flipped_byte(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8) {
        let webhooks = webhooks();
        let (rest, body) = which.get(&webhooks);
        let mut body = body.to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        check(&Method::POST, rest, None, &body);
    }

    #[test]
    fn any_replaced_part(which in any::<prop::sample::Index>(), nth in 0_usize..40, with in odd()) {
        let webhooks = webhooks();
        let (rest, mut body) = which.get(&webhooks).clone();
        replace(&mut body, nth, &with);
        check(&Method::POST, &rest, None, body.to_string().as_bytes());
    }

    #[test]
    fn any_path_in_a_dialect(path in ".*") {
        let dialect = json!({ "tickets": { "platform": path, "customer": path, "agent-names": [path] } });
        let body = super::ticket("ticket_created").to_string();
        let received = receive_as(&*with_dialect(&dialect), &Method::POST, "tickets", None, body.as_bytes());
        let taken = matches!(received, Received::Events { .. });
        prop_assert!(taken, "{received:?}");
    }
}
