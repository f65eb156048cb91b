//! Both twins on this machine's own address.

use serde_json::{Value, json};

use super::*;
use crate::account::{Conduct, Twin};
use crate::faults::{Fault, Faults};
use crate::host::{self, Heard, Host};

const EMAIL: &str = "guest@example.invalid";

fn client(has_callback: bool) -> Twin<Client> {
    let options = Options { api_key: "API_KEY".to_owned(), bot_id: 474_960_032, has_callback };
    start_client(options, Conduct::default()).unwrap()
}

fn flow() -> Vec<Node> {
    let options = [("Option 1", 478_137_613), ("Option 2", 478_137_614)];
    let options = options.map(|(title, payload)| (title.to_owned(), payload)).to_vec();
    vec![
        Node::Say("Hello!".to_owned()),
        Node::Choose("Please choose an option".to_owned(), options),
        Node::Ask("Your name?".to_owned()),
        Node::Say("Thanks!".to_owned()),
    ]
}

fn instabot() -> Twin<Bot> {
    start_bot("API_KEY", 474_960_032, flow(), Conduct::default()).unwrap()
}

async fn post(twin: &Twin<Bot>, path: &str, body: &Value) -> (u16, Value) {
    let headers = [("content-type", "application/json")];
    host::call(twin, "POST", path, &headers, body.to_string()).await
}

#[tokio::test]
async fn the_client_and_the_bot_understand_each_other() {
    let (client, bot) = (client(true), instabot());
    let account = client.account();
    account.point(BASE, &bot.url());
    account.write(EMAIL, "early").await.expect_err("no chat was begun");
    assert_eq!(account.begin(EMAIL).await.reason(), "");
    let stream = account.stream(EMAIL).unwrap();
    account.tap(EMAIL, "Option 9").await.expect_err("it was not offered");
    assert_eq!(account.tap(EMAIL, "Option 1").await.unwrap().reason(), "");
    account.tap(EMAIL, "Option 1").await.expect_err("another question is open");
    account.write(EMAIL, "Mara").await.unwrap();
    assert_eq!(
        account.texts(EMAIL),
        ["Hello!", "Please choose an option", "Your name?", "Thanks!"]
    );
    let heard = bot.account().seen(&stream);
    let values: Vec<_> = heard.iter().map(|seen| &seen.value).collect();
    assert_eq!(
        values,
        [
            &json!({ "email": EMAIL }),
            &json!({ "text": "Option 1", "payload": 478_137_613 }),
            &json!({ "text": "Mara" }),
        ]
    );
    assert!(account.ask_for(EMAIL).await.is_delivered());
    assert_eq!(account.seen(EMAIL).last().unwrap().value["username"], EMAIL);

    let agent = bot.account();
    assert!(agent.agent_says(&stream, "I am Joe").await.unwrap().is_delivered());
    account.write(EMAIL, "hi Joe").await.unwrap();
    assert!(agent.agent_leaves(&stream).await.unwrap().is_delivered());
    let texts = account.texts(EMAIL);
    assert_eq!(texts[4..], ["I am Joe", "Agent has ended this live session"]);
}

#[tokio::test]
async fn requests_have_the_form_of_the_page() {
    let answer = r#"{"messages":[{"text":"x"}],"streamId":"7"}"#;
    let host = Host::start(move |_, _: &Heard| (200, answer.to_owned()));
    let client = client(true);
    client.account().point(BASE, &host.url());
    client.account().begin(EMAIL).await;
    client.account().write(EMAIL, "hi").await.unwrap();
    client.account().ask_for(EMAIL).await;
    let heard = host.heard();
    let begun = heard[0].json();
    assert!(begun["callbackUrl"].as_str().unwrap().starts_with("http://127.0.0.1:"));
    assert_eq!((&begun["start"], &begun["botId"]), (&json!(true), &json!(474_960_032)));
    assert_eq!(heard[1].json(), json!({ "streamId": "7", "message": { "text": "hi" } }));
    assert_eq!(heard[2].json(), json!({ "apiKey": "API_KEY", "email": EMAIL }));
    let paths: Vec<_> = heard.iter().map(|it| it.path.rsplit("/bot").next().unwrap()).collect();
    assert_eq!(paths, ["/secure/send", "/secure/send", "/secure/user"]);
}

#[tokio::test]
async fn answers_are_judged() {
    let reply = |payload: Value| {
        json!({ "streamId": "7", "messages": [{ "text": "x",
        "quick_replies": [{ "content_type": "text", "title": "t", "payload": payload }] }] })
    };
    let rows = [
        (json!({ "messages": [], "streamId": "7" }), ""),
        (reply(json!(-5)), ""),
        (reply(json!("5")), "not a whole number"),
        (reply(json!(1.5)), "not a whole number"),
        (json!({ "messages": [{ "text": "x" }] }), "streamId"),
        (json!({ "messages": [], "streamId": 7 }), "streamId"),
        (json!({ "messages": [], "streamId": "7a" }), "digits"),
        (json!({ "streamId": "7" }), "messages"),
        (json!({ "messages": [{ "text": "" }], "streamId": "7" }), "empty text"),
        (json!({ "messages": [{ "text": "x", "quick_replies": [] }], "streamId": "7" }), "0"),
        (json!({ "messages": [{ "text": "x", "image": "y" }], "streamId": "7" }), "image"),
        (json!([]), "without a payload object"),
    ];
    for (answer, words) in rows {
        let answered = answer.to_string();
        let host = Host::start(move |_, _: &Heard| (200, answered.clone()));
        let client = client(false);
        client.account().point(BASE, &host.url());
        let delivery = client.account().begin(EMAIL).await;
        assert!(delivery.reason().contains(words), "{answer}: {}", delivery.reason());
        assert_eq!(delivery.reason().is_empty(), words.is_empty(), "{answer}");
        assert!(host.heard()[0].json().get("callbackUrl").is_none());
    }
}

#[tokio::test]
async fn an_answer_belongs_to_its_chat() {
    let host = Host::start(|number, _: &Heard| {
        let stream = if number == 2 { "8" } else { "7" };
        (200, json!({ "messages": [{ "text": "x" }], "streamId": stream }).to_string())
    });
    let client = client(false);
    client.account().point(BASE, &host.url());
    assert_eq!(client.account().begin(EMAIL).await.reason(), "");
    let other = client.account().write(EMAIL, "hi").await.unwrap();
    assert_eq!(other.reason(), "the answer is one of another chat");
    let second = client.account().begin("other@example.invalid").await;
    assert_eq!(second.reason(), "a new chat with the id of another one");
    assert_eq!(client.account().texts(EMAIL), ["x"]);
}

#[tokio::test]
async fn the_callback_takes_words_for_known_chats() {
    let host =
        Host::start(|_, _: &Heard| (200, json!({ "messages": [], "streamId": "7" }).to_string()));
    let rows = [
        (200, "POST", "/agent", json!({ "streamId": "7", "text": "hi" })),
        (404, "POST", "/agent", json!({ "streamId": "8", "text": "hi" })),
        (400, "POST", "/agent", json!({ "streamId": 7, "text": "hi" })),
        (400, "POST", "/agent", json!({ "streamId": "7", "text": "" })),
        (400, "POST", "/agent", json!({ "streamId": "7", "text": "hi", "from": "Joe" })),
        (405, "PUT", "/agent", json!({ "streamId": "7", "text": "hi" })),
        (404, "POST", "/elsewhere", json!({ "streamId": "7", "text": "hi" })),
    ];
    let with = client(true);
    with.account().point(BASE, &host.url());
    with.account().begin(EMAIL).await;
    for (expected, method, path, body) in rows {
        let (status, _) = host::call(&with, method, path, &[], body.to_string()).await;
        assert_eq!(status, expected, "{method} {path} {body}");
    }
    assert_eq!(with.account().texts(EMAIL), ["hi"]);
    let without = client(false);
    let body = json!({ "streamId": "7", "text": "hi" }).to_string();
    assert_eq!(host::call(&without, "POST", "/agent", &[], body).await.0, 404);
}

#[tokio::test]
async fn the_bot_takes_what_the_page_shows_and_nothing_else() {
    let bot = instabot();
    let begin = json!({ "apiKey": "API_KEY", "start": true, "botId": 474_960_032, "email": EMAIL });
    let with = |key: &str, value: Value| {
        let mut body = begin.clone();
        body[key] = value;
        body
    };
    let (status, begun) = post(&bot, "/secure/send", &begin).await;
    assert_eq!(status, 200);
    let stream = begun["streamId"].as_str().unwrap();
    let respond = |message: Value| json!({ "streamId": stream, "message": message });
    let rows = [
        (401, "/secure/send", with("apiKey", json!("guess"))),
        (400, "/secure/send", with("start", json!(false))),
        (400, "/secure/send", with("botId", json!("474960032"))),
        (404, "/secure/send", with("botId", json!(1))),
        (400, "/secure/send", with("email", json!(""))),
        (400, "/secure/send", with("callbackUrl", json!("nowhere"))),
        (400, "/secure/send", with("metadata", json!("x"))),
        (400, "/secure/send", with("colour", json!("red"))),
        (400, "/secure/send", respond(json!({ "payload": 478_137_613 }))),
        (400, "/secure/send", respond(json!({ "text": "Option 1" }))),
        (400, "/secure/send", respond(json!({ "text": "Option 1", "payload": "478137613" }))),
        (400, "/secure/send", respond(json!({ "text": "Option 3", "payload": 3 }))),
        (404, "/secure/send", json!({ "streamId": "1", "message": { "text": "x" } })),
        (200, "/secure/send", respond(json!({ "text": "Option 1", "payload": 478_137_613 }))),
        (200, "/secure/user", json!({ "apiKey": "API_KEY", "email": EMAIL })),
        (401, "/secure/user", json!({ "apiKey": "guess", "email": EMAIL })),
        (400, "/secure/user", json!({ "apiKey": "API_KEY" })),
        (404, "/secure/else", json!({})),
    ];
    for (expected, path, body) in rows {
        let (status, answer) = post(&bot, path, &body).await;
        assert_eq!(status, expected, "{path} {body}: {answer}");
    }
    assert_eq!(bot.account().seen(stream).len(), 2);
    assert!(bot.account().agent_says(stream, "hi").await.is_none(), "it named no callback");
}

#[tokio::test]
async fn a_bot_that_says_what_it_hears_does_so_until_it_is_told_that_this_is_all() {
    let (bye, done) = ("; bye".to_owned(), "Done.".to_owned());
    let flow = vec![Node::Echo { bye, done }];
    let bot = start_bot("API_KEY", 474_960_032, flow, Conduct::default()).unwrap();
    let callback = "http://127.0.0.1:1/callback";
    let begin = json!({
        "apiKey": "API_KEY", "start": true, "botId": 474_960_032, "email": EMAIL,
        "callbackUrl": callback,
    });
    let (_, begun) = post(&bot, "/secure/send", &begin).await;
    let stream = begun["streamId"].as_str().unwrap();
    assert_eq!(begun["messages"], json!([]));
    let say = async |text: &str| {
        let body = json!({ "streamId": stream, "message": { "text": text } });
        post(&bot, "/secure/send", &body).await.1["messages"].clone()
    };
    assert_eq!(say("one").await, json!([{ "text": heard("one") }]));
    assert_eq!(say("two; bye").await, json!([{ "text": heard("two; bye") }, { "text": "Done." }]));
    // While a live agent has the chat, the bot says nothing.
    let account = bot.account();
    assert_eq!(account.streams(), [stream]);
    assert_eq!(account.callback(stream).as_deref(), Some(callback));
    assert!(account.ask_agent(stream, "I am Joe").is_some());
    assert_eq!(say("three").await, json!([]));
    assert!(account.ask_agent(stream, LEFT).is_some());
    assert_eq!(say("four").await, json!([{ "text": heard("four") }]));
    let agents = account.agents(stream).into_iter().map(|(_, text)| text);
    assert_eq!(agents.collect::<Vec<_>>(), ["I am Joe", LEFT]);
}

#[tokio::test]
async fn faults_meet_both() {
    let bot = instabot();
    bot.account().set_faults(Faults::seeded(1).with(Fault::CutAfter, 1.0));
    let begin = json!({ "apiKey": "API_KEY", "start": true, "botId": 474_960_032, "email": EMAIL });
    assert_eq!(post(&bot, "/secure/send", &begin).await.0, 0);
    assert_eq!(bot.account().seen("478158890").len(), 1);
    let bot = instabot();
    let client = client(true);
    client.account().point(BASE, &bot.url());
    client.account().set_faults(Faults::seeded(1).with(Fault::Tear, 1.0));
    assert!(!client.account().begin(EMAIL).await.is_delivered());
    assert!(client.account().stream(EMAIL).is_none());
}
