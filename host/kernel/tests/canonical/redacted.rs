//! What a token that shows no texts still sees of events and actions. Each text of each
//! example is marked in turn: where the mark comes through, the place must be one of the
//! technical names listed here. A new field is hidden, or added to the list on purpose.

use std::collections::BTreeSet;

use botyard_kernel::access::redact;
use botyard_kernel::action::Action;
use botyard_kernel::event::{Event, EventBody};
use serde_json::Value;

use crate::examples;

const MARK: &str = "marked-7f3a";

/// Names that the bot's author, the tenant or the host chose.
const SHOWN: &[&str] = &[
    "action addon_dispatch /payload/addon",
    "action bubbles /payload/options/#/id",
    "action button_template /payload/buttons/#/id",
    "action cancel_timer /payload",
    "action carousel /payload/cards/#/id",
    "action conversation_update /payload/locale",
    "action email_dispatch /payload/recipient/payload",
    "action forward /payload/target/payload",
    "action forward /payload/target/payload/#",
    "action list_template /payload/sections/#/rows/#/id",
    "action media /payload/mime_type",
    "action other /payload/name",
    "action passthrough /payload/vendor",
    "action request /payload/headers/#/name",
    "action request /payload/method",
    "action request /payload/name",
    "action schedule /payload/name",
    "action secure_form /payload/form",
    "action tag /payload/#",
    "action untag /payload/#",
    "action work_queue /payload/queue",
    "event campaign_unsubscribe /payload/campaign_id",
    "event campaign_unsubscribe /payload/campaign_name",
    "event click /payload/menu",
    "event click /payload/option_ids/#",
    "event delivery_failed /payload/action",
    "event delivery_failed /payload/part",
    "event media /payload/mime_type",
    "event other /payload/name",
    "event response /payload/name",
    "event response /payload/outcome/payload/headers/#/name",
    "event signal /payload/name",
    "event start /payload/first/payload/menu",
    "event start /payload/first/payload/mime_type",
    "event start /payload/first/payload/option_ids/#",
    "event timer /payload/name",
];

#[test]
fn nothing_but_technical_names_comes_through() {
    let mut shown = BTreeSet::new();
    let mut marked = 0;
    for example in examples::events() {
        for (place, changed) in marks(&example) {
            let Ok(body) = serde_json::from_value::<EventBody>(changed) else { continue };
            marked += 1;
            let name = body.name();
            let seen = redact::event(&Event::new("e".into(), 0, body)).to_string();
            if seen.contains(MARK) {
                shown.insert(format!("event {name} {place}"));
            }
        }
    }
    for example in examples::actions() {
        for (place, changed) in marks(&example) {
            let Ok(action) = serde_json::from_value::<Action>(changed) else { continue };
            marked += 1;
            let name = action.name();
            if redact::actions(&[action]).to_string().contains(MARK) {
                shown.insert(format!("action {name} {place}"));
            }
        }
    }
    assert!(marked > 80, "the examples have texts: {marked}");
    let expected: BTreeSet<String> = SHOWN.iter().map(|place| (*place).to_owned()).collect();
    let more: Vec<_> = shown.difference(&expected).collect();
    assert!(more.is_empty(), "comes through: hide it, or add it to the list: {more:#?}");
    let less: Vec<_> = expected.difference(&shown).collect();
    assert!(less.is_empty(), "is hidden now: take it off the list: {less:#?}");
}

/// A value with one of its texts marked, for each of them, and where that is.
fn marks(value: &Value) -> Vec<(String, Value)> {
    let mut places = Vec::new();
    texts(value, String::new(), &mut places);
    let change = |place: &String| {
        let mut changed = value.clone();
        *changed.pointer_mut(place).expect("it is there") = MARK.into();
        let named =
            place.split('/').map(|part| if part.parse::<usize>().is_ok() { "#" } else { part });
        (named.collect::<Vec<_>>().join("/"), changed)
    };
    places.iter().map(change).collect()
}

fn texts(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::String(_) => places.push(place),
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                texts(item, format!("{place}/{n}"), places);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                texts(field, format!("{place}/{name}"), places);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
