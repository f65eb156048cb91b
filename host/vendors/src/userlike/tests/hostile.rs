//! Input that nobody meant to send: never a panic, always an answer.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::golden::fixtures;
use super::{channel, receive, settings, with_dialect};
use crate::Received;

fn webhooks() -> Vec<Value> {
    fixtures("in.").into_iter().map(|(_, fixture)| fixture["webhook"].clone()).collect()
}

/// What stands in the place of a part of a webhook.
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

/// An answer for whatever came; a body that was taken has bounded facts.
fn check(body: &[u8]) {
    match receive(&*channel(settings()), body) {
        Received::Rejected(rejection) => {
            assert_eq!(rejection.status.as_u16(), 400);
            assert!(rejection.reason.lines().count() == 1, "{}", rejection.reason);
        }
        Received::Events { events, .. } => {
            assert_eq!(events.len(), 1);
            let event = &events[0];
            assert!(!event.conversation.is_empty() && event.conversation.len() <= 512);
            assert!(!event.facts.medium.is_empty());
            let facts = serde_json::to_vec(&event.facts).expect("facts");
            assert!(facts.len() < 256 * 1024, "{} bytes of facts", facts.len());
            assert!(event.context.as_ref().is_none_or(|context| context.len() <= 10_240));
        }
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
    fn any_path_in_a_dialect(path in ".*") {
        let channel = with_dialect(json!({ "payload": { "text": [path] }, "info": { "entry": [path] } }));
        let webhook = super::webhook("message", json!({ "body": "hi" }));
        let received = receive(&*channel, webhook.to_string().as_bytes());
        let taken = matches!(received, Received::Events { .. });
        prop_assert!(taken, "{received:?}");
    }
}
