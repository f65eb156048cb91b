//! Tokens, registrations, and who owns a conversation.

use std::time::Duration;

use super::*;
use crate::host::Heard;

const SHOW: &str = "registrations/network/facebook/externalId/410088123456789/appId/acme-bot";

fn hand_off() -> Value {
    addressed(
        json!({ "type": "control", "owner": { "type": "AGENT" }, "comment": "wants a person" }),
    )
}

#[tokio::test]
async fn tokens_are_made_refreshed_and_thrown_away() {
    let old_token_life = Duration::from_millis(150);
    let mut bot = Bot::spoken(Options { old_token_life, ..options() });
    let make = "/api/v2/tokens/khorosapi/ownerId/acme-bot";
    // admin:password
    let known = [("authorization", "Basic YWRtaW46cGFzc3dvcmQ=")];
    let (status, made) = host::call(&bot.twin, "POST", make, &known, "").await;
    assert_eq!((status, &made["status"]), (200, &json!("success")));
    assert!(made["data"]["expiresAtMillis"].as_u64().unwrap() > 1_700_000_000_000);
    let (status, body) = bot.respond(say("x")).await;
    assert_eq!((status, &body["error"]["message"]), (401, &json!("Unauthorized")), "one is active");
    bot.token = made["data"]["token"].as_str().unwrap().to_owned();
    assert_eq!(bot.token.split('.').count(), 3);
    assert_eq!(bot.respond(say("1")).await.0, 202);

    let (status, refreshed) = bot.call("PUT", "tokens/appId/acme-bot", &Value::Null).await;
    assert_eq!(status, 200);
    assert!(refreshed["requestId"].is_string());
    assert_eq!(bot.respond(say("2")).await.0, 202, "the old one is still valid");
    tokio::time::sleep(old_token_life * 2).await;
    assert_eq!(bot.respond(say("3")).await.0, 401);
    assert_eq!(bot.call("PUT", "tokens/appId/acme-bot", &Value::Null).await.0, 400);
    bot.token = refreshed["data"]["token"].as_str().unwrap().to_owned();
    assert_eq!(bot.respond(say("4")).await.0, 202);
    assert_eq!(bot.call("DELETE", "tokens/appId/acme-bot", &Value::Null).await, (200, json!({})));
    assert_eq!(bot.respond(say("5")).await.0, 401);
    let wrong = [("authorization", "Basic YWRtaW46Z3Vlc3M=")];
    assert_eq!(host::call(&bot.twin, "POST", make, &wrong, "").await.0, 401);

    let bot = Bot::spoken(Options { token_life: Duration::ZERO, ..options() });
    assert_eq!(bot.respond(say("x")).await.0, 401, "it has run out");
    let (status, body) = bot.call("GET", "elsewhere", &Value::Null).await;
    assert_eq!((status, why(&body)), (404, "there is no GET /bots/v3/elsewhere"));
}

#[tokio::test]
async fn a_hand_off_needs_a_conversation_and_its_owner() {
    let bot = Bot::start(options(), "http://127.0.0.1:9/");
    let account = bot.twin.account();
    account.act(AUTHOR, Act::Write("hello".to_owned())).unwrap();
    assert_eq!(bot.call("PUT", "control", &hand_off()).await.0, 404, "too early");
    account.create(AUTHOR);
    account.conflict_next(1);
    assert_eq!(bot.call("PUT", "control", &hand_off()).await.0, 409);
    let (status, answer) = bot.call("PUT", "control", &hand_off()).await;
    assert_eq!(status, 200);
    assert_eq!(answer["data"]["owner"], json!({ "type": "AGENT" }));
    assert!(answer["data"]["conversationDisplayId"].is_string(), "{answer}");
    assert!(answer["data"]["lastUpdateTS"].is_string(), "{answer}");
    assert_eq!(account.owner(AUTHOR).as_deref(), Some("AGENT"));
    let (status, refused) = bot.respond(say("x")).await;
    assert_eq!(status, 403);
    assert!(why(&refused).starts_with("This bot doesn't own the conversation"), "{refused}");
    assert_eq!(bot.call("PUT", "control", &hand_off()).await.0, 403);
    let path = format!("control/network/facebook/externalId/410088123456789/author/{AUTHOR}");
    let (_, owner) = bot.call("GET", &path, &Value::Null).await;
    assert_eq!(owner["data"]["owner"]["type"], "AGENT");
    assert!(owner["data"]["lastUpdatedTS"].is_u64());
    account.hand_back(AUTHOR);
    assert_eq!(bot.respond(say("back")).await.0, 202);
    for (expected, owner) in [
        (400, json!({ "type": "BOT", "appId": "nobody" })),
        (400, json!({ "type": "BOT" })),
        (400, json!({ "type": "CROWD" })),
        (200, json!({ "type": "BOT", "appId": "other-bot" })),
    ] {
        let body = addressed(json!({ "type": "control", "owner": owner }));
        assert_eq!(bot.call("PUT", "control", &body).await.0, expected, "{body}");
    }
    assert_eq!(bot.respond(say("x")).await.0, 403);
    account.hand_back(AUTHOR);
    let mut stale = hand_off();
    stale["lastUpdateTS"] = json!("1700000300000");
    assert_eq!(bot.call("PUT", "control", &stale).await.0, 409);
}

#[tokio::test]
async fn a_registration_says_where_webhooks_go() {
    let host = Host::start(|_, _: &Heard| (202, String::new()));
    let twin = start(options(), quick()).unwrap();
    let token = twin.account().token();
    let bot = Bot { twin, token };
    let list = "registrations/network/facebook/externalId/410088123456789";
    let (status, none) = bot.call("GET", list, &Value::Null).await;
    assert_eq!(
        (status, none),
        (404, json!({ "error": { "message": "No bot registration found" } }))
    );
    let (status, wrong) = bot.call("POST", "registrations", &json!({
        "platform": "LITHIUM", "companyKey": "acmehotel", "networkKey": "facebook",
        "externalId": "410088123456789", "appId": "acme-bot", "name": "Bot", "callbackUrl": "",
        "credentials": { "type": "BASIC_AUTH", "identity": "khoros", "secret": "" },
    })).await;
    assert_eq!(
        (status, wrong),
        (
            422,
            json!({ "errors": [
        "callbackUrl may not be empty", "credentials.secret may not be empty",
    ] })
        )
    );
    let mut body = json!({
        "platform": "LITHIUM", "companyKey": "acmehotel", "networkKey": "facebook",
        "externalId": "410088123456789", "appId": "acme-bot", "name": "Bot",
        "callbackUrl": host.url(), "mode": "MAINTENANCE",
        "credentials": { "type": "BASIC_AUTH", "identity": "khoros", "secret": "hook" },
    });
    assert_eq!(bot.call("POST", "registrations", &body).await.0, 202);
    assert!(bot.twin.account().write(AUTHOR, "asleep").await.is_empty());
    assert_eq!(bot.twin.account().owner(AUTHOR).as_deref(), Some("AGENT"));
    assert_eq!(bot.call("PUT", &format!("{SHOW}/mode/LIVE"), &Value::Null).await.0, 202);
    assert_eq!(bot.call("PUT", &format!("{SHOW}/mode/PARTY"), &Value::Null).await.0, 400);
    assert_eq!(bot.twin.account().write("other", "awake").await.len(), 2);
    assert_eq!(host.heard().len(), 2);
    let (_, shown) = bot.call("GET", SHOW, &Value::Null).await;
    assert_eq!(shown["data"]["mode"], "LIVE");
    assert!(!shown.to_string().contains("hook\""), "secrets are not shown: {shown}");
    let (_, listed) = bot.call("GET", list, &Value::Null).await;
    assert_eq!(listed["data"][0], shown["data"]);
    body["mode"] = json!("LIVE");
    body["networkKey"] = json!("twitter");
    assert_eq!(bot.call("PUT", "registrations", &body).await.0, 422);
    assert_eq!(bot.call("DELETE", SHOW, &Value::Null).await.0, 204);
    assert_eq!(bot.twin.account().owner("other").as_deref(), Some("AGENT"));
    assert_eq!(bot.call("DELETE", SHOW, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_bot_that_fails_too_often_is_unhealthy_and_loses_its_conversations() {
    let host = Host::start(|number, _: &Heard| (if number < 3 { 202 } else { 500 }, String::new()));
    let bot = Bot::start(Options { unhealthy_after: 6, ..options() }, &host.url());
    let account = bot.twin.account();
    account.write(AUTHOR, "well").await;
    let health = async || bot.call("GET", "health/appId/acme-bot", &Value::Null).await.1;
    assert_eq!(health().await["data"][0]["status"], "HEALTHY");
    // One webhook of an author who is known, with its five repetitions.
    account.write(AUTHOR, "ill").await;
    assert_eq!(
        health().await,
        json!({ "data": [
        { "status": "UNHEALTHY", "failureCount": 6, "successCount": 2 },
    ] })
    );
    assert_eq!(account.owner(AUTHOR).as_deref(), Some("AGENT"));
    assert!(account.write("other", "nobody hears").await.is_empty());
    bot.call("PUT", &format!("{SHOW}/mode/LIVE"), &Value::Null).await;
    assert_eq!(health().await["data"][0]["status"], "DEGRADED");
}
