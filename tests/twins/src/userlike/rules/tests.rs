//! Each limit of the document is one row: good at the limit, refused beyond it.

use serde_json::{Value, json};

use super::packets;

const CID: &str = "chatbot::612:00000000000000000000000000000001";

fn taken(name: &str, payload: Value) -> Result<(), String> {
    let event = json!({ "info": { "cid": CID }, "packet": { "name": name, "payload": payload } });
    packets(event.to_string().as_bytes()).map(|packets| assert_eq!(packets.len(), 1))
}

/// Takes the first payload and refuses the second, with these words.
fn check(name: &str, good: Value, bad: Value, words: &str) {
    assert_eq!(taken(name, good.clone()), Ok(()), "{name} {good}");
    let reason = taken(name, bad.clone()).expect_err(&format!("{name} {bad}"));
    assert!(reason.contains(words), "{name} {bad}: {reason}");
}

fn with(mut payload: Value, key: &str, value: Value) -> Value {
    payload[key] = value;
    payload
}

fn without(mut payload: Value, key: &str) -> Value {
    payload.as_object_mut().unwrap().remove(key).unwrap();
    payload
}

fn options(count: usize) -> Value {
    (0..count).map(|id| json!({ "id": id, "label": format!("Option {id}") })).collect()
}

fn template() -> Value {
    json!({ "body": "Which?", "buttons": options(3), "fallback": "A number." })
}

fn list() -> Value {
    json!({ "body": "Which?", "button": "Show", "options": options(10), "fallback": "A number." })
}

fn bubbles() -> Value {
    json!({ "body": "Which?", "options": options(30), "fallback": "A number." })
}

#[test]
fn texts() {
    let long = |characters: usize| json!({ "body": "ä".repeat(characters) });
    check("message", long(5_000), long(5_001), "5001 characters");
    check("message", long(1), long(0), "empty body");
    check("message", long(1), json!({}), "without body");
    check("message", long(1), json!({ "body": 7 }), "no text");
    let format = |name: &str| with(long(1), "text_format", json!(name));
    check("message", format("markdown_v1"), format("markdown_v2"), "text_format");
    check("message", long(1), with(long(1), "text", json!("x")), "which it does not have");
    let body = |characters: usize| with(bubbles(), "body", json!("b".repeat(characters)));
    check("bubbles", body(5_000), body(5_001), "5001 characters");
}

#[test]
fn choices() {
    for (name, good) in [
        ("bubbles", bubbles()),
        ("carousel", bubbles()),
        ("button_template", template()),
        ("list_template", list()),
    ] {
        check(name, good.clone(), without(good.clone(), "fallback"), "without fallback");
        check(name, good.clone(), with(good.clone(), "fallback", json!("")), "empty fallback");
        check(name, good.clone(), without(good.clone(), "body"), "without body");
        let key = if name == "button_template" { "buttons" } else { "options" };
        check(name, good.clone(), with(good.clone(), key, json!([])), "with 0");
        let no_label = json!([{ "id": "a" }]);
        check(name, good.clone(), with(good.clone(), key, no_label), "without label");
        let no_id = json!([{ "label": "a" }]);
        check(name, good.clone(), with(good, key, no_id), "without id");
    }
    check("button_template", template(), with(template(), "buttons", options(4)), "1 to 3");
    check("list_template", list(), with(list(), "options", options(11)), "1 to 10");
    check("list_template", list(), without(list(), "button"), "without button");
}

#[test]
fn headers() {
    let header = |header: Value| with(template(), "header", header);
    let link = "https://files.example/menu";
    for kind in ["image", "video", "document"] {
        let good = json!({ "type": kind, "link": link });
        check(
            "button_template",
            header(good.clone()),
            header(without(good, "link")),
            "without link",
        );
    }
    let text = json!({ "type": "text", "text": "Order" });
    check("button_template", header(text.clone()), header(without(text, "text")), "without text");
    check("button_template", template(), header(json!({ "type": "sound", "link": link })), "sound");
}

#[test]
fn links_and_files() {
    let link = json!({ "body": "Menu", "link": "https://bakery.example/menu" });
    check("button", link.clone(), with(link.clone(), "link", json!("menu")), "no address");
    check(
        "buttons",
        json!({ "buttons": [link.clone()] }),
        json!({ "buttons": [without(link.clone(), "body")] }),
        "without body",
    );
    check("buttons", json!({ "buttons": [link] }), json!({ "buttons": [] }), "with 0");
    let file = json!({ "link": "https://bakery.example/loaf.png" });
    check("media", file.clone(), json!({}), "without link");
    check("media", file.clone(), with(file.clone(), "caption", json!("x")), "does not have");
    check("navigate", file, json!({ "url": "https://bakery.example" }), "without link");
}

#[test]
fn updates_need_one_of_their_keys() {
    for key in ["name", "email", "mobile_number", "external_customer_id"] {
        check("contact_update", json!({ key: "x" }), json!({ key: 7 }), "no text");
    }
    check("contact_update", json!({ "custom_fields": {} }), json!({}), "changes nothing");
    check("contact_update", json!({ "name": "x" }), json!({ "phone": "x" }), "does not have");
    for (key, good) in [("subject", json!("x")), ("topics", json!([])), ("locale", json!("de"))] {
        check(
            "conversation_update",
            json!({ key: good }),
            json!({ key: 7 }),
            "conversation_update",
        );
    }
    check("conversation_update", json!({ "custom_fields": {} }), json!({}), "changes nothing");
}

#[test]
fn hand_offs_and_ends() {
    for name in ["abort", "end"] {
        check(name, json!({}), json!({ "why": "x" }), "does not have");
        check(name, json!({}), json!(null), "payload object");
    }
    check("forward_any", json!({}), json!({ "on_failure": "retry" }), "on_failure");
    check("forward_any", json!({ "on_failure": "feedback" }), json!({ "group": 1 }), "not have");
    check("forward_group", json!({ "group_id": 31 }), json!({}), "without group_id");
    let failing = json!({ "group_id": 31, "on_failure": true });
    check("forward_group", json!({ "group_id": "a", "on_failure": "feedback" }), failing, "true");
    check("forward_skills", json!({ "skills": [4, "x"] }), json!({ "skills": [] }), "list of ids");
}

#[test]
fn the_rest() {
    check("delay", json!({ "seconds": 0.5 }), json!({ "seconds": 0 }), "above zero");
    check("delay", json!({ "seconds": 1, "typing": false }), json!({}), "above zero");
    check("delay", json!({ "seconds": 1 }), json!({ "seconds": 1, "typing": "no" }), "typing");
    check("note_create", json!({ "body": "x" }), json!({ "body": "" }), "empty body");
    let note = |id: Value| json!({ "body": "x", "contact_identity_id": id });
    check("note_create", note(json!(7)), note(json!(null)), "no id");
    check("addon_dispatch", json!({ "type": "crm" }), json!({}), "without type");
    let to = |recipient: Value| json!({ "recipient": recipient });
    let operator = json!({ "type": "operator", "id": 118 });
    check("email_dispatch", to(operator.clone()), to(without(operator, "id")), "without id");
    check("email_dispatch", to(json!({ "type": "contact" })), to(json!({ "type": "all" })), "all");
    check("message", json!({ "body": "x" }), json!(["x"]), "payload object");
    assert!(taken("shout", json!({})).unwrap_err().contains("no event is called shout"));
}

#[test]
fn contexts() {
    let with = |context: Value| {
        let packet = json!({ "name": "message", "payload": { "body": "x" } });
        let event = json!({ "info": { "cid": CID, "context": context }, "packet": packet });
        packets(event.to_string().as_bytes())
    };
    // `{"a":""}` itself has 8 bytes.
    let of = |bytes: usize| json!({ "a": "x".repeat(bytes - 8) });
    assert!(with(of(10_000)).is_ok());
    assert!(with(of(10_001)).unwrap_err().contains("10001 bytes"));
    assert!(with(json!({})).is_ok());
    assert!(with(json!([])).unwrap_err().contains("no object"));
}

#[test]
fn bodies() {
    let event = json!({ "info": { "cid": CID }, "packet": { "name": "end", "payload": {} } });
    let rows = [
        (Ok(1), event.to_string()),
        (Ok(2), json!([event, event]).to_string()),
        (Err("not JSON"), "{".to_owned()),
        (Err("neither a list nor an object"), "\"end\"".to_owned()),
        (Err("info.cid"), json!({ "packet": event["packet"] }).to_string()),
        (Err("packet.name"), json!({ "info": event["info"] }).to_string()),
    ];
    for (expect, body) in rows {
        match (expect, packets(body.as_bytes())) {
            (Ok(count), got) => assert_eq!(got.unwrap().len(), count, "{body}"),
            (Err(words), got) => assert!(got.unwrap_err().contains(words), "{body}"),
        }
    }
}
