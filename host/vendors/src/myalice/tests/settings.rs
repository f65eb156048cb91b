//! What a tenant may write down, and what they are told when it is wrong.

use botyard_kernel::profile::Limited;
use serde_json::{Value, json};

use super::super::dialect_defaults;
use super::{API_KEY, SECRET, channel, settings, with, with_dialect};
use crate::connect;

#[test]
fn wrong_settings_are_told_in_words() {
    let long = "w".repeat(2_001);
    let rows = [
        (json!({ "webhook-secrets": SECRET }), "no setting `webhook-secrets`"),
        (json!({ "webhook-secret": null }), "anyone could call this webhook"),
        (json!({ "webhook-secret": 71_077_345 }), "`webhook-secret` must be a text"),
        (json!({ "webhook-secret": ["a", "b", "c"] }), "one secret, or two"),
        (json!({ "webhook-secret": "" }), "`webhook-secret` must not be empty"),
        (json!({ "webhook-secret": "71077345\n1" }), "no HTTP header can carry"),
        (json!({ "webhook-header": "two words" }), "`webhook-header` is no name"),
        (json!({ "tickets-url-secret": "only71077345" }), "must have 16 to 200 characters"),
        (json!({ "tickets-url-secret": "71077345/71077345/71077345" }), "it stands in a URL"),
        (json!({ "api-key": null }), "`api-key` is missing"),
        (json!({ "api-key": 71_077_345 }), "`api-key` must be a text"),
        (json!({ "api-key": "71077345\u{7f}" }), "`api-key` holds characters"),
        (json!({ "wait-text": 5 }), "`wait-text` is wrong"),
        (json!({ "wait-text": long }), "`wait-text` has more than 2000 characters"),
        (json!({ "platform-ids": 1 }), "`platform-ids` is wrong"),
        (json!({ "platform-ids": [] }), "`platform-ids` must list"),
        (json!({ "platform-ids": [1, "one"] }), "`platform-ids` must list"),
        (json!({ "hold-ambiguous": 1 }), "`hold-ambiguous` is wrong"),
        (json!({ "age-max-ms": -1 }), "`age-max-ms` is wrong"),
        (json!({ "dialect": { "colour": 1 } }), "unknown field `colour`"),
        (json!({ "dialect": { "tickets": { "agent": "a" } } }), "unknown field `agent`"),
        (json!({ "dialect": { "rest-base": "api.example.invalid" } }), "`rest-base` must be"),
        (json!({ "dialect": { "rest-base": "https://a.invalid/" } }), "`rest-base` must be"),
        (json!({ "dialect": { "passthroughs": { "x": { "path": "y" } } } }), "passthrough `x`"),
        (json!({ "dialect": { "passthroughs": { "x": {} } } }), "passthrough `x`"),
    ];
    for (changes, expect) in rows {
        let error = connect("myalice", with(&changes)).expect_err(expect).to_string();
        assert!(error.contains(expect), "{changes}: {error}");
        assert!(!error.contains("71077345"), "a secret stands in: {error}");
    }
    assert!(connect("myalice", json!([])).is_err());
}

#[test]
fn no_secret_can_be_read_from_a_channel() {
    let url_secret = "aLongSecretInTheUrl-1";
    let shown = format!("{:?}", channel(with(&json!({ "tickets-url-secret": url_secret }))));
    for secret in [SECRET, url_secret, API_KEY] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn deliveries_are_as_the_vendor_states() {
    let delivery = channel(settings()).delivery();
    assert!(delivery.inline && delivery.reopens);
    assert!(!delivery.lists && !delivery.native_delay && !delivery.sends_start);
    assert!(!delivery.hold_ambiguous && !delivery.ends_silent_sessions);
    assert_eq!((delivery.answer_by_ms, delivery.after_answer_ms), (4_000, 500));
    assert_eq!((delivery.rate, delivery.token_rate), (None, None));
    assert_eq!(delivery.limited, Limited::Token);
    assert_eq!(delivery.age_max_ms, 900_000);
}

#[test]
fn deliveries_can_be_set() {
    let changes = json!({
        "hold-ambiguous": true,
        "age-max-ms": 60_000,
        "dialect": { "timing": { "answer-by-ms": 3_000, "after-answer-ms": 0 } },
    });
    let delivery = channel(with(&changes)).delivery();
    assert!(delivery.hold_ambiguous);
    assert_eq!((delivery.answer_by_ms, delivery.after_answer_ms), (3_000, 0));
    assert_eq!(delivery.age_max_ms, 60_000);
}

/// Every key of the defaults that is shown can be set, also each by itself.
#[test]
fn the_defaults_are_a_dialect() {
    let defaults = dialect_defaults();
    assert_eq!(channel(settings()).delivery(), with_dialect(&defaults).delivery());
    let Value::Object(fields) = defaults else { panic!("{defaults}") };
    for (key, value) in fields {
        with_dialect(&json!({ key: value }));
    }
}
