//! That the profile names exactly what becomes a packet.

use std::collections::BTreeSet;

use botyard_kernel::action::{Action, ForwardTarget};
use botyard_kernel::degrade::degrade;
use botyard_kernel::profile::Profile;
use serde_json::{Value, json};

use super::super::dialect::Dialect;
use super::super::{NAME, profile, render};

fn of(medium: &str) -> Profile {
    profile::of(&Dialect::default(), medium)
}

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
    ]);
    serde_json::from_value(written).expect("actions")
}

/// A list with so many rows.
fn list(rows: usize) -> Action {
    let rows = (1..=rows).map(|row| json!({ "id": row.to_string(), "label": format!("{row}:00") }));
    let sections = json!([{ "title": "Day", "rows": rows.collect::<Vec<_>>() }]);
    let list = json!({ "text": "When?", "header": "Pick-up", "button": "b", "sections": sections });
    serde_json::from_value(json!({ "name": "list_template", "payload": list })).expect("an action")
}

/// The name that a profile knows an action by.
fn carried_as(action: &Action) -> &'static str {
    let Action::Forward(forward) = action else { return action.name() };
    match forward.target {
        ForwardTarget::Any => "forward",
        ForwardTarget::Group(_) => "forward_group",
        ForwardTarget::Skills(_) => "forward_skills",
        ForwardTarget::Human(_) => "forward_human",
        ForwardTarget::Bot(_) => "forward_bot",
    }
}

/// Whether a profile's name is that of a part of an action.
fn is_part(name: &str) -> bool {
    let of = [
        "message_",
        "bubbles_",
        "button_template_",
        "list_template_",
        "buttons_",
        "forward_skills_feedback",
        "passthrough_",
    ];
    of.iter().any(|action| name.starts_with(action))
}

#[test]
fn the_web_takes_exactly_what_becomes_a_packet() {
    let actions = actions();
    let names = actions.iter().map(carried_as).collect::<BTreeSet<_>>();
    assert_eq!(names.len(), 35, "every case but `passthrough`, once, and all five forwards");
    let web = of("web");
    for action in &actions {
        let packet = render::packet(&Dialect::default(), action);
        assert_eq!(packet.is_some(), web.carries(carried_as(action)), "{}", carried_as(action));
    }
    let known = |name: &&str| names.contains(name) || is_part(name);
    assert!(web.native.iter().all(known), "{:?}", web.native);
}

#[test]
fn what_the_kernel_degrades_becomes_packets() {
    // What the host carries out itself; the others must not get lost here.
    let own = ["context_update", "context_clear", "schedule", "cancel_timer", "request"];
    for medium in ["web", "facebook", "sms", "carrier_pigeon"] {
        for action in actions() {
            let name = carried_as(&action);
            for action in degrade(action, &of(medium), NAME).actions {
                let packet = render::packet(&Dialect::default(), &action);
                assert_eq!(packet.is_none(), own.contains(&name), "{name} on {medium}");
            }
        }
    }
}

#[test]
fn a_list_of_more_than_ten_rows_becomes_bubbles_that_say_all_of_it() {
    let notes = |rows: usize, medium: &str| {
        let done = degrade(list(rows), &of(medium), NAME);
        let notes = done.notes.into_iter().map(|note| note.what).collect::<Vec<_>>().join("; ");
        (render::packet(&Dialect::default(), &done.actions[0]).expect("a packet"), notes)
    };
    let (packet, told) = notes(10, "whatsapp_business");
    assert_eq!(packet["name"], "list_template");
    assert_eq!(packet["payload"]["title"], "Day");
    assert!(!told.contains("leave out"), "{told}");
    let (packet, told) = notes(10, "web");
    assert_eq!(packet["payload"]["header"], "Pick-up");
    assert!(told.contains("the vendor may leave out on this medium: header, title"), "{told}");
    let (packet, told) = notes(11, "whatsapp_business");
    assert_eq!(packet["name"], "bubbles");
    assert_eq!(packet["payload"]["body"], "Pick-up\nWhen?\nDay");
    assert_eq!(packet["payload"]["options"].as_array().map(Vec::len), Some(11));
    assert!(told.contains("at most 10 options here, this one 11"), "{told}");
}

#[test]
fn bubbles_keep_their_marks_only_where_the_dialect_has_a_format_for_them() {
    let options = json!([{ "id": "a", "label": "A" }]);
    let bubbles = json!({ "text": "**Which**?", "format": "markdown_v1", "options": options });
    let bubbles = json!({ "name": "bubbles", "payload": bubbles });
    let bubbles: Action = serde_json::from_value(bubbles).expect("an action");
    let payload = |dialect: Value| {
        let dialect = serde_json::from_value(dialect).expect("a dialect");
        let mut done = degrade(bubbles.clone(), &profile::of(&dialect, "web"), NAME);
        render::packet(&dialect, &done.actions.remove(0)).expect("a packet")["payload"].clone()
    };
    let bare = payload(json!({}));
    assert_eq!((&bare["body"], &bare["fallback"]), (&json!("Which?"), &json!("Which?")));
    assert_eq!(bare.get("text_format"), None);
    let marked = payload(json!({ "bubbles-text-format": true }));
    assert_eq!((&marked["body"], &marked["fallback"]), (&json!("**Which**?"), &json!("Which?")));
    assert_eq!(marked["text_format"], "markdown_v1");
}

#[test]
fn buttons_without_a_key_for_their_text_follow_a_message() {
    let links = json!([{ "label": "A", "link": "https://a.invalid" }]);
    let buttons = json!({ "name": "buttons", "payload": { "text": "t", "links": links } });
    let buttons: Action = serde_json::from_value(buttons).expect("an action");
    let names = |dialect: Value| {
        let dialect = serde_json::from_value(dialect).expect("a dialect");
        let done = degrade(buttons.clone(), &profile::of(&dialect, "web"), NAME);
        let packets = done.actions.iter().map(|action| render::packet(&dialect, action));
        packets.map(|packet| packet.expect("a packet")["payload"].clone()).collect::<Vec<_>>()
    };
    let link = json!([{ "body": "A", "link": "https://a.invalid" }]);
    assert_eq!(names(json!({})), [json!({ "body": "t", "buttons": link })]);
    assert_eq!(
        names(json!({ "keys": { "buttons-text": "" } })),
        [json!({ "body": "t" }), json!({ "buttons": link })],
    );
}

#[test]
fn a_passthrough_of_another_vendor_has_no_packet() {
    let rows = [
        json!({ "name": "passthrough", "payload": { "vendor": "khoros", "json": "{}" } }),
        json!({ "name": "passthrough", "payload": { "vendor": "userlike", "json": "no JSON" } }),
    ];
    for row in rows {
        let action = serde_json::from_value::<Action>(row.clone()).expect("an action");
        assert_eq!(render::packet(&Dialect::default(), &action), None, "{row}");
    }
}

#[test]
fn other_mediums_take_less() {
    let without = |medium: &str| {
        let carried = of(medium).native;
        let web = of("web").native;
        let part =
            |name: &str| name.starts_with("button_template_") || name == "list_template_details";
        assert!(carried.iter().all(|name| web.contains(name) || part(name)), "{medium}");
        web.iter().copied().filter(|name| !carried.contains(name)).collect::<Vec<_>>()
    };
    for app in ["facebook", "telegram", "threema", "whatsapp_business", "custom"] {
        assert_eq!(without(app), ["navigate"], "{app}");
    }
    for text in ["sms", "unknown", "carrier_pigeon", ""] {
        assert_eq!(without(text), ["media", "navigate"], "{text}");
    }
}

#[test]
fn settings_are_those_of_the_vendors_page() {
    let told = |medium: &str| -> Value {
        let settings = of(medium).settings.into_iter();
        settings.map(|setting| (setting.name, Value::from(setting.value))).collect()
    };
    let common = |own: Value| {
        let mut all = json!({
            "text-characters": "5000", "buttons": "3", "list-options": "10",
            "list-multiple": "false", "typing": "false", "forward-targets": "any,group,skills",
        });
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        all
    };
    let rows = [
        ("web", json!({ "header-kinds": "", "media": "true", "navigate": "true" })),
        (
            "facebook",
            json!({ "options": "13", "option-label-characters": "20", "header-kinds": "image",
                "media": "true", "navigate": "false" }),
        ),
        (
            "whatsapp_business",
            json!({ "options": "10", "option-label-characters": "20",
                "header-kinds": "text,image,video,document", "media": "true", "navigate": "false" }),
        ),
        (
            "telegram",
            json!({ "options": "0", "header-kinds": "", "media": "true", "navigate": "false" }),
        ),
        (
            "sms",
            json!({ "options": "0", "header-kinds": "", "media": "false", "navigate": "false" }),
        ),
    ];
    for (medium, expect) in rows {
        assert_eq!(told(medium), common(expect), "{medium}");
        assert_eq!(of(medium).limits.text.max, 5_000);
    }
}
