//! Input that nobody meant to send: never a panic, always an answer.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{channel, fixtures, receive, settings};
use crate::{Received, Vendor};

/// What stands in the place of a part of a webhook.
pub(crate) fn odd() -> impl Strategy<Value = Value> {
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
        Just(json!({ "id": {} })),
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
pub(crate) fn replace(value: &mut Value, nth: usize, with: &Value) {
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
pub(crate) fn check(channel: &dyn Vendor, body: &[u8]) {
    match receive(channel, body) {
        Received::Rejected(rejection) => panic!("{rejection:?}"),
        Received::Ignored(_) => {}
        Received::Events { events, damaged } => {
            assert!(!events.is_empty() || !damaged.is_empty());
            for event in &events {
                let (page, person) = event.conversation.split_once(':').expect("a page");
                assert!(!page.is_empty() && !person.is_empty());
                assert!(event.conversation.len() <= 401);
                assert!(event.key.as_ref().is_none_or(|key| key.len() <= 600));
                assert!(event.reply_to.as_ref().is_none_or(|reply_to| reply_to.len() <= 4096));
                assert!(event.raw.as_ref().is_none_or(|raw| raw.len() <= 64 * 1024));
                let facts = serde_json::to_vec(&event.facts).expect("facts");
                assert!(facts.len() < 64 * 1024, "{} bytes of facts", facts.len());
                // A control character takes six bytes in JSON.
                let told = serde_json::to_vec(&event.body).expect("an event");
                assert!(told.len() < 6 * 64 * 1024 + 64 * 1024, "{} bytes", told.len());
            }
            for damaged in damaged {
                assert!(damaged.raw.len() <= 64 * 1024);
                assert_eq!(damaged.reason.lines().count(), 1, "{}", damaged.reason);
            }
        }
        other => panic!("{other:?}"),
    }
}

fn webhooks() -> Vec<Value> {
    fixtures("messenger", "in.").into_iter().map(|(_, it)| it["webhook"].clone()).collect()
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&*channel(settings()), &body);
    }

    #[test]
    fn any_flipped_byte(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte: u8) {
        let webhooks = webhooks();
        let mut body = which.get(&webhooks).to_string().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        check(&*channel(settings()), &body);
    }

    #[test]
    fn any_replaced_part(which in any::<prop::sample::Index>(), nth in 0_usize..40, with in odd()) {
        let webhooks = webhooks();
        let mut webhook = which.get(&webhooks).clone();
        replace(&mut webhook, nth, &with);
        check(&*channel(settings()), webhook.to_string().as_bytes());
    }

    #[test]
    fn any_answer_of_the_vendor(status in 100_u16..1000, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let answer = crate::CallAnswer::Answered {
            status: status.try_into().unwrap(),
            retry_after_ms: None,
            body: body.into(), headers: http::HeaderMap::new() };
        // Any outcome will do, as long as there is one.
        channel(settings()).outcome(&answer);
    }
}
