//! What a tenant may write down, and what they are told when it is wrong.

use botyard_kernel::id::PartId;
use botyard_kernel::profile::{Limited, Rate};
use serde_json::{Value, json};

use super::super::{KEYS, dialect_defaults};
use super::{APP_SECRET, CONVERSATION, TOKEN, channel, settings, with_dialect};
use crate::{Part, To, connect};

/// The settings with these keys in the place of theirs; `null` takes one away.
fn with(changes: &Value) -> Value {
    let mut settings = settings();
    for (key, value) in changes.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

#[test]
fn wrong_settings_are_told_in_words() {
    let rows = [
        (json!({ "app-secrets": "71077345" }), "no setting `app-secrets`"),
        (json!({ "app-secret": null }), "`app-secret` is missing: copy it"),
        (json!({ "app-secret": ["a", "b", "c"] }), "one secret, or two"),
        (json!({ "app-secret": " 71077345" }), "`app-secret` must not be empty"),
        (json!({ "app-secret": 71_077_345 }), "`app-secret` must be a text"),
        (json!({ "verify-token": null }), "`verify-token` is missing: make one up"),
        (json!({ "verify-token": "" }), "`verify-token` must not be empty"),
        (json!({ "page-token": null }), "`page-token` is missing: generate one"),
        (json!({ "page-token": "71077345\n" }), "`page-token` holds characters"),
        (json!({ "app-id": null }), "`app-id` is missing: copy it"),
        (json!({ "app-id": "" }), "`app-id` must be digits only"),
        (json!({ "app-id": "app" }), "`app-id` must be digits only"),
        (json!({ "app-id": -5 }), "`app-id` must be digits only"),
        (json!({ "app-id": [1] }), "`app-id` must be digits only"),
        (json!({ "graph-url": "graph.facebook.com" }), "`graph-url` must be a whole address"),
        (json!({ "dialect": { "graph-url": "" } }), "`graph-url` must be a whole address"),
        (json!({ "hold-ambiguous": 1 }), "`hold-ambiguous` is wrong"),
        (json!({ "age-max-ms": -1 }), "`age-max-ms` is wrong"),
        (json!({ "dialect": { "colour": 1 } }), "unknown field `colour`"),
        (json!({ "dialect": { "rate-calls": 0 } }), "`dialect` is wrong"),
        (json!({ "dialect": { "errors": { "codes": [] } } }), "unknown field `codes`"),
    ];
    for (changes, expect) in rows {
        let error = connect("messenger", with(&changes)).expect_err(expect).to_string();
        assert!(error.contains(expect), "{changes}: {error}");
        assert!(!error.contains("71077345"), "a secret stands in: {error}");
    }
    assert!(connect("messenger", json!([])).is_err());
}

#[test]
fn every_setting_and_the_whole_dialect_are_taken() {
    let all = json!({
        "app-secret": ["a", "b"],
        "verify-token": "v",
        "page-token": "t",
        "app-id": "1357000",
        "graph-url": "https://graph.example.invalid/v1.0/",
        "handover-roles": false,
        "hold-ambiguous": true,
        "age-max-ms": 5,
        "dialect": dialect_defaults(),
    });
    let keys: Vec<&str> = all.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, KEYS);
    let delivery = channel(all).delivery();
    assert!(delivery.hold_ambiguous);
    assert_eq!(delivery.age_max_ms, 5);
}

/// Where no app can be handed a thread, the host's desk has the person.
#[test]
fn a_page_without_handover_roles_hands_over_to_nobody() {
    let hands_over = |settings| {
        let native = channel(settings).profile("facebook").native;
        native.into_iter().filter(|name| name.starts_with("forward") || *name == "abort").count()
    };
    assert!(hands_over(settings()) > 0);
    let mut without = settings();
    without["handover-roles"] = json!(false);
    assert_eq!(hands_over(without), 0);
}

#[test]
fn the_sample_is_a_channel() {
    assert!(connect("messenger", super::super::sample()).is_ok());
}

#[test]
fn no_secret_can_be_read_from_a_channel() {
    let shown = format!("{:?}", channel(settings()));
    for secret in [APP_SECRET, "meatyhamhock", TOKEN] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn deliveries_are_as_the_vendor_takes_them() {
    let delivery = channel(settings()).delivery();
    assert!(!delivery.inline && !delivery.lists && !delivery.native_delay);
    assert!(!delivery.sends_start && delivery.reopens && !delivery.ends_silent_sessions);
    assert!(!delivery.acknowledgements_elsewhere && !delivery.hold_ambiguous);
    assert_eq!((delivery.answer_by_ms, delivery.after_answer_ms), (0, 0));
    assert_eq!(delivery.limited, Limited::Token);
    assert_eq!((delivery.rate, delivery.age_max_ms), (None, 900_000));
    assert_eq!(delivery.token_rate, Some(Rate { calls: 300, window_ms: 1_000 }));
    assert_eq!(with_dialect(json!({ "rate-calls": null })).delivery().token_rate, None);
}

#[test]
fn channels_with_one_token_share_what_the_vendor_allows_it() {
    let account = |changes: &Value| connect("messenger", with(changes)).unwrap().account();
    let own = account(&json!({}));
    assert!(own.is_some());
    assert_eq!(own, account(&json!({ "verify-token": "another" })));
    assert_ne!(own, account(&json!({ "page-token": "another" })));
}

#[test]
fn a_thread_is_taken_only_where_the_dialect_says_so() {
    assert_eq!(channel(settings()).takes_back(), None);
    let channel = with_dialect(json!({ "take-thread": true }));
    let action = channel.takes_back().expect("there is something to do");
    let id = PartId::from("t1.takes-back");
    let parts = [Part { id: &id, action: &action, context: None }];
    let call = channel.call(&To::conversation(CONVERSATION), &parts);
    assert!(call.url.ends_with("/me/take_thread_control"), "{}", call.url);
    let (_, person) = CONVERSATION.split_once(':').unwrap();
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body, json!({ "recipient": { "id": person } }));
}
