//! The canonical JSON of events and actions: its names, and that nothing is
//! lost on the way there and back.

mod any_action;
mod any_event;
mod examples;
mod redacted;

use std::collections::BTreeSet;

use botyard_kernel::action::Action;
use botyard_kernel::event::{EventBody, Message, TextFormat};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

proptest! {
    #[test]
    fn every_event_survives_its_json(event in any_event::events()) {
        survives(&event)?;
        let json = serde_json::to_value(&event.body).unwrap();
        prop_assert_eq!(&json["name"], event.body.name());
    }

    #[test]
    fn every_action_survives_its_json(action in any_action::actions()) {
        survives(&action)?;
        let json = serde_json::to_value(&action).unwrap();
        prop_assert_eq!(&json["name"], action.name());
    }
}

fn survives<T>(value: &T) -> Result<(), TestCaseError>
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string(value).unwrap();
    let back: T = serde_json::from_str(&text)
        .map_err(|error| TestCaseError::fail(format!("{text} is not readable again: {error}")))?;
    prop_assert_eq!(value, &back);
    // Stored forms are compared as bytes: the same value has one text.
    prop_assert_eq!(text, serde_json::to_string(&back).unwrap());
    Ok(())
}

#[test]
fn events_have_the_names_of_the_contract() {
    let mut seen = BTreeSet::new();
    for expected in examples::events() {
        let body: EventBody = serde_json::from_value(expected.clone()).unwrap();
        assert_eq!(serde_json::to_value(&body).unwrap(), expected);
        seen.insert(body.name().to_owned());
    }
    assert_eq!(seen, cases(include_str!("../../../../wit/v1/event.wit"), "event-body"));
}

#[test]
fn actions_have_the_names_of_the_contract() {
    let mut seen = BTreeSet::new();
    for expected in examples::actions() {
        let action: Action = serde_json::from_value(expected.clone()).unwrap();
        assert_eq!(serde_json::to_value(&action).unwrap(), expected);
        seen.insert(action.name().to_owned());
    }
    assert_eq!(seen, cases(include_str!("../../../../wit/v1/action.wit"), "action"));
}

#[test]
fn what_is_absent_has_no_key() {
    let minimal = [
        json!({ "name": "click", "payload": { "option_ids": ["a"], "stale": false } }),
        json!({ "name": "media", "payload": { "link": "https://x.test/a" } }),
        json!({ "name": "start", "payload": { "resumed": false } }),
    ];
    for expected in minimal {
        let body: EventBody = serde_json::from_value(expected.clone()).unwrap();
        assert_eq!(serde_json::to_value(&body).unwrap(), expected);
    }
}

#[test]
fn a_format_that_is_not_named_is_plain() {
    let text = r#"{"name":"message","payload":{"text":"Hi"}}"#;
    let message = Message { text: "Hi".into(), format: TextFormat::Plain };
    let body: EventBody = serde_json::from_str(text).unwrap();
    assert_eq!(body, EventBody::Message(message));
}

/// The cases of a variant of the contract, in `snake_case`.
fn cases(wit: &str, variant: &str) -> BTreeSet<String> {
    let (_, rest) = wit.split_once(&format!("variant {variant} {{")).unwrap();
    let (block, _) = rest.split_once("\n  }").unwrap();
    let lines = block.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let names = lines.filter_map(|line| line.split(['(', ',']).next());
    names.filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}
