//! Input that nobody meant to send: never a panic, always an answer.

use proptest::prelude::*;

use super::{channel, settings};
use crate::messenger::tests::fixtures;
use crate::messenger::tests::hostile::{check, odd, replace};
use crate::{CallAnswer, Received, To};

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&*channel(settings()), &body);
    }

    #[test]
    fn any_replaced_part(which in any::<prop::sample::Index>(), nth in 0_usize..20, with in odd()) {
        let webhooks = fixtures("lexer", "in.");
        let mut webhook = which.get(&webhooks).1["webhook"].clone();
        replace(&mut webhook, nth, &with);
        let channel = channel(settings());
        let body = webhook.to_string();
        check(&*channel, body.as_bytes());
        // Whatever is claimed can be told.
        if let Received::Events { events, .. } = crate::messenger::tests::receive(&*channel, body.as_bytes()) {
            for token in events.iter().filter_map(|event| event.acknowledge.as_deref()) {
                // A control character takes six bytes in JSON.
                prop_assert!(token.len() <= 6 * 1024, "{} bytes", token.len());
                prop_assert!(channel.acknowledge(&To::default(), token).is_some());
            }
        }
    }

    #[test]
    fn any_token(token in ".*") {
        // Either a call or none.
        let _ = channel(settings()).acknowledge(&To::default(), &token);
    }

    #[test]
    fn any_answer_of_the_vendor(status in 100_u16..1000, body in prop::collection::vec(any::<u8>(), 0..200)) {
        let status = status.try_into().unwrap();
        channel(settings()).outcome(&CallAnswer::Answered { status, retry_after_ms: None, body: body.into(), headers: http::HeaderMap::new() });
    }
}
