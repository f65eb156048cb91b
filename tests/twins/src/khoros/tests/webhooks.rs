//! What the bot is told.

use super::*;
use crate::faults::{Fault, Faults};
use crate::host::Heard;
use crate::sign::{hex, hmac_sha256};

fn ok(_: usize, _: &Heard) -> (u16, String) {
    (202, String::new())
}

#[tokio::test]
async fn a_new_conversation_is_the_bots_and_is_told_after_its_first_message() {
    let host = Host::start(ok);
    let bot = Bot::start(options(), &host.url());
    bot.twin.account().write(AUTHOR, "I need help.").await;
    bot.twin.account().write(AUTHOR, "Hello?").await;
    let heard = host.heard();
    let events: Vec<_> = heard.iter().map(Heard::json).collect();
    let kinds: Vec<_> = events.iter().map(|event| (&event["type"], &event["operation"])).collect();
    let message = (&json!("message"), &Value::Null);
    assert_eq!(kinds, [message, (&json!("update"), &json!("CREATED")), message]);
    let first = &events[0];
    assert_eq!(first["text"], "I need help.");
    assert_eq!(first["owner"], json!({ "type": "BOT", "appId": "acme-bot" }));
    assert_eq!(first["author"]["id"], AUTHOR);
    assert!(first["publishedTS"].is_u64() && first["receivedTS"].is_u64());
    assert_eq!(first["coordinate"]["botId"], "acme-bot");
    assert_eq!(first["coordinate"]["scope"], "PRIVATE");
    assert_ne!(first["coordinate"]["messageId"], events[2]["coordinate"]["messageId"]);
    assert!(events[1]["conversation"]["displayId"].is_u64());
    // khoros:hook
    assert!(heard.iter().all(|it| it.header("authorization") == "Basic a2hvcm9zOmhvb2s="));
}

#[tokio::test]
async fn hmac_signs_the_bytes_in_the_form_that_was_set() {
    for base64 in [false, true] {
        let host = Host::start(ok);
        let hmac = Hmac { header: "X-Sig".to_owned(), prefix: "v1=".to_owned(), base64 };
        let bot = Bot::start(Options { hmac, ..options() }, &host.url());
        bot.twin.account().register(&host.url(), "HMAC", "khoros", "hook").unwrap();
        bot.twin.account().write(AUTHOR, "x").await;
        let heard = &host.heard()[0];
        let digest = hmac_sha256("hook", &heard.body);
        use base64::Engine as _;
        let expected =
            if base64 { base64::prelude::BASE64_STANDARD.encode(&digest) } else { hex(&digest) };
        assert_eq!(heard.header("x-sig"), format!("v1={expected}"));
    }
    let bot = Bot::start(options(), "http://127.0.0.1:9/");
    let refused = bot.twin.account().register("http://127.0.0.1:9/", "TELEPATHY", "a", "b");
    assert_eq!(refused, Err("credentials.type is invalid".to_owned()));
}

#[tokio::test]
async fn every_act_has_its_form() {
    let bot = Bot::spoken(options());
    let account = bot.twin.account();
    let event = |act| {
        let webhooks = account.act(AUTHOR, act).unwrap();
        assert_eq!(webhooks.len(), 1);
        serde_json::from_slice::<Value>(&webhooks[0].body).unwrap()
    };
    let comment = event(Act::Comment("Is breakfast included?".to_owned()));
    assert_eq!(comment["coordinate"]["scope"], "PUBLIC");
    let media = event(Act::Media("https://a.example/p".to_owned(), "IMAGE".to_owned()));
    assert_eq!(media["media"], json!([{ "url": "https://a.example/p", "mediaType": "IMAGE" }]));
    assert!(event(Act::Mute).get("text").is_none());
    account.act(AUTHOR, Act::Tap("HELP".to_owned())).expect_err("nobody offered it");
    let action = json!({ "type": "postback", "payload": "HELP", "text": "Help" });
    let offer = json!({ "type": "message", "actions": [action], "owner": { "type": "BOT", "appId": "acme-bot" },
        "publishedTS": 1, "receivedTS": 2 });
    assert_eq!(bot.respond(offer).await.0, 202);
    assert_eq!(event(Act::Tap("HELP".to_owned()))["actions"], json!([action]));
}

#[tokio::test]
async fn the_bot_hears_everything_also_of_agents() {
    let host = Host::start(ok);
    let bot = Bot::start(options(), &host.url());
    let account = bot.twin.account();
    account.write(AUTHOR, "hello").await;
    let body = addressed(json!({ "type": "control", "owner": { "type": "AGENT" } }));
    assert_eq!(bot.call("PUT", "control", &body).await.0, 200);
    host.wait(3).await;
    account.write(AUTHOR, "Are you there?").await;
    for webhook in [
        account.agent_says(AUTHOR),
        account.hand_back(AUTHOR),
        account.take_over(AUTHOR),
        account.close(AUTHOR),
    ] {
        account.deliver(webhook.unwrap()).await;
    }
    let told: Vec<_> = host.heard()[2..]
        .iter()
        .map(|heard| {
            let event = heard.json();
            let word = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
            let owner = event["owner"]["type"].as_str().unwrap().to_owned();
            (word("type"), word("operation"), owner)
        })
        .collect();
    let row = |kind: &str, operation: &str, owner: &str| {
        (kind.to_owned(), operation.to_owned(), owner.to_owned())
    };
    assert_eq!(
        told,
        [
            row("control", "", "AGENT"),
            row("message", "", "AGENT"),
            row("update", "AGENT_RESPONSE", "AGENT"),
            row("control", "", "BOT"),
            row("control", "", "AGENT"),
            row("update", "CLOSED", "BOT"),
        ]
    );
    assert_eq!(account.owner(AUTHOR).as_deref(), Some("BOT"));
}

#[tokio::test]
async fn faults_meet_webhooks() {
    let rows = [(Fault::Duplicate, 2, true), (Fault::Tear, 6, false), (Fault::SlowRead, 1, true)];
    for (fault, sendings, delivered) in rows {
        let host = Host::start(ok);
        let bot = Bot::start(options(), &host.url());
        bot.twin.account().set_faults(Faults::seeded(1).with(fault, 1.0));
        let delivery = bot.twin.account().write(AUTHOR, "x").await.remove(0);
        assert_eq!(
            (delivery.sendings.len(), delivery.is_delivered()),
            (sendings, delivered),
            "{fault:?}"
        );
        assert!(host.heard().windows(2).take(sendings - 1).all(|two| two[0].body == two[1].body));
    }
}
