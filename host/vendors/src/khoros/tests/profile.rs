//! What networks carry: whatever a profile names has a call, and nothing else has.

use botyard_kernel::degrade::degrade;
use serde_json::json;

use super::golden::{fixtures, read};
use super::{KEY, channel, settings, with_dialect};
use crate::{Part, To};

#[test]
fn what_networks_carry() {
    let channel = channel(settings());
    let rows = [
        ("facebook", 2_000, true, true, false, false),
        ("brandmessenger", 4_096, true, true, false, true),
        ("smooch", 4_096, true, true, false, true),
        ("apple", 5_000, true, true, true, false),
        ("gbm", 2_000, true, false, false, false),
        ("twitter", 280, false, false, false, false),
        ("something-new", 2_000, false, false, false, false),
    ];
    for (network, text, typing, bubbles, lists, forms) in rows {
        let profile = channel.profile(network);
        assert_eq!(profile.limits.text.max, text, "{network}");
        assert_eq!(profile.carries("typing"), typing, "{network}");
        assert_eq!(profile.carries("bubbles"), bubbles, "{network}");
        assert_eq!(profile.carries("list_template"), lists, "{network}");
        assert_eq!(profile.carries("carousel"), lists, "{network}");
        assert_eq!(profile.carries("secure_form"), forms, "{network}");
        assert!(profile.carries("media") && profile.carries("forward_bot"), "{network}");
        assert!(!profile.carries("passthrough_packet"), "a passthrough is no packet here");
    }
}

#[test]
fn a_channel_may_know_better() {
    let knows = with_dialect(json!({
        "networks": { "buttons": ["twitter"], "text-characters": { "twitter": 10_000 } },
    }));
    assert!(knows.profile("twitter").carries("bubbles"));
    assert_eq!(knows.profile("twitter").limits.text.max, 10_000);
    assert!(!knows.profile("facebook").carries("bubbles"));
}

#[test]
fn every_action_has_a_call_of_its_own_after_degrading() {
    let channel = channel(settings());
    let networks = ["facebook", "brandmessenger", "apple", "twitter", "new"];
    let samples = [
        json!({ "name": "carousel", "payload": { "text": "Rooms", "cards": [{ "id": "a", "label": "A" }] } }),
        json!({ "name": "buttons", "payload": { "links": [{ "label": "A", "link": "https://a.example.invalid" }] } }),
        json!({ "name": "navigate", "payload": { "link": "https://a.example.invalid" } }),
        json!({ "name": "forward", "payload": { "target": { "name": "skills", "payload": ["spa"] } } }),
        json!({ "name": "conversation_update", "payload": { "subject": "Spa" } }),
        json!({ "name": "addon_dispatch", "payload": { "addon": "crm" } }),
    ];
    let known = fixtures("out.").into_iter().map(|(_, fixture)| fixture["action"].clone());
    for sample in known.chain(samples) {
        for network in networks {
            let action = read("sample", sample.clone());
            let key = KEY.replace("facebook", network);
            for action in degrade(action, &channel.profile(network), "khoros").actions {
                let id = "t.0.0".into();
                let parts = [Part { id: &id, action: &action, context: None }];
                let call = channel.call(&To::conversation(&key), &parts);
                assert_ne!(call.method, http::Method::GET, "{} on {network}", action.name());
                let body: serde_json::Value = serde_json::from_slice(&call.body).unwrap();
                assert_eq!(body["coordinate"]["networkKey"], network);
                let held = ["list", "payload", "media", "richContent"];
                let held = held.iter().filter(|key| body.get(key).is_some()).count();
                assert!(held <= 1, "{body}");
            }
        }
    }
}

#[test]
fn a_list_picker_is_apples_alone() {
    let channel = channel(settings());
    for (name, fixture) in fixtures("out.respond.listpicker") {
        let action = read(&name, fixture["action"].clone());
        let done = degrade(action, &channel.profile("facebook"), "khoros");
        assert!(done.actions.iter().all(|action| action.name() == "bubbles"), "{done:?}");
    }
}

#[test]
fn the_file_carries_what_an_untouched_dialect_does() {
    for network in ["facebook", "brandmessenger", "smooch", "apple", "gbm", "twitter", "new"] {
        let sorted = |mut native: Vec<&'static str>| {
            native.sort_unstable();
            native
        };
        let file = sorted(super::super::profile::FILE.profile(network).native);
        assert_eq!(sorted(channel(settings()).profile(network).native), file, "{network}");
    }
}
