//! Calls and their ends, beyond what golden files show.

use botyard_kernel::action::{Action, Message, TextFormat};
use botyard_kernel::id::PartId;
use botyard_kernel::run::Blame;
use serde_json::{Value, json};

use super::{CONVERSATION, TOKEN, channel, settings, told};
use crate::{CallAnswer, Outcome, Part, To};

fn body(action: &Action) -> Value {
    let id = PartId::from("t.0.0");
    let parts = [Part { id: &id, action, context: Some("{\"a\":1}") }];
    let call = channel(settings()).call(&To::conversation(CONVERSATION), &parts);
    serde_json::from_slice(&call.body).expect("JSON")
}

#[test]
fn a_packet_of_a_bot_reaches_nobody_else() {
    for json in [
        r#"{"recipient":{"id":"9"},"message":{"text":"t"}}"#,
        r#"{"recipient":{"id":"9"},"sender_action":"mark_seen"}"#,
        r#"{"recipient":{"id":"9"},"text":"t"}"#,
        r#"{"pass_thread_control":{"recipient":{"id":"9"},"target_app_id":1}}"#,
        r#"{"release_thread_control":{"recipient":{"id":"9"}},"recipient":{"id":"9"}}"#,
    ] {
        let written = json!({ "vendor": "messenger", "json": json });
        let action = Action::Passthrough(serde_json::from_value(written).unwrap());
        let body = body(&action);
        assert_eq!(body["recipient"], json!({ "id": super::USER }), "{json}");
        assert!(!body.to_string().contains("\"9\""), "{body}");
    }
}

#[test]
fn a_sign_has_no_messaging_type() {
    let written = json!({ "vendor": "messenger", "json": r#"{"sender_action":"mark_seen"}"# });
    let sent = body(&Action::Passthrough(serde_json::from_value(written).unwrap()));
    assert_eq!(sent, json!({ "recipient": { "id": super::USER }, "sender_action": "mark_seen" }));
}

#[test]
fn an_action_without_a_form_is_not_left_out_in_silence() {
    // The vendor refuses a body that says nothing.
    let nothing = json!({ "recipient": { "id": super::USER } });
    assert_eq!(body(&Action::Abort), nothing);
    let foreign = json!({ "vendor": "userlike", "json": "{\"text\":\"t\"}" });
    assert_eq!(body(&Action::Passthrough(serde_json::from_value(foreign).unwrap())), nothing);
}

#[test]
fn the_token_is_never_shown() {
    let action = Action::Message(Message { text: "t".to_owned(), format: TextFormat::Plain });
    let id = PartId::from("t.0.0");
    let parts = [Part { id: &id, action: &action, context: None }];
    let call = channel(settings()).call(&To::conversation(CONVERSATION), &parts);
    assert!(!format!("{call:?} {:?}", call.headers).contains(TOKEN));
    assert!(!call.url.contains(TOKEN));
}

#[test]
fn a_call_without_an_answer_is_tried_again() {
    let outcome = |answer: CallAnswer| channel(settings()).outcome(&answer);
    let lost = outcome(CallAnswer::Lost("it broke off".to_owned()));
    assert_eq!(told(&lost), json!({ "is": "retry", "blame": "vendor", "ambiguous": true }));
    let unsent = outcome(CallAnswer::NotSent("no such host".to_owned()));
    assert_eq!(told(&unsent), json!({ "is": "retry", "blame": "host", "ambiguous": false }));
}

#[test]
fn the_vendor_says_when_to_come_back() {
    let answer = CallAnswer::Answered {
        status: http::StatusCode::BAD_REQUEST,
        retry_after_ms: Some(7_000),
        headers: http::HeaderMap::new(),
        body: r#"{"error":{"code":613}}"#.into(),
    };
    let Outcome::Retry { after_ms, blame, .. } = channel(settings()).outcome(&answer) else {
        panic!("a retry")
    };
    assert_eq!((after_ms, blame), (Some(7_000), Blame::Vendor));
}

#[test]
fn webhooks_are_answered_with_an_empty_success() {
    let reply = channel(settings()).answer(&To::default(), &[]);
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
}
