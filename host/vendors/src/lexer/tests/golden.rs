//! Every file of `fixtures/lexer`: a webhook with what is claimed of it, a token with
//! the call that it becomes, an answer with what it means.

use botyard_kernel::event::EventBody;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{TOKEN, with_dialect};
use crate::messenger::tests::{CONVERSATION, Request, Response, fixtures, read, receive, told};
use crate::{Outcome, Received, To};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct In {
    webhook: Value,
    /// The token of each event; `null` where it is not claimed.
    claims: Vec<Option<Value>>,
    /// What the events are, where the Messenger fixtures do not show it.
    events: Option<Vec<EventBody>>,
    conversations: Option<Vec<String>>,
    #[serde(default = "nothing")]
    dialect: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Out {
    token: Value,
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
fn messages_of_the_person_are_claimed() {
    for (name, fixture) in fixtures("lexer", "in.") {
        let expect: In = read(&name, fixture);
        let body = expect.webhook.to_string();
        let Received::Events { events, damaged } =
            receive(&*with_dialect(expect.dialect), body.as_bytes())
        else {
            panic!("{name}: no events")
        };
        assert!(damaged.is_empty(), "{name}: {damaged:?}");
        let claims = events.iter().map(|event| {
            event.acknowledge.as_deref().map(|token| serde_json::from_str(token).expect("JSON"))
        });
        assert_eq!(claims.collect::<Vec<Option<Value>>>(), expect.claims, "{name}");
        if let Some(bodies) = expect.events {
            let got = events.iter().map(|event| event.body.clone()).collect::<Vec<_>>();
            assert_eq!(got, bodies, "{name}");
        }
        if let Some(conversations) = expect.conversations {
            let got = events.iter().map(|event| event.conversation.clone()).collect::<Vec<_>>();
            assert_eq!(got, conversations, "{name}");
        }
    }
}

#[test]
fn all_else_is_as_on_a_messenger_channel() {
    let messenger = crate::connect("messenger", crate::messenger::tests::settings()).unwrap();
    for (name, fixture) in fixtures("messenger", "in.") {
        let body = fixture["webhook"].to_string();
        let mut got = receive(&*with_dialect(nothing()), body.as_bytes());
        if let Received::Events { events, .. } = &mut got {
            events.iter_mut().for_each(|event| event.acknowledge = None);
        }
        assert_eq!(got, receive(&*messenger, body.as_bytes()), "{name}");
    }
}

#[test]
fn tokens_become_calls() {
    for (name, fixture) in fixtures("lexer", "out.") {
        let expect: Out = read(&name, fixture);
        let channel = with_dialect(expect.dialect);
        let to = To::conversation(CONVERSATION);
        let call = channel.acknowledge(&to, &expect.token.to_string()).expect("a call");
        expect.request.check(&name, &call, "<ACCESS_TOKEN>", TOKEN);
        let outcome = channel.outcome(&expect.response.answer());
        assert_eq!(outcome, Outcome::DELIVERED, "{name}");
    }
}

#[test]
fn errors_mean_what_they_say() {
    for (name, fixture) in fixtures("lexer", "err.") {
        let expect: Error = read(&name, fixture);
        let outcome = with_dialect(nothing()).outcome(&expect.response.answer());
        assert_eq!(told(&outcome), expect.outcome, "{name}: {outcome:?}");
        assert!(!format!("{outcome:?}").contains("12345"), "{name}");
    }
}
