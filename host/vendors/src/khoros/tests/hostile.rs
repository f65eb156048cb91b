//! Input that nobody meant to send: never a panic, always an answer.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::place::Place;
use super::golden::fixtures;
use super::{channel, receive, receive_with, settings, with};
use crate::{Received, To};

fn webhooks() -> Vec<Value> {
    fixtures("in.").into_iter().map(|(_, fixture)| fixture["webhook"].clone()).collect()
}

/// What stands in the place of a part of a webhook.
fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!({})),
        Just(json!([])),
        Just(json!([null, 1, "x", { "url": 1 }, []])),
        Just(json!(-1)),
        Just(json!(u64::MAX)),
        Just(json!(1e300)),
        Just(json!("")),
        Just(json!("\u{0}\u{feff}\u{1f600}")),
        Just(json!("x".repeat(70_000))),
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
fn check(body: &[u8]) {
    let channel = channel(settings());
    match receive(&*channel, body) {
        Received::Rejected(rejection) => {
            assert!(matches!(rejection.status.as_u16(), 400 | 403));
            assert!(rejection.reason.lines().count() == 1, "{}", rejection.reason);
        }
        Received::Events { events, damaged } => {
            assert!(events.len() <= 40 && damaged.len() <= 40);
            for event in events {
                assert!(!event.conversation.is_empty() && event.conversation.len() <= 1_024);
                assert!(event.reply_to.as_ref().is_none_or(|it| it.len() <= 4_096));
                assert!(event.key.as_ref().is_none_or(|it| it.len() <= 2_048));
                let facts = serde_json::to_vec(&event.facts).expect("facts");
                assert!(facts.len() < 256 * 1024, "{} bytes of facts", facts.len());
                let body = serde_json::to_vec(&event.body).expect("a body");
                assert!(body.len() < 512 * 1024, "{} bytes of a body", body.len());
            }
        }
        Received::Ignored(_) => {}
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&body);
    }

    #[test]
    fn any_flipped_byte(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8) {
        let webhooks = webhooks();
        let mut body = which.get(&webhooks).to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        check(&body);
    }

    #[test]
    fn any_replaced_part(which in any::<prop::sample::Index>(), nth in 0_usize..40, with in odd()) {
        let webhooks = webhooks();
        let mut webhook = which.get(&webhooks).clone();
        replace(&mut webhook, nth, &with);
        check(webhook.to_string().as_bytes());
    }

    #[test]
    fn any_header(value in "[ -~]{0,300}") {
        let signed = channel(with(json!({ "webhook-method": "hmac" })));
        for name in ["authorization", "x-hmac-signature"] {
            let shown = super::headers(&[(name, value.trim())]);
            let rejected = matches!(receive_with(&*signed, &shown, b"{}"), Received::Rejected(_));
            prop_assert!(rejected);
        }
    }

    #[test]
    fn any_key_and_address(conversation in ".{0,60}", reply_to in ".{0,60}") {
        let to = To { conversation: &conversation, reply_to: Some(&reply_to), form: "", ..To::default() };
        let call = channel(settings()).call(&to, &[]);
        prop_assert!(call.url.starts_with(super::GATEWAY));
        prop_assert!(call.url.parse::<http::Uri>().is_ok(), "{}", call.url);
    }

    #[test]
    fn a_key_can_be_taken_apart(parts in prop::array::uniform4(".{1,40}")) {
        let [company, network, external, author] = parts;
        let place = Place { company, network, external, author };
        prop_assert_eq!(Place::of_key(&place.key()), Some(place));
    }
}
