//! Every file of `fixtures/instabot` that is about the server: a request with the
//! event, the answer or the refusal that it becomes, or an action with the message and
//! the callback's text that it becomes.

use botyard_kernel::action::Action;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::PartId;
use botyard_kernel::log::Route;
use botyard_kernel::session::Facts;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    API_KEY, NAME, STREAM, channel, event, fixtures, read, rejection, request, told, with,
};
use crate::{Part, Received, To};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default = "post")]
    method: String,
    path: String,
    body: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    request: Request,
    event: EventBody,
    /// Absent where the request says none.
    facts: Option<Facts>,
    reply_to: Option<Value>,
    route: Option<Route>,
    #[serde(default = "nothing")]
    settings: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    request: Request,
    answer: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    request: Request,
    status: u16,
    answer: Value,
    #[serde(default = "nothing")]
    settings: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Out {
    action: Action,
    message: Value,
    text: String,
}

fn nothing() -> Value {
    json!({})
}

fn post() -> String {
    "POST".to_owned()
}

fn ask(settings: &Value, asked: &Request) -> Received {
    let method = Method::from_bytes(asked.method.as_bytes()).expect("a method");
    let body = match &asked.body {
        Value::String(text) => text.clone(),
        body => body.to_string(),
    };
    request(&*channel(with(settings)), &method, &asked.path, body.as_bytes())
}

#[test]
fn requests_become_events() {
    for (name, fixture) in fixtures("in.") {
        let expect: In = read(&name, fixture);
        let got = event(ask(&expect.settings, &expect.request));
        assert_eq!(got.body, expect.event, "{name}");
        assert_eq!(got.facts, expect.facts.unwrap_or_default(), "{name}");
        let reply_to = got.reply_to.as_deref().map(|it| super::parsed(it.as_bytes()));
        assert_eq!(reply_to, expect.reply_to, "{name}");
        assert_eq!(got.route, expect.route, "{name}");
        assert_eq!(got.conversation, NAME, "{name}");
        // A start cannot come twice to one conversation; all else can.
        let is_start = matches!(got.body, EventBody::Start(_));
        assert_eq!((got.request.is_none(), got.key), (is_start, None), "{name}");
        let mut raw = expect.request.body;
        for secret in ["apiKey", "streamId", "callbackUrl"] {
            raw.as_object_mut().expect("an object").shift_remove(secret);
        }
        assert_eq!(got.raw, Some(raw.to_string()), "{name}");
    }
}

#[test]
fn users_are_told() {
    for (name, fixture) in fixtures("user.") {
        let expect: Answered = read(&name, fixture);
        let reply = told(ask(&nothing(), &expect.request));
        assert_eq!(super::parsed(&reply.body), expect.answer, "{name}");
    }
}

#[test]
fn the_user_has_every_field_of_the_vendors_each_of_its_kind_and_no_other() {
    fn kinds(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), kinds(value))).collect()
            }
            Value::Array(items) => items.iter().map(kinds).collect(),
            Value::Null => Value::Null,
            Value::Bool(_) => "yes or no".into(),
            Value::Number(number) => if number.is_u64() { "whole" } else { "number" }.into(),
            Value::String(_) => "text".into(),
        }
    }
    let page = include_str!("../../../fixtures/instabot/client.get_user.json");
    let theirs = &super::parsed(page.as_bytes())["response"]["body"];
    for (name, fixture) in fixtures("user.") {
        let (ours, theirs) = (kinds(&fixture["answer"]), kinds(theirs));
        assert_eq!(ours.to_string(), theirs.to_string(), "{name}");
    }
}

#[test]
fn refusals_are_answered() {
    for (name, fixture) in fixtures("refused.") {
        let expect: Refused = read(&name, fixture);
        let rejection = rejection(ask(&expect.settings, &expect.request));
        let reply = channel(with(&expect.settings)).refusal(&rejection).expect("a body");
        assert_eq!(reply.status.as_u16(), expect.status, "{name}");
        assert_eq!(super::parsed(&reply.body), expect.answer, "{name}");
        assert!(!rejection.reason.contains(API_KEY), "{name}");
    }
}

#[test]
fn actions_become_messages_and_texts() {
    for (name, fixture) in fixtures("out.") {
        let expect: Out = read(&name, fixture);
        let channel = channel(super::settings());
        let id = PartId::from("t.0.0");
        let parts = [Part { id: &id, action: &expect.action, context: Some("{\"a\":1}") }];
        let to = To {
            desk_id: None,
            conversation: NAME,
            reply_to: Some("{\"callback\":\"https://client.example.invalid/a\"}"),
            form: "",
            ..To::default()
        };
        let answer = json!({ "messages": [expect.message], "streamId": STREAM });
        assert_eq!(super::parsed(&channel.answer(&to, &parts).body), answer, "{name}");
        let call = json!({ "streamId": STREAM, "text": expect.text });
        assert_eq!(super::parsed(&channel.call(&to, &parts).body), call, "{name}");
    }
}
