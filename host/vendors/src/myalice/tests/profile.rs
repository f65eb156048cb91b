//! That the profile names exactly what becomes a call.

use std::collections::BTreeSet;

use botyard_kernel::action::Action;
use botyard_kernel::degrade::degrade;
use serde_json::json;

use super::super::dialect::Dialect;
use super::super::{NAME, profile, rest};

/// One action of many cases.
fn actions() -> Vec<Action> {
    let choice = json!([{ "id": "a", "label": "A" }]);
    let rows = json!([{ "rows": choice }]);
    let file = json!({ "link": "https://img.example.invalid/1" });
    let packet = json!({ "name": "send-sequence", "payload": { "sequence_id": "1" } }).to_string();
    let written = json!([
        { "name": "message", "payload": { "text": "**t**", "format": "markdown_v1" } },
        { "name": "bubbles", "payload": { "text": "t", "options": choice } },
        { "name": "carousel", "payload": { "text": "t", "cards": choice } },
        { "name": "button_template", "payload": { "text": "t", "buttons": choice } },
        { "name": "list_template", "payload": { "text": "t", "button": "b", "sections": rows } },
        { "name": "buttons", "payload": { "links": [{ "label": "A", "link": "https://a.invalid" }] } },
        { "name": "rich_link", "payload": { "link": "https://a.invalid", "title": "t" } },
        { "name": "media", "payload": file },
        { "name": "navigate", "payload": file },
        { "name": "typing", "payload": "start" },
        { "name": "contact_update", "payload": {} },
        { "name": "conversation_update", "payload": {} },
        { "name": "note_create", "payload": { "text": "t" } },
        { "name": "tag", "payload": ["t"] },
        { "name": "untag", "payload": ["t"] },
        { "name": "priority", "payload": 1 },
        { "name": "work_queue", "payload": { "queue": "q" } },
        { "name": "resolve", "payload": {} },
        { "name": "secure_form", "payload": { "form": "f", "text": "t" } },
        { "name": "forward", "payload": { "target": { "name": "any" } } },
        { "name": "abort" },
        { "name": "end" },
        { "name": "addon_dispatch", "payload": { "addon": "a" } },
        { "name": "email_dispatch", "payload": { "recipient": { "name": "contact" } } },
        { "name": "passthrough", "payload": { "vendor": NAME, "json": packet } },
        { "name": "other", "payload": { "name": "reaction", "json": "{}" } },
    ]);
    serde_json::from_value(written).expect("actions")
}

#[test]
fn what_is_left_after_degrading_becomes_a_call() {
    let mut left = BTreeSet::new();
    for action in actions() {
        for action in degrade(action, &profile::all(), NAME).actions {
            let refusal = rest::refusal(&Dialect::default(), &action);
            assert_eq!(refusal, None, "{}", action.name());
            left.insert(action.name());
        }
    }
    assert_eq!(left, BTreeSet::from(["message", "passthrough"]));
}

#[test]
fn what_the_profile_lacks_becomes_none() {
    for action in actions() {
        let taken = rest::refusal(&Dialect::default(), &action).is_none();
        let native = profile::all().carries(action.name());
        assert_eq!(taken, native || action.name() == "passthrough", "{}", action.name());
    }
}

#[test]
fn what_the_vendor_hears_of_a_person_no_call_tells() {
    let channel = super::connect(super::with(&json!({}))).unwrap();
    let update = actions().into_iter().find(|it| matches!(it, Action::ContactUpdate(_))).unwrap();
    let by_call = rest::refusal(&Dialect::default(), &update).is_none();
    assert_ne!(by_call, channel.delivery().contacts_in_answers);
}

#[test]
fn the_limit_of_the_wait_text_is_that_of_the_file() {
    assert_eq!(profile::all().limits.text.max, profile::TEXT_CHARACTERS);
}
