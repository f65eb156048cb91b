//! Every file of `fixtures/userlike`: a webhook with the event and the facts
//! that it becomes, or an action with the packet that it becomes.

use std::path::Path;

use botyard_kernel::action::Action;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::PartId;
use botyard_kernel::session::Facts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{CID, event, receive, with_dialect};
use crate::{Part, To};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    webhook: Value,
    event: EventBody,
    facts: Facts,
    context: Option<String>,
    #[serde(default = "nothing")]
    dialect: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Out {
    action: Action,
    context: Option<Value>,
    packet: Value,
    #[serde(default = "nothing")]
    dialect: Value,
}

fn nothing() -> Value {
    json!({})
}

/// Reads the fixtures whose names begin so: never none.
pub(super) fn fixtures(kind: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/userlike");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("fixtures") {
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

fn read<T: for<'de> Deserialize<'de>>(name: &str, fixture: Value) -> T {
    serde_json::from_value(fixture).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn webhooks_become_events() {
    for (name, fixture) in fixtures("in.") {
        let expect: In = read(&name, fixture);
        let body = expect.webhook.to_string();
        let got = event(receive(&*with_dialect(expect.dialect), body.as_bytes()));
        assert_eq!(got.body, expect.event, "{name}");
        assert_eq!(got.facts, expect.facts, "{name}");
        assert_eq!(got.context, expect.context, "{name}");
        assert_eq!(got.conversation, expect.webhook["info"]["cid"], "{name}");
        assert_eq!(got.raw.as_deref(), Some(&*body), "{name}");
        assert_eq!(got.key.is_some(), matches!(got.body, EventBody::Start(_)), "{name}");
        assert_eq!(got.vendor_ms, None, "{name}");
    }
}

#[test]
fn actions_become_packets() {
    for (name, fixture) in fixtures("out.") {
        let expect: Out = read(&name, fixture);
        let channel = with_dialect(expect.dialect);
        let context = expect.context.as_ref().map(Value::to_string);
        let id = PartId::from("t.0.0");
        let parts = [Part { id: &id, action: &expect.action, context: context.as_deref() }];
        let mut info = json!({ "cid": CID });
        if let Some(context) = expect.context.filter(|context| *context != json!({})) {
            info["context"] = context;
        }
        let event = json!([{ "info": info, "packet": expect.packet }]);
        let answer = channel.answer(&To::conversation(CID), &parts);
        assert_eq!(json(&answer.body), event, "{name}");
        assert_eq!(channel.call(&To::conversation(CID), &parts).body, answer.body, "{name}");
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("a body of JSON")
}
