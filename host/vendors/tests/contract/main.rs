//! What holds for every vendor, tried with invented settings.

mod actions;
mod golden;
mod hostile;
mod promises;
mod rows;
mod samples;

use std::sync::Arc;

use botyard_kernel::action::Action;
use botyard_kernel::degrade::degrade;
use botyard_kernel::event::{EventBody, First};
use botyard_kernel::id::PartId;
use botyard_vendors::{
    CallAnswer, Incoming, Outcome, Part, Received, To, VENDORS, Vendor, connect, known,
};
use bytes::Bytes;
use http::StatusCode;
use proptest::prelude::*;
use samples::{Sample, all};
use serde_json::{Value, json};

const MEDIUMS: [&str; 8] =
    ["web", "facebook", "instagram", "whatsapp_business", "telegram", "apple", "twitter", "new"];

/// What its message shows is the id of a chat that began before, and nothing else: who
/// and where was told then, and a wrong id is no chat.
const BY_ID: &str = "instabot";

fn channel(name: &str) -> Arc<dyn Vendor> {
    let known = known(name).unwrap();
    (known.connect)((known.sample)()).unwrap()
}

/// The one event of the sample.
fn event(sample: &Sample) -> Incoming {
    match sample.read(&*channel(sample.vendor), sample.body.as_bytes()) {
        Received::Events { mut events, damaged } if damaged.is_empty() && events.len() == 1 => {
            events.remove(0)
        }
        other => panic!("{}: {other:?}", sample.vendor),
    }
}

#[test]
fn every_vendor_has_a_sample() {
    let mut names: Vec<_> = VENDORS.iter().map(|known| known.name).collect();
    let mut sampled: Vec<_> = all().into_iter().map(|sample| sample.vendor).collect();
    names.sort_unstable();
    sampled.sort_unstable();
    assert_eq!(names, sampled);
    for name in names {
        assert_eq!(channel(name).name(), name);
    }
}

#[test]
fn a_webhook_without_the_secret_is_refused() {
    for sample in all() {
        let rejection = sample.verify(&*channel(sample.vendor)).unwrap_err();
        let by_id = sample.vendor == BY_ID;
        let status = if by_id { StatusCode::NOT_FOUND } else { StatusCode::UNAUTHORIZED };
        assert_eq!(rejection.status, status, "{}", sample.vendor);
        assert!(!rejection.reason.contains("a-sample"), "{}", rejection.reason);
    }
}

#[test]
fn a_message_says_who_wrote_what_where() {
    for sample in all() {
        let vendor = sample.vendor;
        let event = event(&sample);
        let text = match &event.body {
            EventBody::Message(message) => &message.text,
            EventBody::Start(start) => match &start.first {
                Some(First::Message(message)) => &message.text,
                other => panic!("{vendor}: {other:?}"),
            },
            other => panic!("{vendor}: {other:?}"),
        };
        assert_eq!(text, "Grüß Gott 👋", "{vendor}");
        assert!(!event.conversation.is_empty(), "{vendor}");
        assert_eq!(event.facts.medium.is_empty(), vendor == BY_ID, "{vendor}");
        assert!(event.raw.is_some(), "{vendor}: the raw payload stays");
        assert!(event.key.is_some() || event.request.is_some(), "{vendor}: nothing to dedupe by");
        // The same words again are the same event, or the same request.
        let again = self::event(&sample);
        assert_eq!((event.key, event.request), (again.key, again.request), "{vendor}");
        assert_eq!(event.conversation, again.conversation, "{vendor}");
    }
}

#[test]
fn every_action_on_every_medium_becomes_calls_or_is_told() {
    let id = PartId::from("t1.0.0");
    for sample in all() {
        let (vendor, event) = (channel(sample.vendor), event(&sample));
        let to = To {
            desk_id: None,
            conversation: &event.conversation,
            reply_to: event.reply_to.as_deref(),
            form: event.form,
            ..To::default()
        };
        for medium in MEDIUMS {
            let profile = vendor.profile(medium);
            assert!(profile.carries("message"), "{} {medium}", sample.vendor);
            for action in actions::all() {
                let name = action.name();
                let degraded = degrade(action, &profile, vendor.name());
                let silent = degraded.actions.is_empty() && degraded.notes.is_empty();
                // The host itself knows what a bot has learned of a person.
                let kept = matches!(name, "contact_update" | "end");
                assert!(!silent || kept, "{} {medium}: {name} is lost in silence", sample.vendor);
                for action in degraded.actions {
                    let parts = [Part { id: &id, action: &action, context: None }];
                    check_call(
                        &*vendor,
                        &to,
                        &parts,
                        &format!("{} {medium} {name}", sample.vendor),
                    );
                }
            }
        }
    }
}

fn check_call(vendor: &dyn Vendor, to: &To<'_>, parts: &[Part<'_>], what: &str) {
    // What the host does itself has no call.
    let own = |action: &Action| {
        matches!(
            action,
            Action::Delay(_)
                | Action::ContextUpdate(_)
                | Action::ContextClear
                | Action::Schedule(_)
                | Action::CancelTimer(_)
                | Action::Request(_)
        )
    };
    if own(parts[0].action) {
        return;
    }
    let call = vendor.call(to, parts);
    let whole = call.url.starts_with("https://");
    let refused = call.url.is_empty();
    assert!(whole || refused, "{what}: {}", call.url);
    let json = serde_json::from_slice::<Value>(&call.body);
    assert!(call.body.is_empty() || json.is_ok(), "{what}: the body is no JSON");
    assert!(!format!("{call:?}{vendor:?}").contains("a-sample"), "{what}: a secret is shown");
    if refused {
        let answer = CallAnswer::NotSent("an address is missing".to_owned());
        let outcome = vendor.outcome_for(parts, &answer);
        assert!(!matches!(outcome, Outcome::Delivered { .. }), "{what}");
    }
    let answer = vendor.answer(to, &[]);
    assert!(answer.status.is_success(), "{what}: {}", answer.status);
}

#[test]
fn any_status_has_a_meaning() {
    let id = PartId::from("t1.0.0");
    let action: Action =
        serde_json::from_value(json!({ "name": "message", "payload": { "text": "a" } })).unwrap();
    let parts = [Part { id: &id, action: &action, context: None }];
    for sample in all() {
        let (vendor, event) = (channel(sample.vendor), event(&sample));
        let to =
            To { reply_to: event.reply_to.as_deref(), ..To::conversation(&event.conversation) };
        for status in 200..600 {
            let status = StatusCode::from_u16(status).unwrap();
            let answer = CallAnswer::Answered {
                status,
                retry_after_ms: Some(7_000),
                body: Bytes::new(),
                headers: http::HeaderMap::new(),
            };
            let outcome = vendor.outcome_at(&to, &parts, &answer, 1_700_000_000_000);
            let delivered = matches!(outcome, Outcome::Delivered { .. });
            assert!(!delivered || status.is_success(), "{}: {status}", sample.vendor);
            if status == StatusCode::TOO_MANY_REQUESTS {
                let waits = matches!(outcome, Outcome::Retry { after_ms: Some(7_000), .. });
                assert!(waits, "{}: {outcome:?}", sample.vendor);
            }
        }
        let lost = vendor.outcome_at(&to, &parts, &CallAnswer::Lost("cut".to_owned()), 0);
        assert!(matches!(lost, Outcome::Retry { ambiguous: true, .. }), "{}", sample.vendor);
        let unsent = vendor.outcome_at(&to, &parts, &CallAnswer::NotSent("no".to_owned()), 0);
        assert!(matches!(unsent, Outcome::Retry { ambiguous: false, .. }), "{}", sample.vendor);
    }
}

#[test]
fn wrong_settings_are_told_without_what_is_secret() {
    for known in VENDORS {
        let mut settings = (known.sample)();
        settings["colour"] = json!("a-sample-colour");
        let error = connect(known.name, settings).unwrap_err().to_string();
        assert!(error.contains("`colour`") && !error.contains("a-sample"), "{error}");
        let error = connect(known.name, json!({})).unwrap_err().to_string();
        assert!(error.contains('`'), "{}: {error} names no setting", known.name);
        assert!(connect(known.name, json!([])).is_err());
    }
    assert!(connect("nobody", json!({})).unwrap_err().to_string().contains("userlike"));
}

proptest! {
    #[test]
    fn any_bytes_have_an_answer(body in prop::collection::vec(any::<u8>(), 0..600)) {
        for sample in all() {
            sample.read(&*channel(sample.vendor), &body);
        }
    }

    /// A payload of which one piece is something else.
    #[test]
    fn a_payload_with_another_piece_has_an_answer(
        at in any::<prop::sample::Index>(),
        piece in prop::sample::select(vec!["null", "7", "[]", "{}", "\"\"", "true", "[[[]]]"]),
    ) {
        for sample in all() {
            let body: Value = serde_json::from_str(&sample.body).unwrap();
            let mut paths = Vec::new();
            samples::paths(&body, "", &mut paths);
            let mut changed = body.clone();
            *changed.pointer_mut(&paths[at.index(paths.len())]).unwrap() = serde_json::from_str(piece).unwrap();
            let read = sample.read(&*channel(sample.vendor), changed.to_string().as_bytes());
            if let Received::Events { events, damaged } = read {
                prop_assert!(events.len() + damaged.len() <= 4);
            }
        }
    }
}
