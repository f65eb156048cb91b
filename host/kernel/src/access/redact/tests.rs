use serde_json::json;

use super::*;
use crate::event::{EventBody, Location, Setting};

#[test]
fn a_text_leaves_its_length_behind() {
    assert_eq!(length(""), "[0 characters]");
    assert_eq!(length("ä"), "[1 character]");
    assert_eq!(length("Grüße"), "[5 characters]");
}

#[test]
fn the_raw_payload_and_a_place_are_hidden() {
    let place = Location { latitude: 47.1, longitude: 8.5, name: None, address: Some("x".into()) };
    let mut told = Event::new("e1".into(), 1_000, EventBody::Location(place));
    told.raw = Some(r#"{"lat":47.1}"#.to_owned());
    let expected = json!({
        "id": "e1",
        "received_ms": 1_000,
        "raw": "[12 characters]",
        "body": { "name": "location", "payload": {
            "latitude": null, "longitude": null, "address": "[1 character]",
        }},
    });
    assert_eq!(event(&told), expected);
}

#[test]
fn facts_say_where_and_not_who() {
    let contact = Contact {
        id: Some("7".to_owned()),
        name: Some("Ada".to_owned()),
        email: Some("ada@example.com".to_owned()),
        mobile_number: Some("+41".to_owned()),
        external_customer_id: Some("c-1".to_owned()),
        locale: Some("de".to_owned()),
        custom_fields: r#"{"plan":"gold"}"#.to_owned(),
    };
    let known = Facts {
        medium: "web".to_owned(),
        entry: Some("widget".to_owned()),
        params: vec![Setting::new("page", "https://shop.example/?name=Ada")],
        contact,
        conversation_url: Some("https://desk.example/1".to_owned()),
        subject: Some("Ada's order".to_owned()),
        topics: vec!["Ada".to_owned()],
        ..Facts::default()
    };
    let shown = facts(&known).to_string();
    for hidden in ["Ada", "ada@", "+41", "c-1", "gold", "desk.example", "\"7\""] {
        assert!(!shown.contains(hidden), "{hidden} in {shown}");
    }
    for kept in ["web", "widget", "page", "\"de\""] {
        assert!(shown.contains(kept), "{kept} not in {shown}");
    }
}
