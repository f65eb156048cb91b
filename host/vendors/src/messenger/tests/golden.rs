//! Every file of `fixtures/messenger`: a webhook with the events that it becomes, an
//! action with the call that it becomes, an answer with what it means.

use botyard_kernel::action::Action;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::PartId;
use botyard_kernel::owner::Owner;
use botyard_kernel::session::Facts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    CONVERSATION, NOW, Request, Response, TOKEN, fixtures, read, receive, told, with_dialect,
};
use crate::{Incoming, Outcome, Part, Received, To};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    webhook: Value,
    #[serde(default)]
    events: Vec<Told>,
    ignored: Option<String>,
    /// A piece of the reason of each damaged part.
    #[serde(default)]
    damaged: Vec<String>,
    #[serde(default = "nothing")]
    dialect: Value,
}

/// An event; `key` is the vendor's id or what the key begins with where there is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    event: EventBody,
    key: String,
    conversation: String,
    vendor_ms: Option<u64>,
    facts: Facts,
    owner: Option<Owner>,
    reply_to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Out {
    action: Action,
    reply_to: Option<String>,
    now_ms: Option<u64>,
    #[serde(default = "nothing")]
    dialect: Value,
    request: Request,
    response: Response,
}

#[derive(Deserialize)]
struct Error {
    #[serde(flatten)]
    response: Response,
    outcome: Value,
}

fn nothing() -> Value {
    json!({})
}

#[test]
fn webhooks_become_events() {
    for (name, fixture) in fixtures("messenger", "in.") {
        let expect: In = read(&name, fixture);
        let body = expect.webhook.to_string();
        match receive(&*with_dialect(expect.dialect), body.as_bytes()) {
            Received::Ignored(why) => {
                assert_eq!(Some(why), expect.ignored.as_deref(), "{name}");
                assert!(expect.events.is_empty() && expect.damaged.is_empty(), "{name}");
            }
            Received::Events { events, damaged } => {
                assert_eq!(expect.ignored, None, "{name}");
                assert_eq!(events.len(), expect.events.len(), "{name}: {events:?}");
                for (got, expect) in events.iter().zip(&expect.events) {
                    check(&name, got, expect, &body);
                }
                assert_eq!(damaged.len(), expect.damaged.len(), "{name}: {damaged:?}");
                for (got, expect) in damaged.iter().zip(&expect.damaged) {
                    assert!(got.reason.contains(expect), "{name}: {got:?}, not {expect}");
                    assert!(body.contains(&got.raw), "{name}: {got:?}");
                }
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn check(name: &str, got: &Incoming, expect: &Told, webhook: &str) {
    assert_eq!(got.body, expect.event, "{name}");
    assert_eq!(got.conversation, expect.conversation, "{name}");
    assert_eq!(got.vendor_ms, expect.vendor_ms, "{name}");
    assert_eq!(got.facts, expect.facts, "{name}");
    assert_eq!(got.owner, expect.owner, "{name}");
    assert_eq!(got.reply_to, expect.reply_to, "{name}");
    let raw = got.raw.as_deref().expect("the part as it came");
    assert!(webhook.contains(raw), "{name}: {raw}");
    let key = got.key.as_deref().expect("a key");
    if expect.key.starts_with("m_") {
        assert_eq!(key, expect.key, "{name}");
    } else {
        let head = format!("{}@{}:", expect.key, expect.vendor_ms.expect("a time"));
        assert!(key.strip_prefix(&head).is_some_and(|hash| hash.len() == 16), "{name}: {key}");
    }
    assert_eq!((&got.acknowledge, got.request, got.route), (&None, None, None), "{name}");
}

#[test]
fn actions_become_calls() {
    for (name, fixture) in fixtures("messenger", "out.") {
        let expect: Out = read(&name, fixture);
        let channel = with_dialect(expect.dialect);
        let id = PartId::from("t.0.0");
        let parts = [Part { id: &id, action: &expect.action, context: None }];
        let to = To { reply_to: expect.reply_to.as_deref(), ..To::conversation(CONVERSATION) };
        let call = match expect.now_ms {
            Some(now) => channel.call_at(&to, &parts, now),
            None => channel.call(&to, &parts),
        };
        expect.request.check(&name, &call, "<PAGE_TOKEN>", TOKEN);
        let outcome = channel.outcome_at(&to, &parts, &expect.response.answer(), NOW);
        assert_eq!(outcome, Outcome::DELIVERED, "{name}");
    }
}

#[test]
fn errors_mean_what_they_say() {
    for (name, fixture) in fixtures("messenger", "err.") {
        let expect: Error = read(&name, fixture);
        let outcome = with_dialect(nothing()).outcome(&expect.response.answer());
        assert_eq!(told(&outcome), expect.outcome, "{name}: {outcome:?}");
        // What the vendor wrote may quote the person.
        assert!(!format!("{outcome:?}").contains("Some text of the vendor"), "{name}");
    }
}
