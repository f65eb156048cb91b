//! That the profile names exactly what becomes a message.

use botyard_kernel::action::Action;
use botyard_kernel::degrade::degrade;
use serde_json::json;

use super::super::{NAME, profile, render};

/// One action of every case that a profile can carry.
fn actions() -> Vec<Action> {
    let choice = json!([{ "id": "a", "label": "A" }]);
    let rows = json!([{ "title": "S", "rows": [{ "id": "a", "label": "A", "description": "D" }] }]);
    let file = json!({ "link": "https://img.example.invalid/1" });
    let header = json!({ "name": "text", "payload": "H" });
    let written = json!([
        { "name": "message", "payload": { "text": "t", "format": "markdown_v1" } },
        { "name": "bubbles", "payload": { "text": "t", "options": choice } },
        { "name": "carousel", "payload": { "text": "t", "cards": choice } },
        { "name": "button_template", "payload":
            { "text": "t", "header": header, "footer": "F", "buttons": choice } },
        { "name": "list_template", "payload": { "text": "t", "button": "b", "sections": rows } },
        { "name": "buttons", "payload": { "links": [{ "label": "A", "link": "https://a.invalid" }] } },
        { "name": "rich_link", "payload": { "link": "https://a.invalid", "title": "t" } },
        { "name": "media", "payload": file },
        { "name": "navigate", "payload": file },
        { "name": "typing", "payload": "start" },
        { "name": "contact_update", "payload": { "name": "n" } },
        { "name": "conversation_update", "payload": { "subject": "s" } },
        { "name": "note_create", "payload": { "text": "t" } },
        { "name": "tag", "payload": ["t"] },
        { "name": "untag", "payload": ["t"] },
        { "name": "priority", "payload": 1 },
        { "name": "work_queue", "payload": { "queue": "q" } },
        { "name": "resolve", "payload": {} },
        { "name": "secure_form", "payload": { "form": "f" } },
        { "name": "forward", "payload": { "target": { "name": "any" } } },
        { "name": "abort" },
        { "name": "end" },
        { "name": "addon_dispatch", "payload": { "addon": "a" } },
        { "name": "email_dispatch", "payload": { "recipient": { "name": "contact" } } },
        { "name": "other", "payload": { "name": "n", "json": "{}" } },
    ]);
    serde_json::from_value(written).expect("actions")
}

#[test]
fn the_profile_names_exactly_what_becomes_a_message() {
    let profile = profile::of_all();
    for action in actions() {
        let carried = render::message(&action).is_some();
        assert_eq!(carried, profile.carries(action.name()), "{}", action.name());
    }
}

#[test]
fn whatever_is_left_of_an_action_becomes_a_message() {
    let profile = profile::of_all();
    for action in actions() {
        let (name, degraded) = (action.name(), degrade(action, &profile, NAME));
        let told = !degraded.actions.is_empty() || !degraded.notes.is_empty();
        assert!(told || matches!(name, "contact_update" | "end"), "{name} is lost");
        for left in degraded.actions {
            let message = render::message(&left).unwrap_or_else(|| panic!("{name}: {left:?}"));
            assert!(message["text"].as_str().is_some_and(|text| !text.is_empty()), "{message}");
        }
    }
}

#[test]
fn every_form_of_a_menu_keeps_its_option_and_what_stands_around_it() {
    let profile = profile::of_all();
    let menus = ["bubbles", "carousel", "button_template", "list_template"];
    let mut seen = 0;
    for action in actions().into_iter().filter(|action| menus.contains(&action.name())) {
        let name = action.name();
        let degraded = degrade(action, &profile, NAME).actions;
        let [menu] = degraded.as_slice() else { panic!("{name}: {degraded:?}") };
        let message = render::message(menu).expect("a message");
        assert_eq!(message["quick_replies"][0]["title"], "A", "{name}");
        let around: &[&str] = match name {
            "button_template" => &["H", "F"],
            "list_template" => &["S", "D"],
            _ => &[],
        };
        for part in around {
            assert!(message["text"].as_str().unwrap().contains(part), "{name}: {message}");
        }
        seen += 1;
    }
    assert_eq!(seen, menus.len());
}
