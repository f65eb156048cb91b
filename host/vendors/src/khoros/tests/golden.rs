//! Every file of `fixtures/khoros`: a webhook with what it becomes, an action with its
//! call and what the answer means, an error with what it means for several actions, or
//! a chore with its call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use botyard_kernel::action::Action;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::PartId;
use botyard_kernel::session::Facts;
use botyard_kernel::time::Millis;
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{KEY, brief, events, receive, with_dialect};
use crate::{Call, CallAnswer, Part, To};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    webhook: Value,
    conversation: String,
    events: Vec<InEvent>,
    facts: Facts,
    #[serde(default = "nothing")]
    dialect: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InEvent {
    event: EventBody,
    key: Option<String>,
    owner: Option<String>,
    vendor_ms: Option<Millis>,
    reply_to: Option<Value>,
    desk_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Out {
    action: Action,
    reply_to: Value,
    desk_id: Option<String>,
    call: OutCall,
    answer: Answer,
    outcome: String,
    #[serde(default = "nothing")]
    dialect: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OutCall {
    method: String,
    url: String,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    status: u16,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Error {
    answer: Answer,
    outcomes: BTreeMap<String, String>,
}

fn nothing() -> Value {
    json!({})
}

impl Answer {
    pub(super) fn call_answer(&self) -> CallAnswer {
        let body = if self.body.is_null() { String::new() } else { self.body.to_string() };
        let status = StatusCode::from_u16(self.status).unwrap();
        CallAnswer::Answered {
            status,
            retry_after_ms: None,
            body: Bytes::from(body),
            headers: http::HeaderMap::new(),
        }
    }
}

impl OutCall {
    /// Byte for byte but for the order of fields.
    pub(super) fn check(&self, name: &str, call: &Call) {
        assert_eq!(call.method.as_str(), self.method, "{name}");
        assert_eq!(call.url, self.url, "{name}");
        let body: Value = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        assert_eq!(body, self.body, "{name}");
        let token = call.headers["authorization"].to_str().unwrap();
        assert!(token.starts_with("Bearer "), "{name}");
        if self.method == "GET" {
            assert!(!call.headers.contains_key("content-type"), "{name}");
        } else {
            let kind = &call.headers["content-type"];
            assert_eq!(kind, "application/json; charset=utf-8", "{name}");
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/khoros")
}

/// Reads the fixtures whose names begin so: never none.
pub(super) fn fixtures(kind: &str) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder()).expect("fixtures") {
        let path = entry.expect("fixture").path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with(kind) {
            let text = std::fs::read(&path).expect("fixture");
            found.push((name, serde_json::from_slice(&text).expect("JSON")));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    assert!(!found.is_empty(), "no fixtures begin with {kind}");
    found
}

pub(super) fn read<T: for<'de> Deserialize<'de>>(name: &str, fixture: Value) -> T {
    serde_json::from_value(fixture).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_fixture_is_of_a_kind_that_is_tested() {
    let kinds = ["in.", "out.", "err.", "upkeep.", "README.md"];
    for entry in std::fs::read_dir(folder()).expect("fixtures") {
        let name = entry.expect("fixture").file_name().to_string_lossy().into_owned();
        assert!(kinds.iter().any(|kind| name.starts_with(kind)), "{name}");
    }
}

#[test]
fn webhooks_become_events() {
    for (name, fixture) in fixtures("in.") {
        let expect: In = read(&name, fixture);
        let body = expect.webhook.to_string();
        let (got, damaged) = events(receive(&*with_dialect(expect.dialect), body.as_bytes()));
        assert_eq!(damaged, [], "{name}");
        assert_eq!(got.len(), expect.events.len(), "{name}: {got:?}");
        for (got, expect_event) in got.iter().zip(expect.events) {
            assert_eq!(got.body, expect_event.event, "{name}");
            assert_eq!(got.conversation, expect.conversation, "{name}");
            assert_eq!(got.facts, expect.facts, "{name}");
            assert_eq!(got.key, expect_event.key, "{name}");
            assert_eq!(
                got.owner.map(|owner| owner.name().to_owned()),
                expect_event.owner,
                "{name}"
            );
            assert_eq!(got.vendor_ms, expect_event.vendor_ms, "{name}");
            assert_eq!(got.raw.as_deref(), Some(&*body), "{name}");
            assert_eq!(got.request.is_some(), got.key.is_none(), "{name}");
            let reply_to = got.reply_to.as_deref().map(|json| serde_json::from_str(json).unwrap());
            assert_eq!(reply_to, expect_event.reply_to, "{name}");
            assert_eq!(got.desk_id, expect_event.desk_id, "{name}");
        }
    }
}

#[test]
fn actions_become_calls() {
    for (name, fixture) in fixtures("out.") {
        let expect: Out = read(&name, fixture);
        let channel = with_dialect(expect.dialect);
        let reply_to = expect.reply_to.to_string();
        let desk_id = expect.desk_id.as_deref();
        let to = To { reply_to: Some(&reply_to), desk_id, ..To::conversation(KEY) };
        let id = PartId::from("t.0.0");
        let parts = [Part { id: &id, action: &expect.action, context: None }];
        expect.call.check(&name, &channel.call(&to, &parts));
        let outcome = channel.outcome_for(&parts, &expect.answer.call_answer());
        assert_eq!(brief(outcome), expect.outcome, "{name}");
        // What is rendered is native somewhere, and nothing holds what excludes itself.
        let exclusive = ["list", "payload", "media", "richContent"];
        let held = exclusive.iter().filter(|key| expect.call.body.get(key).is_some()).count();
        let attributes = expect.action.name() == "contact_update";
        assert!(held <= 1 || attributes, "{name}");
    }
}

/// An action of this name, as short as it can be.
pub(super) fn action(name: &str) -> Action {
    let json = match name {
        "message" => json!({ "name": name, "payload": { "text": "Hello" } }),
        "note_create" => json!({ "name": name, "payload": { "text": "A note" } }),
        "forward" => json!({ "name": name, "payload": { "target": { "name": "any" } } }),
        "tag" => json!({ "name": name, "payload": ["1"] }),
        "work_queue" => json!({ "name": name, "payload": { "queue": "x" } }),
        "typing" => json!({ "name": name, "payload": "start" }),
        "abort" => json!({ "name": name }),
        other => panic!("no short {other}"),
    };
    read(name, json)
}

#[test]
fn errors_mean() {
    for (name, fixture) in fixtures("err.") {
        let expect: Error = read(&name, fixture);
        for (action_name, outcome) in expect.outcomes {
            let (id, action) = (PartId::from("t.0.0"), action(&action_name));
            let parts = [Part { id: &id, action: &action, context: None }];
            let got = with_dialect(json!({})).outcome_for(&parts, &expect.answer.call_answer());
            assert_eq!(brief(got), outcome, "{name} for {action_name}");
        }
    }
}
