//! That the profile names exactly what becomes a call, and says what its file says.

use std::collections::BTreeSet;

use botyard_kernel::action::{Action, ForwardTarget};
use botyard_kernel::degrade::degrade;
use botyard_kernel::profile::Length;
use serde_json::json;

use super::super::dialect::Dialect;
use super::super::{NAME, profile, render, templates};

/// One action of every case, and a forward to every target.
fn actions() -> Vec<Action> {
    let choice = json!([{ "id": "a", "label": "A" }]);
    let rows = json!([{ "rows": choice }]);
    let file = json!({ "link": "https://img.example.invalid/1" });
    let written = json!([
        { "name": "message", "payload": { "text": "t" } },
        { "name": "bubbles", "payload": { "text": "t", "options": choice } },
        { "name": "carousel", "payload": { "text": "t", "cards": choice } },
        { "name": "button_template", "payload": { "text": "t", "buttons": choice } },
        { "name": "list_template", "payload": { "text": "t", "button": "b", "sections": rows } },
        { "name": "buttons", "payload": { "links": [{ "label": "A", "link": "https://a.invalid" }] } },
        { "name": "rich_link", "payload": { "link": "https://a.invalid", "title": "t" } },
        { "name": "media", "payload": file },
        { "name": "navigate", "payload": file },
        { "name": "typing", "payload": "start" },
        { "name": "delay", "payload": { "delay_ms": 1, "typing": true } },
        { "name": "context_update", "payload": "{\"a\":1}" },
        { "name": "context_clear" },
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
        { "name": "forward", "payload": { "target": { "name": "group", "payload": "1" } } },
        { "name": "forward", "payload": { "target": { "name": "skills", "payload": ["1"] } } },
        { "name": "forward", "payload": { "target": { "name": "human", "payload": "1" } } },
        { "name": "forward", "payload": { "target": { "name": "bot", "payload": "b" } } },
        { "name": "abort" },
        { "name": "end" },
        { "name": "addon_dispatch", "payload": { "addon": "a" } },
        { "name": "email_dispatch", "payload": { "recipient": { "name": "contact" } } },
        { "name": "schedule", "payload": { "name": "n", "after_ms": 1 } },
        { "name": "cancel_timer", "payload": "n" },
        { "name": "request", "payload": { "name": "n", "method": "GET", "url": "https://a.invalid" } },
        { "name": "other", "payload": { "name": "n", "json": "{}" } },
        { "name": "passthrough", "payload": { "vendor": "messenger", "json": "{\"text\":\"t\"}" } },
    ]);
    serde_json::from_value(written).expect("actions")
}

/// The name that a profile knows an action by.
fn carried_as(action: &Action) -> &'static str {
    let Action::Forward(forward) = action else { return action.name() };
    match forward.target {
        ForwardTarget::Any => "forward_any",
        ForwardTarget::Group(_) => "forward_group",
        ForwardTarget::Skills(_) => "forward_skills",
        ForwardTarget::Human(_) => "forward_human",
        ForwardTarget::Bot(_) => "forward_bot",
    }
}

fn has_form(action: &Action) -> bool {
    let dialect = Dialect::default();
    let kind = render::Kind::of(&dialect, None, None);
    render::packet(&dialect, NAME, &kind, action).is_some()
}

#[test]
fn the_profile_carries_exactly_what_becomes_a_call() {
    let actions = actions();
    let names: BTreeSet<_> = actions.iter().map(carried_as).collect();
    assert_eq!(names.len(), 36, "every case once, and all five forwards");
    let facebook = profile::of("facebook");
    for action in &actions {
        let name = carried_as(action);
        // Every vendor takes its own passthroughs.
        let carried = facebook.carries(name) || name == "passthrough";
        assert_eq!(has_form(action), carried, "{name}");
    }
    let parts = ["bubbles_until_next", "carousel_text_apart", "buttons_text"];
    let known = |name: &&str| {
        names.contains(name) || parts.contains(name) || name.starts_with("button_template_")
    };
    assert!(facebook.native.iter().all(known), "{:?}", facebook.native);
}

#[test]
fn what_the_kernel_degrades_becomes_calls() {
    // What the host carries out itself; the others must not get lost here.
    let own = ["delay", "context_update", "context_clear", "schedule", "cancel_timer", "request"];
    for medium in ["facebook", "instagram", "carrier_pigeon"] {
        for action in actions() {
            let name = carried_as(&action);
            for action in degrade(action, &profile::of(medium), NAME).actions {
                assert_eq!(has_form(&action), !own.contains(&name), "{name} on {medium}");
            }
        }
    }
}

#[test]
fn the_text_of_a_carousel_goes_before_its_cards() {
    let done = degrade(actions().remove(2), &profile::of("facebook"), NAME);
    let names: Vec<_> = done.actions.iter().map(Action::name).collect();
    assert_eq!(names, ["message", "carousel"]);
    assert!(matches!(&done.actions[0], Action::Message(message) if message.text == "t"));
    assert!(matches!(&done.actions[1], Action::Carousel(carousel) if carousel.text.is_empty()));
}

/// What is cut to fit there would not be noted.
#[test]
fn templates_take_as_much_as_the_profile_says() {
    for medium in ["facebook", "instagram"] {
        let profile = profile::of(medium);
        let max = |length: &Option<Length>| length.as_ref().unwrap().max;
        let (cards, links) = (profile.of("carousel"), profile.of("rich_link"));
        for length in [&cards.label, &cards.description, &links.title, &links.text] {
            assert_eq!(max(length), templates::CARD_CHARACTERS_MAX, "{medium}");
        }
        for action in ["button_template", "buttons"] {
            let label = &profile.of(action).label;
            assert_eq!(max(label), templates::BUTTON_CHARACTERS_MAX, "{action} on {medium}");
        }
    }
}

#[test]
fn every_hand_off_reaches_somebody() {
    for action in actions() {
        if matches!(action, Action::Forward(_) | Action::Abort) {
            let done = degrade(action.clone(), &profile::of("facebook"), NAME);
            assert!(matches!(&done.actions[..], [Action::Forward(_)]), "{action:?}");
        }
    }
}
