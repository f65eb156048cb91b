//! What answers to calls mean.

use botyard_kernel::action::{Action, Passthrough, Typing};
use botyard_kernel::id::PartId;
use botyard_kernel::run::Blame;
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{channel, message, settings, with_dialect};
use crate::{CallAnswer, Outcome, Part, Vendor};

fn through(packet: &Value) -> Action {
    Action::Passthrough(Passthrough { vendor: "myalice".to_owned(), json: packet.to_string() })
}

fn sequence() -> Action {
    through(&json!({ "name": "send-sequence", "payload": { "sequence_id": "138" } }))
}

fn answered(status: u16, retry_after_ms: Option<u64>, body: &str) -> CallAnswer {
    let status = StatusCode::from_u16(status).unwrap();
    CallAnswer::Answered {
        status,
        retry_after_ms,
        body: Bytes::copy_from_slice(body.as_bytes()),
        headers: http::HeaderMap::new(),
    }
}

fn outcome(channel: &dyn Vendor, action: &Action, answer: &CallAnswer) -> Outcome {
    let id = PartId::from("t.0.0");
    channel.outcome_for(&[Part { id: &id, action, context: None }], answer)
}

/// An outcome in one line, and its reason: which every failure has.
fn brief(outcome: Outcome) -> (String, String) {
    let (brief, reason) = match outcome {
        Outcome::Delivered { follow_ups, .. } => {
            assert!(follow_ups.is_empty());
            return ("delivered".to_owned(), String::new());
        }
        Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max } => {
            assert_eq!(tries_max, None);
            let after = after_ms.map(|after| format!(" after {after}")).unwrap_or_default();
            let ambiguous = if ambiguous { " ambiguous" } else { "" };
            (format!("retry{after}{ambiguous}, {}", blame.name()), reason)
        }
        Outcome::Fatal { reason, blame } => (format!("fatal, {}", blame.name()), reason),
        Outcome::Taken(reason) => ("taken".to_owned(), reason),
        Outcome::Gone(reason) => ("gone".to_owned(), reason),
    };
    assert!(!reason.is_empty() && reason.lines().count() == 1, "{reason}");
    (brief, reason)
}

#[test]
fn answers_of_calls_mean() {
    let rows = [
        (200, None, "delivered", "delivered"),
        (201, None, "delivered", "delivered"),
        (204, Some(9), "delivered", "delivered"),
        (301, None, "fatal, tenant", "fatal, tenant"),
        (400, None, "fatal, tenant", "fatal, bot"),
        (401, None, "fatal, tenant", "fatal, tenant"),
        (403, Some(5_000), "fatal, tenant", "fatal, tenant"),
        (404, None, "fatal, tenant", "fatal, tenant"),
        (408, None, "retry, vendor", "retry, vendor"),
        (422, None, "fatal, tenant", "fatal, bot"),
        (429, None, "retry, vendor", "retry, vendor"),
        (429, Some(30_000), "retry after 30000, vendor", "retry after 30000, vendor"),
        (500, None, "retry ambiguous, vendor", "retry ambiguous, vendor"),
        (503, Some(1_000), "retry after 1000, vendor", "retry after 1000, vendor"),
        (599, None, "retry ambiguous, vendor", "retry ambiguous, vendor"),
        (700, None, "fatal, tenant", "fatal, tenant"),
    ];
    let channel = channel(settings());
    for (status, after, for_message, for_passthrough) in rows {
        let answer = answered(status, after, r#"{"message":"echo of a secret"}"#);
        let cases = [(message("m"), for_message), (sequence(), for_passthrough)];
        for (action, expect) in cases {
            let (got, reason) = brief(outcome(&*channel, &action, &answer));
            assert_eq!(got, expect, "{status}");
            assert!(!reason.contains("echo of a secret"), "{reason}");
        }
        assert_eq!(brief(channel.outcome(&answer)).0, for_message, "{status}");
    }
}

#[test]
fn a_success_may_say_no() {
    let channel = channel(settings());
    let rows = [
        ("", None),
        ("null", None),
        ("not JSON", None),
        (r#"{"status":"success","message":"ok"}"#, None),
        (r#"{"success":true,"message":"ok"}"#, None),
        (r#"{"success":"false"}"#, None),
        (r#"{"success":false}"#, Some("without a reason")),
        (r#"{"success":false,"message":7}"#, Some("without a reason")),
        (r#"{"success":false,"message":"no such\n customer"}"#, Some(": no such  customer")),
        (r#"{"status":"error","message":"bot is off"}"#, Some(": bot is off")),
    ];
    for (body, expect) in rows {
        for (action, blame) in [(message("m"), "tenant"), (sequence(), "bot")] {
            let (got, reason) = brief(outcome(&*channel, &action, &answered(200, None, body)));
            match expect {
                None => assert_eq!(got, "delivered", "{body}"),
                Some(expect) => {
                    assert_eq!(got, format!("fatal, {blame}"), "{body}");
                    assert!(reason.ends_with(expect) || reason.contains(expect), "{reason}");
                }
            }
        }
    }
    let long = json!({ "success": false, "message": "é".repeat(500) }).to_string();
    let (_, reason) = brief(outcome(&*channel, &message("m"), &answered(201, None, &long)));
    assert!(reason.len() < 300, "{reason}");
    let calm = with_dialect(&json!({ "failed-words": [] }));
    let body = r#"{"status":"error"}"#;
    assert_eq!(calm.outcome(&answered(200, None, body)), Outcome::DELIVERED);
}

#[test]
fn a_channel_may_know_which_answers_mean_that_the_customer_is_gone() {
    let knows = with_dialect(&json!({ "gone-statuses": [404] }));
    assert_eq!(brief(knows.outcome(&answered(404, None, ""))).0, "gone");
    assert_eq!(brief(knows.outcome(&answered(410, None, ""))).0, "fatal, tenant");
}

#[test]
fn calls_without_an_answer_mean() {
    let channel = channel(settings());
    let lost = CallAnswer::Lost("timeout".to_owned());
    let refused = CallAnswer::NotSent("no such host".to_owned());
    for action in [message("m"), sequence()] {
        assert_eq!(brief(outcome(&*channel, &action, &lost)).0, "retry ambiguous, vendor");
        let (got, reason) = brief(outcome(&*channel, &action, &refused));
        assert_eq!((&*got, &*reason), ("retry, host", "not sent: no such host"));
    }
}

#[test]
fn what_cannot_be_called_is_given_up_whatever_came_back() {
    let channel = channel(settings());
    let foreign = Passthrough { vendor: "khoros".to_owned(), json: r#"{"name":"x"}"#.to_owned() };
    let rows = [
        (through(&json!({ "name": "delete-everything", "payload": {} })), Blame::Bot),
        (through(&json!({ "name": "send-sequence", "payload": [] })), Blame::Bot),
        (through(&json!({ "payload": {} })), Blame::Bot),
        (through(&json!([])), Blame::Bot),
        (Action::Passthrough(foreign), Blame::Bot),
        (Action::Typing(Typing::Start), Blame::Host),
    ];
    let answers = [
        CallAnswer::NotSent("the address of the call is wrong".to_owned()),
        CallAnswer::Lost("timeout".to_owned()),
        answered(200, None, ""),
    ];
    for (action, expect) in rows {
        for answer in &answers {
            let Outcome::Fatal { reason, blame } = outcome(&*channel, &action, answer) else {
                panic!("{action:?}");
            };
            assert_eq!(blame, expect, "{action:?}");
            assert!(!reason.contains("delete-everything"), "{reason}");
            let hint = if blame == Blame::Bot { "send-template-message" } else { "`typing`" };
            assert!(reason.contains(hint), "{reason}");
        }
    }
}
