//! Answers, posts to callback URLs, and what becomes of them.

use botyard_kernel::action::{Action, Message, Passthrough, TextFormat, Typing};
use botyard_kernel::id::PartId;
use botyard_kernel::run::Blame;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NAME, STREAM, STREAM_SECRET, channel, event, parsed, send, settings, start, with};
use crate::{CallAnswer, Outcome, Part, To};

const CALLBACK: &str = "https://client.example.invalid/agent?key=unguessable";

fn message(text: &str) -> Action {
    Action::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}

fn menu() -> Action {
    let options = json!([{ "id": "1", "label": "Yes" }, { "id": "2", "label": "No" }]);
    let menu = json!({ "text": "More?", "options": options, "fallback": "More, perhaps?" });
    serde_json::from_value(json!({ "name": "bubbles", "payload": menu })).expect("an action")
}

fn own(vendor: &str, packet: &str) -> Action {
    Action::Passthrough(Passthrough { vendor: vendor.to_owned(), json: packet.to_owned() })
}

fn with_parts<T>(actions: &[Action], then: impl FnOnce(&[Part<'_>]) -> T) -> T {
    let id = PartId::from("t.0.0");
    let parts: Vec<_> =
        actions.iter().map(|action| Part { id: &id, action, context: None }).collect();
    then(&parts)
}

/// What is left out because it was to be degraded before, or is not ours.
fn left_out() -> Vec<Action> {
    vec![Action::Typing(Typing::Start), own("userlike", "{\"text\":\"x\"}"), own("instabot", "7")]
}

#[test]
fn an_answer_carries_all_messages_in_order() {
    let mut actions = vec![message("one")];
    actions.extend(left_out());
    actions.push(menu());
    let channel = channel(settings());
    let to = To::conversation(NAME);
    let reply = with_parts(&actions, |parts| channel.answer(&to, parts));
    assert_eq!((reply.status, reply.content_type), (StatusCode::OK, "application/json"));
    let expect = r#"{"messages":[{"text":"one"},{"text":"More?","quick_replies":[{"content_type":"text","title":"Yes","payload":1},{"content_type":"text","title":"No","payload":2}]}],"streamId":"#;
    assert_eq!(reply.body, format!("{expect}\"{STREAM}\"}}"));
}

#[test]
fn an_answer_without_messages_still_says_the_stream_id() {
    let channel = channel(settings());
    let reply = channel.answer(&To::conversation(NAME), &[]);
    assert_eq!(reply.body, format!("{{\"messages\":[],\"streamId\":\"{STREAM}\"}}"));
    assert_eq!(channel.answer(&To::default(), &[]).body, "{\"messages\":[]}");
}

#[test]
fn a_callback_carries_all_texts_in_one() {
    let channel = channel(settings());
    let started = event(send(&*channel, &start(&json!({ "callbackUrl": CALLBACK }))));
    let reply_to = started.reply_to.expect("an address");
    let to = To { reply_to: Some(&reply_to), ..To::conversation(NAME) };
    let mut actions = vec![message("one")];
    actions.extend(left_out());
    actions.push(menu());
    let call = with_parts(&actions, |parts| channel.call(&to, parts));
    assert_eq!((&call.method, &*call.url), (&Method::POST, CALLBACK));
    assert_eq!(call.headers.len(), 1);
    assert_eq!(call.headers["content-type"], "application/json");
    let text = "one\\n\\nMore, perhaps?\\n1. Yes\\n2. No";
    assert_eq!(call.body, format!("{{\"streamId\":\"{STREAM}\",\"text\":\"{text}\"}}"));
    assert!(!format!("{call:?}").contains("unguessable"));
}

#[test]
fn a_chat_keeps_its_stream_id_while_the_secret_is_changed() {
    let reply_to = event(send(&*channel(settings()), &start(&json!({})))).reply_to;
    let secrets = json!(["the stream secret that comes after it", STREAM_SECRET]);
    let changed = channel(with(&json!({ "stream-secret": secrets })));
    let told = |reply_to| {
        let to = To { reply_to, ..To::conversation(NAME) };
        let answer = parsed(&changed.answer(&to, &[]).body)["streamId"].clone();
        assert_eq!(parsed(&changed.call(&to, &[]).body)["streamId"], answer);
        answer
    };
    assert_eq!(told(reply_to.as_deref()), STREAM);
    // Where nothing is noted, it is one that the channel knows.
    let anew = told(None);
    assert_ne!(anew, STREAM);
    let hello = json!({ "streamId": anew, "message": { "text": "hi" } });
    assert_eq!(event(send(&*changed, &hello)).conversation, NAME);
}

#[test]
fn without_an_address_nothing_can_leave() {
    let channel = channel(settings());
    for reply_to in
        [None, Some(""), Some("[]"), Some("{\"email\":\"a\"}"), Some("{\"callback\":7}")]
    {
        let to = To { reply_to, ..To::conversation(NAME) };
        let call = with_parts(&[message("one")], |parts| channel.call(&to, parts));
        assert_eq!(call.url, "", "{reply_to:?}");
    }
}

/// An outcome in one line, without its reason: which every failure has.
fn brief(outcome: Outcome) -> String {
    let (brief, reason) = match outcome {
        Outcome::Delivered { .. } => return "delivered".to_owned(),
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
    assert!(!reason.is_empty() && !reason.contains("echo of a secret"), "{reason}");
    brief
}

#[test]
fn answers_of_callbacks_mean() {
    let rows = [
        (200, None, "delivered"),
        (204, Some(9), "delivered"),
        (301, None, "fatal, tenant"),
        (400, None, "fatal, tenant"),
        (401, None, "fatal, tenant"),
        (404, None, "fatal, tenant"),
        (408, None, "retry, vendor"),
        (410, None, "gone"),
        (422, None, "fatal, tenant"),
        (429, Some(5_000), "retry after 5000, vendor"),
        (500, None, "retry ambiguous, vendor"),
        (502, None, "retry ambiguous, vendor"),
        (503, Some(1_000), "retry after 1000, vendor"),
        (599, None, "retry ambiguous, vendor"),
        (700, None, "fatal, tenant"),
    ];
    let channel = channel(settings());
    for (status, retry_after_ms, expect) in rows {
        let status = StatusCode::from_u16(status).unwrap();
        let body = Bytes::from_static(b"echo of a secret");
        let answer =
            CallAnswer::Answered { status, retry_after_ms, body, headers: http::HeaderMap::new() };
        assert_eq!(brief(channel.outcome(&answer)), expect, "{status}");
    }
    let lost = CallAnswer::Lost("timeout".to_owned());
    assert_eq!(brief(channel.outcome(&lost)), "retry ambiguous, vendor");
    let expect = Outcome::Retry {
        after_ms: None,
        ambiguous: false,
        reason: "not sent: no such host".to_owned(),
        blame: Blame::Host,
        tries_max: None,
    };
    assert_eq!(channel.outcome(&CallAnswer::NotSent("no such host".to_owned())), expect);
}

#[test]
fn a_client_is_told_in_the_vendors_words_that_a_live_agent_has_left() {
    let said = |dialect: Value| {
        channel(with(&json!({ "dialect": dialect }))).takes_back().map(|action| match action {
            Action::Message(message) => message.text,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(said(json!({})).as_deref(), Some("Agent has ended this live session"));
    assert_eq!(said(json!({ "agent-left": "" })), None);
}
