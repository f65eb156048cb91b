//! The client: its calls, what it reads, and that it gets along with our own server.

use botyard_kernel::action::Action;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::PartId;
use bytes::Bytes;
use http::StatusCode;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::client::{Answer, Client, NewChat, QuickReply};
use super::super::token_number;
use super::settings as server_settings;
use super::{
    API_KEY, BOT_ID, EMAIL, NAME, STREAM, channel, event, fixtures, parsed, read, request,
};
use crate::{Call, CallAnswer, Outcome, Part, To};

fn client(dialect: Value) -> Client {
    let base_url = "https://api.instabot.io/v1";
    let settings =
        json!({ "base-url": base_url, "api-key": API_KEY, "bot-id": BOT_ID, "dialect": dialect });
    Client::connect(settings).expect("settings")
}

fn answered(status: u16, body: impl Into<Bytes>) -> CallAnswer {
    let status = StatusCode::from_u16(status).expect("a status");
    CallAnswer::Answered {
        status,
        retry_after_ms: None,
        body: body.into(),
        headers: http::HeaderMap::new(),
    }
}

fn shown(answer: &Answer) -> Value {
    let reply = |it: &QuickReply| json!({ "title": it.title, "payload": it.payload });
    let messages = answer.messages.iter().map(|it| {
        json!({ "text": it.text, "quick_replies": it.quick_replies.iter().map(reply).collect::<Vec<_>>() })
    });
    json!({
        "stream_id": answer.stream_id,
        "messages": messages.collect::<Vec<_>>(),
        "unreadable": answer.unreadable,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    call: Made,
    request: Value,
    response: Value,
    read: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Made {
    Start { email: String, callback_url: Option<String>, metadata: Option<Map<String, Value>> },
    Respond { stream_id: String, text: String, payload: Option<i64> },
    GetUser { email: String },
}

fn call(client: &Client, made: &Made) -> Call {
    match made {
        Made::Start { email, callback_url, metadata } => client.start(&NewChat {
            email,
            callback_url: callback_url.as_deref(),
            metadata: metadata.as_ref(),
        }),
        Made::Respond { stream_id, text, payload } => client.respond(stream_id, text, *payload),
        Made::GetUser { email } => client.get_user(email),
    }
}

#[test]
fn calls_and_their_answers() {
    for (name, fixture) in fixtures("client.") {
        let expect: Exchange = read(&name, fixture);
        let client = client(json!({}));
        let call = call(&client, &expect.call);
        let request = json!({
            "method": call.method.as_str(),
            "url": call.url,
            "headers": { "Content-Type": call.headers["content-type"].to_str().unwrap() },
            "body": parsed(&call.body),
        });
        assert_eq!(request, expect.request, "{name}");
        assert_eq!(call.headers.len(), 1, "{name}");
        assert!(!format!("{call:?}").contains(API_KEY), "{name}");
        let status = u16::try_from(expect.response["status"].as_u64().unwrap()).unwrap();
        let answer = answered(status, expect.response["body"].to_string());
        let got = match &expect.call {
            Made::GetUser { .. } => {
                let user = client.user(&answer).expect("a user");
                assert_eq!(Value::Object(user.all), expect.response["body"], "{name}");
                json!({
                    "object_id": user.object_id,
                    "friendly_name": user.friendly_name,
                    "is_default_friendly_name": user.is_default_friendly_name,
                    "create_date": user.create_date,
                })
            }
            Made::Start { .. } | Made::Respond { .. } => {
                shown(&client.answer(&answer).expect("an answer"))
            }
        };
        assert_eq!(got, expect.read, "{name}");
    }
}

#[test]
fn what_agents_write_is_read() {
    for (name, fixture) in fixtures("agent.") {
        let got =
            client(fixture["dialect"].clone()).agent_text(fixture["body"].to_string().as_bytes());
        let got = got.unwrap_or_else(|error| panic!("{name}: {error}"));
        let got = json!({ "stream_id": got.stream_id, "text": got.text, "left": got.left });
        assert_eq!(got, fixture["read"], "{name}");
    }
}

#[test]
fn what_no_agent_wrote_is_refused() {
    let rows = [
        ("", "not a JSON object"),
        ("[]", "not a JSON object"),
        ("{\"text\":\"hi\"}", "`streamId`"),
        ("{\"streamId\":\"\",\"text\":\"hi\"}", "`streamId`"),
        ("{\"streamId\":[],\"text\":\"hi\"}", "`streamId`"),
        ("{\"streamId\":\"1\"}", "`text`"),
        ("{\"streamId\":\"1\",\"text\":7}", "`text`"),
    ];
    for (body, expect) in rows {
        let error = client(json!({})).agent_text(body.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(expect), "{body}: {error}");
    }
}

#[test]
fn the_answer_as_the_page_prints_it_is_read() {
    let printed = include_str!("../../../fixtures/instabot/start_chat_as_printed.txt");
    assert!(serde_json::from_str::<Value>(printed).is_err(), "it has a comma too many");
    let exchange = fixtures("client.start_chat.json").remove(0).1;
    let got = client(json!({})).answer(&answered(200, printed)).expect("an answer");
    assert_eq!(shown(&got), exchange["read"]);
}

#[test]
fn commas_in_texts_stay() {
    let rows = [
        (r#"{"messages":[{"text":"a,]\",}"},],}"#, r#"a,]",}"#),
        (r#"{"messages":[{"text":"\\",},]}"#, r"\"),
        ("{\"messages\":[{\"text\":\"é,\" , \n},]}", "é,"),
    ];
    for (body, text) in rows {
        let got = client(json!({})).answer(&answered(200, body)).expect(body);
        assert_eq!(got.messages[0].text, text, "{body}");
    }
    for body in [r#"{"messages":[{"text":"a"},,]}"#, r#"{"messages":[,{"text":"a"}]}"#] {
        assert!(client(json!({})).answer(&answered(200, body)).is_err(), "{body}");
    }
}

#[test]
fn what_is_not_as_documented_is_left_out_and_counted() {
    let body = json!({ "messages": [
        { "text": "one" },
        7,
        { "image": "https://img.example.invalid/1" },
        { "quick_replies": [
            { "content_type": "text", "title": "A", "payload": 1 },
            { "content_type": "text", "title": "B", "payload": "2" },
            { "content_type": "text", "payload": 3 },
        ] },
    ] });
    let got = client(json!({})).answer(&answered(200, body.to_string())).expect("an answer");
    let expect = json!({
        "stream_id": null,
        "messages": [
            { "text": "one", "quick_replies": [] },
            { "text": "", "quick_replies": [
                { "title": "A", "payload": 1 },
                { "title": "B", "payload": null },
            ] },
        ],
        "unreadable": 3,
    });
    assert_eq!(shown(&got), expect);
}

/// A live agent has the chat: nothing is said at once, in whatever form.
#[test]
fn an_answer_of_success_without_messages_says_nothing_and_ends_nothing() {
    let known = client(json!({}));
    for body in ["", " \n", "{}", r#"{"messages":null}"#, r#"{"messages":[]}"#] {
        let answer = known.answer(&answered(200, body)).unwrap_or_else(|_| panic!("{body:?}"));
        assert_eq!((answer.messages.len(), answer.stream_id, answer.unreadable), (0, None, 0));
    }
    let answer = known.answer(&answered(200, r#"{"streamId":"77"}"#)).expect("an answer");
    assert_eq!(answer.stream_id.as_deref(), Some("77"));
}

#[test]
fn failures_mean() {
    let known = client(json!({ "gone-statuses": [410] }));
    let envelope =
        json!({ "apiStatusCode": "InvalidApiKey", "apiStatusMessage": "echo of a secret" });
    let code_of_a_stranger = json!({ "apiStatusCode": "echo of a secret" });
    let rows = [
        (answered(200, "echo of a secret"), "fatal, vendor", "no JSON object"),
        (answered(200, r#"{"messages":7}"#), "fatal, vendor", "no list of `messages`"),
        (answered(200, envelope.to_string()), "fatal, vendor", "`InvalidApiKey`"),
        (answered(200, code_of_a_stranger.to_string()), "fatal, vendor", "cannot be read"),
        (answered(301, ""), "fatal, tenant", "`base-url`"),
        (answered(400, "echo of a secret"), "fatal, tenant", "`bot-id`"),
        (answered(401, ""), "retry, tenant", "`api-key`"),
        (answered(404, ""), "fatal, tenant", "`base-url`"),
        (answered(410, ""), "gone", "`gone-statuses`"),
        (answered(429, ""), "retry, vendor", "cannot take calls now"),
        (answered(500, ""), "retry ambiguous, vendor", "may have acted"),
        (answered(503, ""), "retry, vendor", "cannot take calls now"),
        (CallAnswer::Lost("timeout".to_owned()), "retry ambiguous, vendor", "timeout"),
        (CallAnswer::NotSent("no host".to_owned()), "retry, host", "no host"),
    ];
    for (answer, expect, word) in rows {
        for outcome in [known.answer(&answer).unwrap_err(), known.user(&answer).unwrap_err()] {
            let (brief, reason) = match outcome {
                Outcome::Retry { ambiguous, reason, blame, .. } => {
                    let ambiguous = if ambiguous { " ambiguous" } else { "" };
                    (format!("retry{ambiguous}, {}", blame.name()), reason)
                }
                Outcome::Fatal { reason, blame } => (format!("fatal, {}", blame.name()), reason),
                Outcome::Taken(reason) => ("taken".to_owned(), reason),
                Outcome::Gone(reason) => ("gone".to_owned(), reason),
                Outcome::Delivered { .. } => panic!("{answer:?}"),
            };
            assert_eq!(brief, expect, "{answer:?}");
            assert!(reason.contains(word) || reason.contains("it is no user"), "{reason}");
            assert!(!reason.contains("echo of a secret"), "{reason}");
        }
    }
}

#[test]
fn wrong_settings_are_told_in_words() {
    let with = |changes: &Value| {
        let settings =
            json!({ "base-url": "https://a.invalid/", "api-key": "71077345", "bot-id": 7 });
        super::changed(settings, changes)
    };
    let rows = [
        (json!({ "base-url": null }), "`base-url` is missing"),
        (json!({ "base-url": "a.invalid" }), "`base-url` must be a whole address"),
        (json!({ "api-key": null }), "`api-key` is missing"),
        (json!({ "api-key": 7 }), "`api-key` must be a text"),
        (json!({ "bot-id": null }), "`bot-id` is missing"),
        (json!({ "bot-id": "7" }), "`bot-id` is wrong"),
        (json!({ "colour": 7 }), "no setting `colour`"),
        (json!({ "dialect": { "colour": 7 } }), "unknown field `colour`"),
    ];
    for (changes, expect) in rows {
        let error = Client::connect(with(&changes)).expect_err(expect).to_string();
        assert!(error.contains(expect) && !error.contains("71077345"), "{changes}: {error}");
    }
    let client = Client::connect(with(&json!({}))).expect("settings");
    assert_eq!(client.get_user(EMAIL).url, "https://a.invalid/secure/user");
    assert!(!format!("{client:?}").contains("71077345"));
}

/// Whatever came, something is read or refused.
pub(super) fn check(body: &[u8]) {
    let client = client(json!({}));
    let answer = answered(200, body.to_vec());
    if let Err(outcome) = client.answer(&answer) {
        assert!(matches!(outcome, Outcome::Fatal { .. }), "{outcome:?}");
    }
    let _ = client.user(&answer);
    let _ = client.agent_text(body);
}

fn asked(call: &Call) -> crate::Received {
    let path = call.url.strip_prefix("https://api.instabot.io/v1/").expect("an address");
    request(&*channel(server_settings()), &call.method, path, &call.body)
}

#[test]
fn our_server_takes_what_our_client_sends() {
    let client = client(json!({}));
    let metadata = json!({ "page": "pricing" });
    let started = event(asked(&client.start(&NewChat {
        email: EMAIL,
        callback_url: Some("https://client.example.invalid/a"),
        metadata: metadata.as_object(),
    })));
    assert_eq!(started.conversation, NAME);
    let answer = channel(server_settings()).answer(&To::conversation(NAME), &[]);
    let answer = client.answer(&answered(200, answer.body)).expect("an answer");
    assert_eq!(answer.stream_id.as_deref(), Some(STREAM));
    let user = super::told(asked(&client.get_user(EMAIL)));
    let user = client.user(&answered(200, user.body)).expect("a user");
    assert_eq!((user.friendly_name.as_deref(), user.object_id), (Some(EMAIL), Some(762_332_581)));
}

proptest! {
    #[test]
    fn an_option_goes_to_the_client_and_comes_back(
        options in prop::collection::vec((".{0,30}|[0-9]{1,16}", ".{1,30}"), 1..6),
        tapped in any::<prop::sample::Index>(),
    ) {
        let client = client(json!({}));
        let (server, to) = (channel(server_settings()), To::conversation(NAME));
        let listed: Vec<_> = options.iter().map(|(id, label)| json!({ "id": id, "label": label })).collect();
        let menu: Action = serde_json::from_value(
            json!({ "name": "bubbles", "payload": { "text": "t", "options": listed } }),
        ).unwrap();
        let id = PartId::from("t.0.0");
        let reply = server.answer(&to, &[Part { id: &id, action: &menu, context: None }]);
        let answer = client.answer(&answered(200, reply.body)).expect("an answer");
        prop_assert_eq!(answer.unreadable, 0);
        let at = tapped.index(options.len());
        let reply = &answer.messages[0].quick_replies[at];
        let said = event(asked(&client.respond(STREAM, &reply.title, reply.payload)));
        let EventBody::Click(click) = said.body else { panic!("a click") };
        let (id, label) = &options[at];
        prop_assert_eq!(click.label.as_ref(), Some(label));
        let came = &click.option_ids[0];
        prop_assert!(came == id || *came == format!("#{}", token_number(id)), "{came}");
    }
}
