//! Answers and calls beside the golden ones.

use botyard_kernel::action::{Action, ContactUpdate, Typing};
use botyard_kernel::id::PartId;
use http::HeaderMap;
use serde_json::{Value, json};

use super::{API_KEY, channel, message, settings, with};
use crate::{Part, To};

fn answer(form: &str, changes: &Value, actions: &[Action]) -> Value {
    let id = PartId::from("t.0.0");
    let parts: Vec<_> =
        actions.iter().map(|action| Part { id: &id, action, context: None }).collect();
    let reply = channel(with(changes)).answer(&To { form, ..To::default() }, &parts);
    serde_json::from_slice(&reply.body).expect("exactly one JSON value")
}

#[test]
fn an_answer_is_one_object_whatever_the_parts() {
    let forms = ["", "text", "image", "gallery", "button", "quick-reply", "tickets", "video"];
    let lists = [vec![], vec![message("one")], vec![message("one"), message("two")]];
    for form in forms {
        for actions in &lists {
            let answer = answer(form, &json!({}), actions);
            assert!(answer["data"].is_string() && answer["success"].is_boolean(), "{answer}");
            assert!(answer["message"].is_string(), "{answer}");
            assert_eq!(answer["status"], 200);
            let shown = form == "text" && !actions.is_empty();
            assert_eq!(answer["data"], if shown { "one" } else { "" }, "{form}");
        }
    }
}

#[test]
fn only_who_can_be_told_later_is_asked_to_wait() {
    let channel = channel(with(&json!({ "wait-text": "One moment." })));
    let shown = |conversation, late, failure_text| {
        let to = To { form: "text", late, failure_text, ..To::conversation(conversation) };
        let answer: Value = serde_json::from_slice(&channel.answer(&to, &[]).body).unwrap();
        answer["data"].as_str().unwrap().to_owned()
    };
    let (person, nobody) = ("1:1022", "get:00000000000000010000000000000002");
    assert_eq!(shown(person, true, Some("Sorry.")), "One moment.");
    assert_eq!(shown(person, false, Some("Sorry.")), "", "the bot is done and says nothing");
    assert_eq!(shown(nobody, true, Some("Sorry.")), "Sorry.");
    assert_eq!(shown(nobody, true, None), "");
    assert_eq!(shown(nobody, false, Some("Sorry.")), "");
}

#[test]
fn what_a_block_is_not_made_for_is_not_in_its_answer() {
    let actions = [Action::Typing(Typing::Start), message("one")];
    assert_eq!(answer("text", &json!({}), &actions)["data"], "one");
    assert_eq!(answer("image", &json!({}), &actions)["data"], "");
}

#[test]
fn custom_fields_that_are_no_object_are_no_attributes() {
    for written in ["[1]", "7", "no JSON", "{}"] {
        let custom_fields = Some(written.to_owned());
        let update = ContactUpdate { custom_fields, ..ContactUpdate::default() };
        let got = answer("text", &json!({}), &[Action::ContactUpdate(update)]);
        assert_eq!(got.get("attributes"), None, "{written}");
    }
}

#[test]
fn attributes_can_be_called_otherwise() {
    let names = json!({ "dialect": { "attributes": { "email": "e_mail" } } });
    let email = Some("a@example.invalid".to_owned());
    let update = ContactUpdate { email, ..ContactUpdate::default() };
    let got = answer("text", &names, &[Action::ContactUpdate(update)]);
    assert_eq!(got["attributes"], json!({ "e_mail": "a@example.invalid" }));
}

#[test]
fn what_cannot_be_said_never_leaves() {
    let channel = channel(settings());
    let id = PartId::from("t.0.0");
    let text = message("one");
    let typing = Action::Typing(Typing::Start);
    let rows = [
        // A conversation of one request has nobody to be called.
        ("get:00000000000000010000000000000002", &text),
        ("get:11111111111111111111111111111111", &text),
        ("1022", &text),
        ("1:", &text),
        ("1:a", &text),
        ("", &text),
        ("1:1022", &typing),
    ];
    for (conversation, action) in rows {
        let part = Part { id: &id, action, context: None };
        let call = channel.call(&To::conversation(conversation), &[part]);
        assert_eq!((&*call.url, call.headers), ("", HeaderMap::new()), "{conversation}");
    }
    assert_eq!(channel.call(&To::conversation("1:1022"), &[]).url, "");
}

#[test]
fn the_key_is_in_no_debug_form() {
    let id = PartId::from("t.0.0");
    let part = Part { id: &id, action: &message("one"), context: None };
    let call = channel(settings()).call(&To::conversation("1:1022"), &[part]);
    assert_eq!(call.headers["x-myalice-api-key"], API_KEY);
    assert!(!format!("{call:?}{:?}", call.headers).contains(API_KEY));
}
