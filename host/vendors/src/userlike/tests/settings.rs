//! What a tenant may write down, and what they are told when it is wrong.

use botyard_kernel::profile::Rate;
use serde_json::{Value, json};

use super::{SECRET, channel, settings};
use crate::connect;

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
        (json!({ "webhook-secrets": SECRET }), "no setting `webhook-secrets`"),
        (json!({ "webhook-secret": null }), "anyone could call this webhook"),
        (json!({ "webhook-secret": 71_077_345 }), "`webhook-secret` must be a text"),
        (json!({ "webhook-secret": [] }), "one secret, or two"),
        (json!({ "webhook-secret": ["a", "b", "c"] }), "one secret, or two"),
        (json!({ "webhook-secret": ["a", 71_077_345] }), "`webhook-secret` must be a text"),
        (json!({ "webhook-secret": "" }), "`webhook-secret` must not be empty"),
        (json!({ "webhook-secret": "71077345 " }), "`webhook-secret` must not be empty"),
        (json!({ "webhook-secret": "71077345\n1" }), "no HTTP header can carry"),
        (json!({ "webhook-url-secret": "only71077345" }), "must have 16 to 200 characters"),
        (json!({ "webhook-url-secret": "71077345/71077345/71077345" }), "it stands in a URL"),
        (json!({ "webhook-header": "two words" }), "`webhook-header` is no name"),
        (json!({ "webhook-header": 5 }), "`webhook-header` is wrong"),
        (json!({ "api-url": null }), "`api-url` is missing"),
        (json!({ "api-url": "api.example.invalid/71077345" }), "`api-url` must be a whole address"),
        (json!({ "api-url": "ftp://example.invalid/71077345" }), "`api-url` must be a whole"),
        (json!({ "api-token": null }), "`api-token` is missing"),
        (json!({ "api-token": 71_077_345 }), "`api-token` must be a text"),
        (json!({ "api-token": "71077345\u{7f}" }), "`api-token` holds characters"),
        (json!({ "inline": "yes" }), "`inline` is wrong"),
        (json!({ "hold-ambiguous": 1 }), "`hold-ambiguous` is wrong"),
        (json!({ "age-max-ms": -1 }), "`age-max-ms` is wrong"),
        (json!({ "dialect": { "colour": 1 } }), "unknown field `colour`"),
        (json!({ "dialect": { "payload": { "txt": [] } } }), "unknown field `txt`"),
        (json!({ "dialect": { "keys": { "option": "o" } } }), "unknown field `option`"),
        (json!({ "dialect": { "timing": { "rate-calls": 0 } } }), "`dialect` is wrong"),
        (json!({ "dialect": { "empty-answer": "none" } }), "expected `nothing` or `list`"),
    ];
    for (changes, expect) in rows {
        let error = connect("userlike", with(&changes)).expect_err(expect).to_string();
        assert!(error.contains(expect), "{changes}: {error}");
        assert!(!error.contains("71077345"), "a secret stands in: {error}");
    }
    assert!(connect("userlike", json!([])).is_err());
    assert!(
        connect("usrlike", settings()).unwrap_err().to_string().contains("known are: userlike")
    );
}

#[test]
fn no_secret_can_be_read_from_a_channel() {
    let url_secret = "aLongSecretInTheUrl-1";
    let shown = format!("{:?}", channel(with(&json!({ "webhook-url-secret": url_secret }))));
    for secret in [SECRET, url_secret, "t0ken-of-the-bot", "api.example.invalid"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn deliveries_are_as_the_vendor_states() {
    let delivery = channel(settings()).delivery();
    assert!(delivery.inline && delivery.lists && delivery.native_delay);
    assert!(!delivery.hold_ambiguous);
    assert_eq!(delivery.delay_step_ms, 1_000);
    assert_eq!((delivery.answer_by_ms, delivery.after_answer_ms), (4_000, 500));
    assert_eq!(delivery.rate, Some(Rate { calls: 20, window_ms: 60_000 }));
    assert_eq!(delivery.age_max_ms, 900_000);
}

#[test]
fn deliveries_can_be_set() {
    let changes = json!({
        "inline": false,
        "hold-ambiguous": true,
        "age-max-ms": 60_000,
        "dialect": {
            "timing": { "after-answer-ms": 0, "rate-calls": 5, "rate-window-ms": 1_000 },
            "delay-fractions": true,
        },
    });
    let delivery = channel(with(&changes)).delivery();
    assert!(!delivery.inline && delivery.hold_ambiguous);
    assert_eq!((delivery.answer_by_ms, delivery.after_answer_ms), (0, 0));
    assert_eq!(delivery.delay_step_ms, 1);
    assert_eq!(delivery.rate, Some(Rate { calls: 5, window_ms: 1_000 }));
    assert_eq!(delivery.age_max_ms, 60_000);
}
