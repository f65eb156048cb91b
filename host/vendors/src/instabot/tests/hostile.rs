//! Input that nobody meant to send: never a panic, always an answer.

use http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{channel, client, fixtures, request, send, settings, start, told, with};
use crate::Received;

fn requests() -> Vec<(String, Value)> {
    let mut all = fixtures("in.");
    all.extend(fixtures("user."));
    let request = |(_, fixture): (String, Value)| {
        let path = fixture["request"]["path"].as_str().expect("a path").to_owned();
        (path, fixture["request"]["body"].clone())
    };
    all.into_iter().map(request).collect()
}

/// What stands in the place of a part of a request.
fn odd() -> impl Strategy<Value = Value> {
    let deep =
        (0..100).fold(
            json!(1),
            |inner, at| if at % 2 == 0 { json!([inner]) } else { json!({ "a": inner }) },
        );
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
        Just(deep),
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

/// An answer for whatever came; what was taken is bounded.
fn check(path: &str, body: &[u8]) {
    let channel = channel(settings());
    match request(&*channel, &Method::POST, path, body) {
        Received::Rejected(rejection) => {
            assert!([400, 401, 404].contains(&rejection.status.as_u16()));
            assert!(rejection.reason.lines().count() == 1, "{}", rejection.reason);
            let reply = channel.refusal(&rejection).expect("a body");
            assert!(reply.body.len() < 1024 && reply.status == rejection.status);
            super::parsed(&reply.body);
        }
        Received::Events { events, damaged } => {
            assert_eq!((events.len(), damaged.len()), (1, 0));
            let event = &events[0];
            assert_eq!(event.conversation.len(), 20);
            assert!(event.reply_to.as_ref().is_none_or(|reply_to| reply_to.len() <= 4096));
            let said = serde_json::to_vec(&(&event.facts, &event.body)).expect("JSON");
            assert!(said.len() < 512 * 1024, "{} bytes", said.len());
        }
        Received::Asked { email } => {
            let reply = channel.person(&email, None).expect("an answer");
            super::parsed(&reply.body);
            assert!(reply.body.len() < 16 * 1024);
        }
        other @ (Received::Ignored(_) | Received::Challenge(_)) => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300), user: bool) {
        check(if user { "secure/user" } else { "secure/send" }, &body);
    }

    #[test]
    fn any_path(path in ".*") {
        check(&path, b"{}");
    }

    #[test]
    fn any_flipped_byte(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8) {
        let requests = requests();
        let (path, body) = which.get(&requests);
        let mut body = body.to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        check(path, &body);
    }

    #[test]
    fn any_replaced_part(which in any::<prop::sample::Index>(), nth in 0_usize..20, with in odd()) {
        let requests = requests();
        let (path, mut body) = which.get(&requests).clone();
        replace(&mut body, nth, &with);
        check(&path, body.to_string().as_bytes());
    }

    #[test]
    fn any_metadata(metadata in prop::collection::btree_map(".{0,20}", odd(), 0..60)) {
        let body = start(&json!({ "metadata": metadata }));
        let taken = matches!(send(&*channel(settings()), &body), Received::Events { .. });
        prop_assert!(taken);
        check("secure/send", body.to_string().as_bytes());
    }

    #[test]
    fn any_key_in_a_dialect(key in ".*") {
        let settings = with(&json!({ "dialect": { "metadata": { "medium": [key] } } }));
        let body = start(&json!({ "metadata": { "a": "b" } }));
        let taken = matches!(send(&*channel(settings), &body), Received::Events { .. });
        prop_assert!(taken);
    }

    #[test]
    fn any_email_of_a_user(email in ".{1,70}") {
        prop_assume!(!email.trim().is_empty());
        let body = json!({ "apiKey": super::API_KEY, "email": email }).to_string();
        let reply = told(request(&*channel(settings()), &Method::POST, "secure/user", body.as_bytes()));
        prop_assert_eq!(&super::parsed(&reply.body)["username"], &json!(email));
    }

    #[test]
    fn any_bytes_for_a_client(body in prop::collection::vec(any::<u8>(), 0..300)) {
        client::check(&body);
    }

    #[test]
    fn any_replaced_part_for_a_client(which in any::<prop::sample::Index>(), nth in 0_usize..40, with in odd()) {
        let fixtures = fixtures("client.");
        let (_, fixture) = which.get(&fixtures);
        let mut body = fixture["response"]["body"].clone();
        replace(&mut body, nth, &with);
        client::check(body.to_string().as_bytes());
    }
}
