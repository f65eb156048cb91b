//! Answers, calls, and what becomes of them.

use botyard_kernel::action::{Action, Media, Message, TextFormat, Typing};
use botyard_kernel::id::PartId;
use botyard_kernel::run::Blame;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use super::{API_URL, CID, channel, settings, with_dialect};
use crate::{CallAnswer, Outcome, Part, To};

fn message(text: &str) -> Action {
    Action::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}

fn media() -> Action {
    let link = "https://img.example.invalid/1".to_owned();
    Action::Media(Media { link, name: None, mime_type: None, caption: None })
}

#[test]
fn an_answer_is_one_list_in_order() {
    let ids = [PartId::from("t.0.0"), PartId::from("t.1.0"), PartId::from("t.2.0")];
    // What was to be degraded before and was not is left out.
    let actions = [message("one"), Action::Typing(Typing::Start), message("two")];
    let contexts = [None, None, Some("{\"step\":2}")];
    let parts = ids.iter().zip(&actions).zip(contexts);
    let parts: Vec<_> = parts.map(|((id, action), context)| Part { id, action, context }).collect();
    let reply = channel(settings()).answer(&To::conversation(CID), &parts);
    assert_eq!((reply.status, reply.content_type), (StatusCode::OK, "application/json"));
    let expect = format!(
        r#"[{{"info":{{"cid":"{CID}"}},"packet":{{"name":"message","payload":{{"body":"one"}}}}}},"#,
    ) + &format!(
        r#"{{"info":{{"cid":"{CID}","context":{{"step":2}}}},"packet":{{"name":"message","payload":{{"body":"two"}}}}}}]"#,
    );
    assert_eq!(reply.body, expect);
}

#[test]
fn an_answer_without_actions_is_empty() {
    let reply = channel(settings()).answer(&To::conversation(CID), &[]);
    assert_eq!((reply.status, reply.body), (StatusCode::OK, Bytes::new()));
    let listed =
        with_dialect(json!({ "empty-answer": "list" })).answer(&To::conversation(CID), &[]);
    assert_eq!(listed.body, "[]");
}

#[test]
fn a_call_is_a_post_with_the_token() {
    let (id, action) = (PartId::from("t.0.0"), message("one"));
    let call = channel(settings())
        .call(&To::conversation(CID), &[Part { id: &id, action: &action, context: None }]);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("security-token", "t0ken-of-the-bot".parse().unwrap());
    assert_eq!((call.method.clone(), &*call.url, &call.headers), (Method::POST, API_URL, &headers));
    assert!(!format!("{call:?}{headers:?}", headers = call.headers).contains("t0ken"));
}

fn outcome(action: &Action, answer: &CallAnswer) -> Outcome {
    let id = PartId::from("t.0.0");
    channel(settings()).outcome_for(&[Part { id: &id, action, context: None }], answer)
}

/// An outcome in one line, without its reason: which every failure has.
fn brief(outcome: Outcome) -> String {
    let (brief, reason) = match outcome {
        Outcome::Delivered { .. } => return "delivered".to_owned(),
        Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max } => {
            let tries = tries_max.map(|tries| format!(" {tries} times")).unwrap_or_default();
            let after = after_ms.map(|after| format!(" after {after}")).unwrap_or_default();
            let ambiguous = if ambiguous { " ambiguous" } else { "" };
            (format!("retry{tries}{after}{ambiguous}, {}", blame.name()), reason)
        }
        Outcome::Fatal { reason, blame } => (format!("fatal, {}", blame.name()), reason),
        Outcome::Taken(reason) => ("taken".to_owned(), reason),
        Outcome::Gone(reason) => ("gone".to_owned(), reason),
    };
    assert!(!reason.is_empty() && !reason.contains("echo of a secret"), "{reason}");
    brief
}

#[test]
fn answers_of_calls_mean() {
    let rows = [
        (200, None, "delivered", "delivered"),
        (202, None, "delivered", "delivered"),
        (204, Some(9), "delivered", "delivered"),
        (301, None, "retry, tenant", "retry, tenant"),
        (400, None, "fatal, bot", "retry 3 times, bot"),
        (401, None, "retry, tenant", "retry, tenant"),
        (403, Some(5_000), "retry after 5000, tenant", "retry after 5000, tenant"),
        (404, None, "retry, tenant", "retry 3 times, bot"),
        (408, None, "retry, vendor", "retry, vendor"),
        (410, None, "retry, tenant", "retry 3 times, bot"),
        (413, None, "fatal, bot", "retry 3 times, bot"),
        (422, None, "fatal, bot", "retry 3 times, bot"),
        (429, None, "retry, vendor", "retry, vendor"),
        (429, Some(30_000), "retry after 30000, vendor", "retry after 30000, vendor"),
        (500, None, "retry ambiguous, vendor", "retry, bot"),
        (502, None, "retry ambiguous, vendor", "retry, bot"),
        (503, Some(1_000), "retry after 1000, vendor", "retry after 1000, bot"),
        (599, None, "retry ambiguous, vendor", "retry, bot"),
        (700, None, "retry, tenant", "retry, tenant"),
    ];
    for (status, retry_after_ms, for_message, for_media) in rows {
        let status = StatusCode::from_u16(status).unwrap();
        let body = Bytes::from_static(b"echo of a secret");
        let answer =
            CallAnswer::Answered { status, retry_after_ms, body, headers: HeaderMap::new() };
        assert_eq!(brief(outcome(&message("m"), &answer)), for_message, "{status}");
        assert_eq!(brief(outcome(&media(), &answer)), for_media, "{status} for media");
        assert_eq!(brief(channel(settings()).outcome(&answer)), for_message, "{status}");
    }
}

#[test]
fn a_channel_may_know_which_answers_end_a_session() {
    let knows = with_dialect(json!({ "gone-statuses": [410] }));
    let outcome = |code: u16| {
        let status = StatusCode::from_u16(code).unwrap();
        brief(knows.outcome(&CallAnswer::Answered {
            status,
            retry_after_ms: None,
            body: Bytes::new(),
            headers: HeaderMap::new(),
        }))
    };
    assert_eq!(outcome(410), "gone");
    assert_eq!(outcome(404), "retry, tenant");
}

#[test]
fn calls_without_an_answer_mean() {
    let lost = CallAnswer::Lost("timeout".to_owned());
    let refused = CallAnswer::NotSent("no such host".to_owned());
    for action in [message("m"), media()] {
        assert_eq!(brief(outcome(&action, &lost)), "retry ambiguous, vendor");
        assert_eq!(brief(outcome(&action, &refused)), "retry, host");
    }
    let told = outcome(&media(), &refused);
    let expect = Outcome::Retry {
        after_ms: None,
        ambiguous: false,
        reason: "not sent: no such host".to_owned(),
        blame: Blame::Host,
        tries_max: None,
    };
    assert_eq!(told, expect);
}
