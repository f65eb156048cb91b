//! Every file of `fixtures/myalice`: a request with the event that it becomes, an action
//! with its call, or actions with the answer of a block.

use std::path::Path;

use botyard_kernel::action::Action;
use botyard_kernel::degrade::degrade;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::PartId;
use botyard_kernel::log::Route;
use botyard_kernel::owner::Owner;
use botyard_kernel::session::Facts;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::NAME;
use super::{API_KEY, channel, event, headers, receive_as, with, with_dialect};
use crate::{Part, To};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    request: Request,
    conversation: String,
    form: String,
    event: EventBody,
    facts: Facts,
    owner: Option<Owner>,
    route: Option<Route>,
    vendor_ms: Option<u64>,
    reply_to: Option<String>,
    #[serde(default = "nothing")]
    dialect: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: String,
    rest: String,
    query: Option<String>,
    body: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutCall {
    to: Whom,
    action: Action,
    call: Called,
    #[serde(default = "nothing")]
    dialect: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whom {
    conversation: String,
    reply_to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    url: String,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutAnswer {
    #[serde(default)]
    late: bool,
    form: String,
    actions: Vec<Action>,
    answer: Value,
    #[serde(default = "nothing")]
    settings: Value,
    #[serde(default = "nothing")]
    dialect: Value,
}

fn nothing() -> Value {
    json!({})
}

/// Reads the fixtures whose names begin so: never none.
pub(super) fn fixtures(kind: &str) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/myalice");
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
fn requests_become_events() {
    for (name, fixture) in fixtures("in.") {
        let expect: In = read(&name, fixture);
        let Request { method, rest, query, body } = expect.request;
        let get = method == "GET";
        let method: Method = method.parse().unwrap();
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let channel = with_dialect(&expect.dialect);
        let query = query.as_deref();
        let got = event(receive_as(&*channel, &method, &rest, query, body.as_bytes()));
        assert_eq!(got.body, expect.event, "{name}");
        assert_eq!(got.facts, expect.facts, "{name}");
        assert_eq!(got.conversation, expect.conversation, "{name}");
        assert_eq!(got.form, expect.form, "{name}");
        assert_eq!((got.owner, got.route), (expect.owner, expect.route), "{name}");
        assert_eq!((got.vendor_ms, got.reply_to), (expect.vendor_ms, expect.reply_to), "{name}");
        assert_eq!(got.raw.as_deref(), if get { query } else { Some(&*body) }, "{name}");
        // The vendor has no ids, and no redelivery of a GET can be told.
        assert_eq!((got.key, got.request.is_some()), (None, !get), "{name}");
        assert_eq!((got.context, got.acknowledge), (None, None), "{name}");
    }
}

#[test]
fn actions_become_calls() {
    let expect_headers =
        headers(&[("content-type", "application/json"), ("x-myalice-api-key", API_KEY)]);
    for (name, fixture) in fixtures("out.call.") {
        let expect: OutCall = read(&name, fixture);
        let to = To {
            desk_id: None,
            conversation: &expect.to.conversation,
            reply_to: expect.to.reply_to.as_deref(),
            form: "",
            ..To::default()
        };
        let id = PartId::from("t.0.0");
        let parts = [Part { id: &id, action: &expect.action, context: Some("{\"step\":2}") }];
        let call = with_dialect(&expect.dialect).call(&to, &parts);
        assert_eq!((&call.method, &call.url), (&Method::POST, &expect.call.url), "{name}");
        assert_eq!(json(&call.body), expect.call.body, "{name}");
        assert_eq!(call.headers, expect_headers, "{name}");
    }
}

#[test]
fn actions_become_one_answer() {
    for (name, fixture) in fixtures("out.answer.") {
        let expect: OutAnswer = read(&name, fixture);
        let mut changes = expect.settings;
        changes["dialect"] = expect.dialect;
        let channel = channel(with(&changes));
        let id = PartId::from("t.0.0");
        let part = |action| Part { id: &id, action, context: None };
        let parts: Vec<_> = expect.actions.iter().map(part).collect();
        let to = To { form: &expect.form, late: expect.late, ..To::conversation("1:1022") };
        let reply = channel.answer(&to, &parts);
        assert_eq!((reply.status.as_u16(), reply.content_type), (200, "application/json"));
        assert_eq!(json(&reply.body), expect.answer, "{name}");
        let rides = channel.rides(&expect.form).unwrap();
        let mut profile = channel.profile("");
        profile.let_ride(rides);
        for action in &expect.actions {
            assert!(rides.contains(&action.name()), "{name}: {}", action.name());
            // What an answer has no place for does not come as far as that.
            let carried = degrade(action.clone(), &profile, NAME);
            assert_eq!(carried.actions, std::slice::from_ref(action), "{name}");
            assert_eq!(carried.notes, [], "{name}");
        }
    }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("a body of JSON")
}
