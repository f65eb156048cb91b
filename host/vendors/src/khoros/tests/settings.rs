//! Settings that are wrong, in words that help and never show a secret.

use serde_json::{Value, json};

use super::super::{connect, dialect_defaults};
use super::{settings, with};

fn refused(settings: Value) -> String {
    connect(settings).map(|_| ()).expect_err("refused").0
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let rows = [
        (json!({ "company-key": null }), "`company-key` is missing"),
        (json!({ "app-id": "" }), "`app-id`"),
        (json!({ "gateway-url": "api.app.lithium.com" }), "`gateway-url`"),
        (json!({ "token": null }), "`token-url`, `user` and `password`"),
        (json!({ "token": "a\nb" }), "`token` holds characters"),
        (json!({ "user": "u" }), "belong together"),
        (json!({ "user": "u:v", "password": "p", "token-url": "https://t" }), "colon"),
        (json!({ "user": "u", "password": "p", "token-url": "t" }), "`token-url` must be"),
        (json!({ "webhook-identity": null }), "`webhook-identity`"),
        (json!({ "webhook-identity": "a:b" }), "colon"),
        (json!({ "webhook-secret": null }), "`webhook-secret` is missing"),
        (json!({ "webhook-secret": ["a", "b", "c"] }), "two"),
        (json!({ "webhook-secret": [" "] }), "must not be empty"),
        (json!({ "webhook-method": "digest" }), "`webhook-method`"),
        (json!({ "registrations": [{ "network": "facebook" }] }), "`registrations`"),
        (json!({ "mode": "maintenance" }), "`mode` is that of the channel's own"),
        (json!({ "mode": "asleep" }), "`mode`"),
        (
            json!({ "registrations": [{ "network": "facebook", "external-id": "" }] }),
            "`external-id`",
        ),
        (
            json!({ "registrations": [{ "network": "facebook", "external-id": "4" }] }),
            "`callback-url` is missing",
        ),
        (
            json!({ "registrations": [{ "network": "facebook", "external-id": "4" }], "callback-url": "x" }),
            "`callback-url` must be",
        ),
        (json!({ "dialect": { "hmac": { "header": "a b" } } }), "no name of an HTTP header"),
        (json!({ "dialect": { "hmac": { "algorithm": "md5" } } }), "`dialect`"),
        (json!({ "dialect": { "surprise": 1 } }), "`dialect`"),
        (json!({ "surprise": 1 }), "no setting `surprise`"),
    ];
    for (changes, expect) in rows {
        let told = refused(with(changes.clone()));
        assert!(told.contains(expect), "{changes}: {told}");
        assert!(!told.contains(super::SECRET) && !told.contains("adopted.jwt"), "{told}");
    }
    assert!(refused(json!([])).contains("an object"));
}

#[test]
fn the_dialect_that_is_shown_is_one_that_is_taken() {
    let mut settings = settings();
    settings["dialect"] = dialect_defaults();
    connect(settings).expect("the defaults");
}

#[test]
fn channels_of_one_app_share_what_the_vendor_allows_its_token() {
    let account = |changes: Value| connect(with(changes)).expect("connected").account();
    let own = account(json!({}));
    assert!(own.is_some());
    assert_eq!(own, account(json!({ "webhook-secret": "another" })));
    assert_ne!(own, account(json!({ "app-id": "another" })));
}
