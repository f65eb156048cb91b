//! What a tenant may write down, and what they are told when it is wrong.

use botyard_kernel::profile::Limited;
use serde_json::{Value, json};

use super::super::{KEYS, dialect_defaults};
use super::{STREAM_SECRET, channel, settings, with};
use crate::connect;

#[test]
fn wrong_settings_are_told_in_words() {
    let long = "71077345".repeat(26);
    let rows = [
        (json!({ "api-keys": "71077345" }), "no setting `api-keys`"),
        (json!({ "bot-id": null }), "`bot-id` is missing"),
        (json!({ "bot-id": "474960032" }), "`bot-id` is wrong"),
        (json!({ "bot-id": -1 }), "`bot-id` is wrong"),
        (json!({ "api-key": null }), "`api-key` is missing"),
        (json!({ "api-key": 71_077_345 }), "`api-key` must be a text"),
        (json!({ "api-key": "" }), "`api-key` must not be empty"),
        (json!({ "api-key": "71077345 " }), "`api-key` must not be empty nor"),
        (json!({ "api-key": long }), "`api-key` must have at most 200"),
        (json!({ "api-key": [] }), "`api-key` takes one secret, or two"),
        (json!({ "api-key": ["a", "b", "c"] }), "`api-key` takes one secret, or two"),
        (json!({ "stream-secret": null }), "`stream-secret` is missing: without one strangers"),
        (json!({ "stream-secret": "71077345" }), "`stream-secret` must have 32 to 200"),
        (json!({ "stream-secret": long }), "`stream-secret` must have 32 to 200"),
        (json!({ "stream-secret": [STREAM_SECRET, "71077345"] }), "must have 32 to 200"),
        (json!({ "allow-callbacks": "no" }), "`allow-callbacks` is wrong"),
        (json!({ "hold-ambiguous": 1 }), "`hold-ambiguous` is wrong"),
        (json!({ "age-max-ms": -1 }), "`age-max-ms` is wrong"),
        (json!({ "dialect": { "colour": 1 } }), "unknown field `colour`"),
        (json!({ "dialect": { "metadata": { "colour": [] } } }), "unknown field `colour`"),
        (json!({ "dialect": { "errors": { "colour": 1 } } }), "unknown field `colour`"),
        (json!({ "dialect": { "errors": { "wrong-key": 200 } } }), "`errors.wrong-key` must be"),
        (json!({ "dialect": { "errors": { "malformed": 600 } } }), "`errors.malformed` must be"),
        (json!({ "dialect": { "errors": { "codes": { "x": "y" } } } }), "`dialect` is wrong"),
    ];
    for (changes, expect) in rows {
        let error = connect("instabot", with(&changes)).expect_err(expect).to_string();
        assert!(error.contains(expect), "{changes}: {error}");
        assert!(!error.contains("71077345"), "a secret stands in: {error}");
    }
    assert!(connect("instabot", json!([])).is_err());
}

#[test]
fn nothing_secret_is_shown() {
    let shown = format!("{:?}", channel(settings()));
    assert!(!shown.contains("API_KEY") && !shown.contains(STREAM_SECRET), "{shown}");
    assert!(shown.contains("474960032"), "{shown}");
}

#[test]
fn every_setting_has_a_name_and_the_dialect_tells_its_defaults() {
    let all = json!({
        "bot-id": 1,
        "api-key": ["one", "two"],
        "stream-secret": [STREAM_SECRET, STREAM_SECRET],
        "allow-callbacks": false,
        "hold-ambiguous": true,
        "age-max-ms": 1,
        "dialect": dialect_defaults(),
    });
    let names: Vec<_> = all.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, KEYS);
    let delivery = channel(all).delivery();
    assert!(delivery.hold_ambiguous);
    assert_eq!(delivery.age_max_ms, 1);
}

#[test]
fn deliveries_ride_in_answers_for_ten_seconds() {
    let delivery = channel(settings()).delivery();
    assert!(delivery.inline && !delivery.lists && delivery.sends_start && !delivery.reopens);
    assert!(!delivery.native_delay && !delivery.hold_ambiguous);
    assert_eq!((delivery.answer_by_ms, delivery.after_answer_ms), (10_000, 500));
    assert_eq!(delivery.limited, Limited::Conversation);
    assert_eq!(delivery.age_max_ms, 900_000);
    let quick = channel(with(&json!({ "dialect": { "answer-by-ms": 500 } }))).delivery();
    assert_eq!(quick.answer_by_ms, 500);
}

#[test]
fn the_vendor_is_known_by_its_name() {
    let channel = connect("instabot", settings()).expect("a channel");
    assert_eq!(channel.name(), "instabot");
    let error = connect("insta", Value::Null).unwrap_err().to_string();
    assert!(error.contains("instabot"), "{error}");
}
