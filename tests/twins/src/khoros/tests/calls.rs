//! What a bot may say and do in a conversation.

use std::time::Duration;

use super::*;
use crate::faults::{Fault, Faults};

#[tokio::test]
async fn every_form_of_an_answer_is_taken() {
    let action = json!({ "type": "postback", "payload": "HELP", "text": "Help" });
    let owner = json!({ "type": "BOT", "appId": "acme-bot" });
    let rows = [
        say("Happy to help \u{1f642}"),
        json!({ "type": "typing_start" }),
        json!({ "type": "typing_stop" }),
        json!({ "type": "message", "text": "Our pool", "media": [
            { "url": "https://media.example/pool.jpg", "mediaType": "IMAGE" },
        ] }),
        json!({ "type": "message", "text": "Read", "richContent": {
            "mediaType": "IMAGE", "url": "https://www.example/a", "title": "Offer",
            "mediaUrl": "https://media.example/s.jpg", "mimeType": "image/jpeg",
        } }),
        json!({ "type": "message", "payload": "{\"text\":\"Choose\"}" }),
        json!({ "type": "message", "actions": [action], "owner": owner,
            "publishedTS": 1_700_000_000_123_u64, "receivedTS": 1_700_000_001_456_u64 }),
        json!({ "type": "message", "text": "Pick", "actions": [{ "type": "reply", "payload": "Q" }],
            "owner": owner, "publishedTS": 1, "receivedTS": 2 }),
    ];
    let bot = Bot::spoken(options());
    for message in rows {
        let answer = bot.respond(message.clone()).await;
        assert_eq!(answer, (202, json!("")), "{message}");
    }
    assert_eq!(bot.names().len(), 8);
}

#[tokio::test]
async fn what_the_page_rules_out_is_refused() {
    let media = json!({ "url": "https://media.example/p", "mediaType": "IMAGE" });
    let rich = json!({ "mediaType": "IMAGE", "url": "https://www.example/a", "title": "t",
        "mediaUrl": "https://media.example/s", "mimeType": "image/jpeg" });
    let mut half_rich = rich.clone();
    half_rich.as_object_mut().unwrap().shift_remove("mimeType");
    let postback = json!({ "type": "postback", "payload": "P", "text": "t" });
    let times = |actions: Value| {
        json!({ "type": "message", "actions": actions,
        "owner": { "type": "BOT", "appId": "acme-bot" }, "publishedTS": 1, "receivedTS": 2 })
    };
    let mut of_others = times(json!([postback]));
    of_others["owner"] = json!({ "type": "BOT", "appId": "other-bot" });
    let rows = [
        json!({ "type": "message" }),
        json!({ "type": "message", "text": "" }),
        json!({ "type": "shout", "text": "x" }),
        json!({ "type": "message", "text": "x", "colour": "red" }),
        json!({ "type": "typing_start", "text": "x" }),
        json!({ "type": "message", "media": [media, media] }),
        json!({ "type": "message", "media": [] }),
        json!({ "type": "message", "media": [media], "payload": "{}" }),
        json!({ "type": "message", "media": [media], "richContent": rich }),
        json!({ "type": "message", "richContent": rich, "payload": "{}" }),
        json!({ "type": "message", "list": {}, "payload": "{}" }),
        json!({ "type": "message", "list": {}, "media": [media] }),
        json!({ "type": "message", "list": {}, "richContent": rich }),
        json!({ "type": "message", "list": {} }),
        json!({ "type": "message", "richContent": half_rich }),
        json!({ "type": "message", "payload": "not json" }),
        json!({ "type": "message", "payload": {} }),
        json!({ "type": "message", "actions": [postback] }),
        of_others,
        times(json!([])),
        times(json!([{ "type": "shout", "payload": "P", "text": "t" }])),
        times(json!([{ "type": "postback", "text": "t" }])),
        times(json!([{ "type": "postback", "payload": "P" }])),
        json!({ "type": "message", "text": "x", "processSynchronously": "yes" }),
    ];
    let bot = Bot::spoken(options());
    for message in rows {
        let (status, body) = bot.respond(message.clone()).await;
        assert_eq!(status, 400, "{message}");
        assert!(!why(&body).is_empty(), "{message}: {body}");
    }
    assert!(bot.names().is_empty());
}

#[tokio::test]
async fn the_address_is_this_bots() {
    let bot = Bot::spoken(options());
    let rows = [
        ("companyKey", json!("other"), "Invalid companyKey other"),
        ("networkKey", json!("farcebook"), "Invalid networkKey farcebook"),
        ("externalId", json!("9"), "Invalid externalId 9"),
        ("botId", json!("9"), "Invalid botId 9"),
        ("scope", json!("SECRET"), "SECRET"),
        ("messageId", json!("m_999"), "Invalid messageId"),
        ("companyKey", Value::Null, "companyKey"),
    ];
    for (key, value, words) in rows {
        let mut body = addressed(say("x"));
        body["coordinate"][key] = value;
        let (status, answer) = bot.call("POST", "respond", &body).await;
        assert_eq!(status, 400, "{key}");
        assert!(why(&answer).contains(words), "{key}: {answer}");
    }
    let mut stranger = addressed(say("x"));
    stranger["author"]["id"] = json!("9");
    assert_eq!(bot.call("POST", "respond", &stranger).await.0, 404);
    let mut right = addressed(say("x"));
    right["coordinate"]["messageId"] = json!("m_1");
    assert_eq!(bot.call("POST", "respond", &right).await.0, 202);
}

#[tokio::test]
async fn list_pickers_are_of_apple_and_typing_is_not_of_twitter() {
    let address = |mut body: Value, network: &str| {
        body = addressed(body);
        body["coordinate"]["networkKey"] = json!(network);
        body
    };
    let message = json!({ "title": "Drinks", "subtitle": "Tap", "style": "SMALL" });
    let choice = json!({ "id": "c1", "message": { "title": "Lemonade", "subtitle": "0.3 l" } });
    let section =
        json!({ "id": "0", "title": "Cold", "multipleSelection": true, "choices": [choice] });
    let list =
        json!({ "requestMessage": message, "responseMessage": message, "sections": [section] });
    let picker = json!({ "type": "message", "text": "Pick", "list": list });
    let mut large = picker.clone();
    large["list"]["requestMessage"]["style"] = json!("HUGE");
    let mut bare = picker.clone();
    bare["list"]["sections"][0]["choices"] = json!([]);
    let pictured = |media: Value| {
        let mut pictured = picker.clone();
        pictured["list"]["sections"][0]["choices"][0]["message"]["media"] = media;
        pictured
    };
    let picture = json!({ "url": "https://a.example.invalid/1.jpg", "mediaType": "IMAGE" });
    let video = json!({ "url": "https://a.example.invalid/1.mp4", "mediaType": "VIDEO" });
    let pictures = [
        (202, pictured(picture.clone())),
        (202, pictured(json!([picture]))),
        (400, pictured(json!([picture, picture]))),
        (400, pictured(json!([]))),
        (400, pictured(video)),
        (400, pictured(json!({ "url": "lamp.jpg", "mediaType": "IMAGE" }))),
    ];
    let bot = Bot::spoken(Options { network_key: "apple".to_owned(), ..options() });
    let all = [(202, picker), (400, large), (400, bare)];
    for (expected, body) in all.into_iter().chain(pictures) {
        let (status, answer) = bot.call("POST", "respond", &address(body, "apple")).await;
        assert_eq!(status, expected, "{answer}");
    }
    let bot = Bot::spoken(Options { network_key: "twitter".to_owned(), ..options() });
    let typing = address(json!({ "type": "typing_start" }), "twitter");
    assert_eq!(bot.call("POST", "respond", &typing).await.0, 400);
}

#[tokio::test]
async fn emojis_need_the_charset() {
    let bot = Bot::spoken(options());
    let bearer = format!("Bearer {}", bot.token);
    let rows = [
        ("application/json", "x", 202),
        ("application/json", "\u{1f642}", 400),
        ("application/json;charset=UTF-8", "\u{1f642}", 202),
        ("text/plain", "x", 400),
    ];
    for (kind, text, expected) in rows {
        let headers = [("authorization", &*bearer), ("content-type", kind)];
        let body = addressed(say(text)).to_string();
        let answer = host::call(&bot.twin, "POST", "/bots/v3/respond", &headers, body).await;
        assert_eq!(answer.0, expected, "{kind} {text}");
    }
}

#[tokio::test]
async fn a_synchronous_answer_says_what_became_of_it_and_another_is_asked_for() {
    let bot = Bot::spoken(options());
    let mut sync = say("Done.");
    sync["processSynchronously"] = json!(true);
    let (status, answer) = bot.respond(sync.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(answer["data"]["requestState"], "SUCCESS");
    assert_eq!(answer["data"]["payloadType"], "message");
    assert!(answer["data"]["messageId"].is_string() && answer["requestId"].is_string(), "{answer}");
    bot.twin.account().set_gone(AUTHOR, true);
    let (status, answer) = bot.respond(sync).await;
    assert_eq!((status, why(&answer)), (400, "the network did not take the message"));
    assert_eq!(bot.respond(say("lost")).await.0, 202, "nobody knows yet");
    assert_eq!(bot.twin.account().texts(AUTHOR), ["Done."]);
    let (_, failed) =
        bot.call("GET", "request/appId/acme-bot?from=30m&state=ERROR", &Value::Null).await;
    assert_eq!(failed["data"].as_array().unwrap().len(), 2);
    let id = failed["data"][1]["id"].as_str().unwrap();
    let (status, one) = bot.call("GET", &format!("request/{id}"), &Value::Null).await;
    assert_eq!((status, &one["data"]["state"]), (200, &json!("ERROR")));
    assert_eq!(bot.call("GET", "request/none", &Value::Null).await.0, 404);
}

#[tokio::test]
async fn what_is_accepted_has_no_order_and_what_is_synchronous_has() {
    let publishing = vec![Duration::from_millis(600), Duration::ZERO];
    let bot = Bot::spoken(Options { publishing, ..options() });
    for text in ["1", "2"] {
        assert_eq!(bot.respond(say(text)).await.0, 202);
    }
    let ask = "request/appId/acme-bot?state=PENDING";
    let (_, pending) = bot.call("GET", ask, &Value::Null).await;
    assert!(!pending["data"].as_array().unwrap().is_empty());
    bot.twin.account().wait_seen(AUTHOR, 2, Duration::from_secs(10)).await.unwrap();
    let (_, pending) = bot.call("GET", ask, &Value::Null).await;
    assert_eq!(pending["data"], json!([]));
    let mut sync = say("3");
    sync["processSynchronously"] = json!(true);
    for _ in 0..2 {
        assert_eq!(bot.respond(sync.clone()).await.0, 200);
    }
    let texts = bot.twin.account().texts(AUTHOR);
    assert_eq!(texts.len(), 4);
    assert_ne!(texts[..2], ["1", "2"], "one overtook the other");
}

#[tokio::test]
async fn what_says_nothing_has_rules_of_its_own() {
    let rows = [
        (202, "note", json!({ "type": "note", "note": "Gold member" })),
        (400, "note", json!({ "type": "note" })),
        (202, "tag", json!({ "type": "tag", "entityType": "POST", "tagIds": [11, 12] })),
        (400, "tag", json!({ "type": "tag", "entityType": "POST", "tagIds": [] })),
        (400, "tag", json!({ "type": "tag", "entityType": "CASE", "tagIds": [11] })),
        (202, "tag/remove", json!({ "type": "remove_tag", "entityType": "POST", "tagIds": [11] })),
        (400, "tag/remove", json!({ "type": "tag", "entityType": "POST", "tagIds": [11] })),
        (202, "priority", json!({ "type": "priority", "newPriority": 5 })),
        (400, "priority", json!({ "type": "priority", "newPriority": 6 })),
        (202, "workqueue", json!({ "type": "workqueue", "newWorkQueue": 21, "comment": "x" })),
        (400, "workqueue", json!({ "type": "workqueue" })),
        (202, "resolve", json!({ "type": "resolve" })),
        (
            202,
            "workqueue",
            json!({ "type": "workqueue", "newWorkQueue": 21,
            "conversationDisplayId": 4_001 }),
        ),
        (
            400,
            "workqueue",
            json!({ "type": "workqueue", "newWorkQueue": 21,
            "conversationDisplayId": "4001" }),
        ),
        (400, "tag", json!({ "type": "tag", "entityType": "POST", "tagIds": ["11"] })),
        (400, "note", json!({ "type": "note", "note": "x", "comment": "y" })),
        (400, "resolve", json!({ "type": "resolve", "colour": "red" })),
        (
            202,
            "authors/attributes",
            json!({ "type": "author_attributes",
            "payload": { "attributes": { "name": ["Ines"] } } }),
        ),
        (
            400,
            "authors/attributes",
            json!({ "type": "author_attributes",
            "payload": { "attributes": { "name": "Ines" } } }),
        ),
        (400, "authors/attributes", json!({ "attributes": { "name": ["Ines"] } })),
    ];
    let bot = Bot::spoken(options());
    for (expected, path, body) in rows {
        let (status, answer) = bot.call("PUT", path, &addressed(body.clone())).await;
        assert_eq!(status, expected, "{path} {body}: {answer}");
    }
    let (_, answer) =
        bot.call("PUT", "workqueue", &addressed(json!({ "type": "workqueue" }))).await;
    assert_eq!(why(&answer), "newWorkQueue may not be null");
    let form = json!({ "type": "secure_form", "comment": "Fill this in", "secureFormId": "AABB" });
    assert_eq!(bot.call("POST", "form", &addressed(form)).await.0, 202);
    let form = json!({ "type": "secure_form", "secureFormId": "AABB" });
    assert_eq!(bot.call("POST", "form", &addressed(form)).await.0, 400);
    let names = [
        "note",
        "tag",
        "remove_tag",
        "priority",
        "workqueue",
        "resolve",
        "workqueue",
        "attributes",
        "secure_form",
    ];
    assert_eq!(bot.names(), names);
}

#[tokio::test]
async fn faults_meet_calls() {
    let rows = [
        (Fault::Broken, 500, 0),
        (Fault::BrokenAfter, 500, 1),
        (Fault::LimitedFor, 429, 0),
        (Fault::Cut, 0, 0),
        (Fault::CutAfter, 0, 1),
        (Fault::Expire, 403, 0),
    ];
    for (fault, status, delivered) in rows {
        let bot = Bot::spoken(options());
        bot.twin.account().set_faults(Faults::seeded(1).with(fault, 1.0));
        assert_eq!(bot.respond(say("x")).await.0, status, "{fault:?}");
        assert_eq!(bot.twin.account().texts(AUTHOR).len(), delivered, "{fault:?}");
    }
}
