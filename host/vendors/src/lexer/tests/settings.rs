//! What a tenant may write down, and what they are told when it is wrong.

use botyard_kernel::id::PartId;
use botyard_kernel::owner::Owner;
use serde_json::{Value, json};

use super::super::{KEYS, dialect_defaults};
use super::{TOKEN, channel, settings};
use crate::messenger::tests::{APP_SECRET, CONVERSATION, PAGE, receive};
use crate::{Part, Received, To, connect};

fn with(changes: &Value) -> Value {
    let mut settings = settings();
    for (key, value) in changes.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

/// What comes in `messaging` is the bot's, whoever spoke before.
fn ours_at_once() -> Value {
    let mut changes = json!({ "messenger": settings()["messenger"] });
    changes["messenger"]["dialect"] = json!({ "messaging-means-ours": true });
    changes
}

#[test]
fn wrong_settings_are_told_in_words() {
    let rows = [
        (json!({ "tokens": "71077345" }), "no setting `tokens`"),
        (json!({ "messenger": null }), "in `messenger`: `app-secret` is missing"),
        (json!({ "messenger": [] }), "in `messenger`: the settings of a messenger channel"),
        (json!({ "messenger": { "token": "71077345" } }), "in `messenger`: there is no setting"),
        (json!({ "token": null }), "`token` is missing: copy it"),
        (json!({ "token": "71077345\n" }), "`token` holds characters"),
        (json!({ "client-id": null }), "`client-id` is missing: copy it"),
        (json!({ "client-id": "../41" }), "`client-id` must be a whole number"),
        (json!({ "client-id": -1 }), "`client-id` must be a whole number"),
        (json!({ "hub-url": "hub.lexer.io" }), "`hub-url` must be a whole address"),
        (json!({ "dialect": { "colour": 1 } }), "unknown field `colour`"),
        (ours_at_once(), "needs `pass-thread`"),
        (json!({ "dialect": { "published-at": "rfc" } }), "`epoch-ms` or `iso-8601`"),
    ];
    for (changes, expect) in rows {
        let error = connect("lexer", with(&changes)).expect_err(expect).to_string();
        assert!(error.contains(expect), "{changes}: {error}");
        assert!(!error.contains("71077345"), "a secret stands in: {error}");
    }
    assert!(connect("lexer", json!("")).is_err());
}

#[test]
fn every_setting_and_the_whole_dialect_are_taken() {
    let all = json!({
        "messenger": settings()["messenger"],
        "client-id": "42",
        "token": TOKEN,
        "hub-url": "https://hub.example.invalid/",
        "dialect": dialect_defaults(),
    });
    let keys: Vec<&str> = all.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, KEYS);
    let token = r#"{"echo":{"object_id":"m","published_at":1,"account_id":"p"}}"#;
    let call = channel(all).acknowledge(&To::default(), token).unwrap();
    assert_eq!(call.url, "https://hub.example.invalid/api/clients/42/bots/objects/echo");
    assert!(!format!("{:?}", call.headers).contains(TOKEN));
}

#[test]
fn a_page_with_handover_roles_may_say_that_its_messages_are_the_bots() {
    let mut changes = ours_at_once();
    changes["dialect"] = json!({ "pass-thread": true });
    assert!(!channel(with(&changes)).delivery().silent_hand_off);
}

#[test]
fn the_sample_is_a_channel() {
    assert!(connect("lexer", super::super::sample()).is_ok());
}

#[test]
fn no_secret_can_be_read_from_a_channel() {
    let shown = format!("{:?}", channel(settings()));
    assert!(!shown.contains(TOKEN) && !shown.contains(APP_SECRET), "{shown}");
}

#[test]
fn a_bot_that_only_the_host_gives_back_is_heard_where_no_thread_was_passed_or_it_is_taken() {
    for (passes, takes, heard) in
        [(false, false, true), (true, false, false), (true, true, true), (false, true, true)]
    {
        let mut settings = settings();
        settings["dialect"] = json!({ "pass-thread": passes });
        settings["messenger"]["dialect"] = json!({ "take-thread": takes });
        let channel = channel(settings);
        let why = channel.returns_in_vain();
        assert_eq!(why.is_none(), heard, "{passes}, {takes}");
        assert!(why.is_none_or(|why| why.contains("set `take-thread`")), "{why:?}");
        let Some(action) = channel.takes_back() else {
            assert!(!takes);
            continue;
        };
        let id = PartId::from("t1.takes-back");
        let parts = [Part { id: &id, action: &action, context: None }];
        let call = channel.call(&To::conversation(CONVERSATION), &parts);
        assert!(takes && call.url.ends_with("/me/take_thread_control"), "{}", call.url);
    }
}

#[test]
fn where_no_thread_is_passed_a_message_to_the_app_ends_no_hand_off() {
    let message = json!({
        "sender": { "id": "7" }, "recipient": { "id": PAGE }, "timestamp": 1,
        "message": { "mid": "m", "text": "a" },
    });
    let webhook = json!({ "object": "page", "entry": [{ "id": PAGE, "messaging": [message] }] });
    for (passes, takes) in [(false, false), (true, false), (true, true), (false, true)] {
        let mut settings = settings();
        settings["dialect"] = json!({ "pass-thread": passes });
        settings["messenger"]["dialect"] = json!({ "take-thread": takes });
        let received = receive(&*channel(settings), webhook.to_string().as_bytes());
        let Received::Events { events, .. } = received else { panic!("{received:?}") };
        assert_eq!(events[0].owner, (passes && takes).then_some(Owner::Bot), "{passes}, {takes}");
    }
}
