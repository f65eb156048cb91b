//! Bodies that are no event, parts that are damaged, sizes at their limits.

use botyard_kernel::event::{EventBody, RAW_BYTES_MAX, Setting};
use http::StatusCode;
use serde_json::{Value, json};

use super::{channel, event, events, receive, settings, webhook, with_dialect};
use crate::{Incoming, Received, To};

fn received(webhook: &Value) -> Received {
    receive(&*channel(settings()), webhook.to_string().as_bytes())
}

fn incoming(webhook: &Value) -> Incoming {
    event(received(webhook))
}

#[test]
fn what_is_no_json_object_is_kept_as_damaged_with_one_line() {
    let deep = "[".repeat(100_000);
    let rows: [(&[u8], &str); 7] = [
        (b"", "the body is not JSON"),
        (b"type=message", "the body is not JSON"),
        (b"{\"text\":\"\xff\"}", "the body is not JSON"),
        (deep.as_bytes(), "the body is not JSON: recursion limit"),
        (b"null", "must be a JSON object"),
        (b"[]", "must be a JSON object"),
        (b"\"message\"", "must be a JSON object"),
    ];
    for (body, expect) in rows {
        let (events, damaged) = events(receive(&*channel(settings()), body));
        assert_eq!((events.len(), damaged.len()), (0, 1));
        let reason = &damaged[0].reason;
        assert!(reason.contains(expect) && !reason.contains('\n'), "{reason}");
        assert!(damaged[0].raw.len() <= 64 * 1024);
    }
}

/// The message that created a conversation begins the session, not the word that follows.
#[test]
fn what_is_no_message_of_a_person_is_beside_the_talk() {
    let rows = [
        ("update", "CREATED", true),
        ("update", "ASSIGNED", true),
        ("survey", "", true),
        ("update", "CLOSED", false),
        ("message", "", false),
    ];
    for (kind, operation, aside) in rows {
        let mut webhook = webhook();
        (webhook["type"], webhook["operation"]) = (json!(kind), json!(operation));
        assert_eq!(incoming(&webhook).aside, aside, "{kind} {operation}");
    }
    let mut form = webhook();
    form["form"] = json!({ "id": "7" });
    let (events, _) = events(received(&form));
    assert!(events.iter().all(|event| !event.aside), "a person filled it in");
}

#[test]
fn what_is_another_companys_is_kept_and_never_handled() {
    for company in [json!("other"), json!("AcmeHotel"), json!(7)] {
        let mut webhook = webhook();
        webhook["coordinate"]["companyKey"] = company;
        let (events, damaged) = events(received(&webhook));
        assert_eq!((events.len(), damaged.len()), (0, 1));
        assert!(damaged[0].reason.contains("`company-key`"), "{}", damaged[0].reason);
    }
}

/// Else every message would be one of a conversation that is somebody else's, in silence.
#[test]
fn what_is_another_bots_is_kept_and_says_what_to_correct() {
    let mut webhook = webhook();
    webhook["coordinate"]["botId"] = json!("other-bot");
    let (found, damaged) = events(received(&webhook));
    assert_eq!((found.len(), damaged.len()), (0, 1));
    assert!(damaged[0].reason.contains("`app-id`"), "{}", damaged[0].reason);
    let two_names = with_dialect(json!({ "incoming": { "bot-is-app": false } }));
    event(receive(&*two_names, webhook.to_string().as_bytes()));
}

#[test]
fn an_agent_who_answers_in_public_gets_the_conversation() {
    let mut webhook = webhook();
    (webhook["type"], webhook["operation"]) = (json!("update"), json!("AGENT_RESPONSE"));
    let told = |channel: &dyn crate::Vendor, webhook: &Value| {
        let incoming = event(receive(channel, webhook.to_string().as_bytes()));
        assert!(matches!(incoming.body, EventBody::HumanSpoke(_)));
        incoming
    };
    let channel = channel(settings());
    webhook["coordinate"]["scope"] = json!("PUBLIC");
    let incoming = told(&*channel, &webhook);
    let token = incoming.acknowledge.expect("something to be told");
    let to =
        To { reply_to: incoming.reply_to.as_deref(), ..To::conversation(&incoming.conversation) };
    let call = channel.acknowledge(&to, &token).expect("a call");
    assert!(call.url.ends_with("/control"), "{}", call.url);
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body["owner"], json!({ "type": "AGENT" }), "{body}");

    let never = with_dialect(json!({ "incoming": { "agents-take-over": false } }));
    assert_eq!(told(&*never, &webhook).acknowledge, None);
    webhook["owner"] = json!({ "type": "AGENT" });
    assert_eq!(told(&*channel, &webhook).acknowledge, None, "they have it");
}

#[test]
fn what_lacks_its_place_is_damaged_and_answered_with_success() {
    let rows = [
        ("/coordinate", json!(null), "coordinate.companyKey"),
        ("/coordinate/companyKey", json!([]), "coordinate.companyKey"),
        ("/coordinate/networkKey", json!(""), "coordinate.networkKey"),
        ("/coordinate/externalId", json!({}), "coordinate.externalId"),
        ("/author", json!("Ines"), "author.id"),
        ("/author/id", json!("x".repeat(257)), "author.id"),
        ("/type", json!(null), "`type`"),
        ("/type", json!(5), "`type`"),
    ];
    for (pointer, value, expect) in rows {
        for kind in ["message", "update", "control"] {
            let mut webhook = webhook();
            webhook["type"] = json!(kind);
            *webhook.pointer_mut(pointer).expect(pointer) = value.clone();
            let (events, damaged) = events(received(&webhook));
            assert_eq!((events.len(), damaged.len()), (0, 1), "{pointer}");
            assert!(damaged[0].reason.contains(expect), "{pointer}: {}", damaged[0].reason);
            assert_eq!(damaged[0].raw, webhook.to_string());
        }
    }
}

#[test]
fn a_key_is_bounded_as_a_whole() {
    let mut webhook = webhook();
    webhook["coordinate"]["externalId"] = json!("/".repeat(256));
    webhook["author"]["id"] = json!("/".repeat(256));
    let (events, damaged) = events(received(&webhook));
    assert_eq!((events.len(), damaged.len()), (0, 1));
}

#[test]
fn an_unknown_event_of_no_conversation_is_ignored() {
    assert!(matches!(received(&json!({ "type": "bot_health" })), Received::Ignored(_)));
}

#[test]
fn what_the_brand_says_itself_is_ignored() {
    for author in ["acme-bot", "410088123456789"] {
        let mut webhook = webhook();
        webhook["author"]["id"] = json!(author);
        assert!(matches!(received(&webhook), Received::Ignored(_)), "{author}");
        webhook["type"] = json!("update");
        webhook["operation"] = json!("AGENT_RESPONSE");
        webhook["owner"] = json!(null);
        assert!(matches!(received(&webhook), Received::Ignored(_)), "{author}");
    }
    let mut webhook = webhook();
    webhook["author"]["id"] = json!("410088123456789");
    let lenient = with_dialect(json!({ "incoming": { "page-is-no-person": false } }));
    event(receive(&*lenient, webhook.to_string().as_bytes()));
}

#[test]
fn an_answer_is_the_bots_own_or_an_agents_by_who_owns_the_conversation() {
    let agent = json!({ "type": "AGENT" });
    let bot = json!({ "type": "BOT", "appId": "acme-bot" });
    let other = json!({ "type": "BOT", "appId": "other-bot" });
    let rows = [
        (&agent, "PRIVATE", "7200011122", "private", false),
        // Whatever name stands on it.
        (&agent, "PRIVATE", "410088123456789", "all", false),
        (&bot, "PRIVATE", "7200011122", "private", true),
        (&bot, "PUBLIC", "7200011122", "private", false),
        (&bot, "PUBLIC", "7200011122", "all", true),
        (&bot, "PRIVATE", "7200011122", "none", false),
        (&bot, "PUBLIC", "acme-bot", "none", true),
        (&other, "PRIVATE", "7200011122", "all", false),
    ];
    for (owner, scope, author, echoes, own) in rows {
        let mut webhook = webhook();
        webhook["type"] = json!("update");
        webhook["operation"] = json!("AGENT_RESPONSE");
        webhook["owner"] = owner.clone();
        webhook["coordinate"]["scope"] = json!(scope);
        webhook["author"]["id"] = json!(author);
        let channel = with_dialect(json!({ "incoming": { "echoes": echoes } }));
        let received = receive(&*channel, webhook.to_string().as_bytes());
        let said = format!("{owner} {scope} {author} {echoes}: {received:?}");
        match received {
            Received::Ignored(_) => assert!(own, "{said}"),
            received => {
                assert!(!own, "{said}");
                assert!(matches!(event(received).body, EventBody::HumanSpoke(_)), "{said}");
            }
        }
    }
}

#[test]
fn a_damaged_part_does_not_keep_the_others_back() {
    let mut with_media = webhook();
    with_media["media"] = json!([
        { "url": "https://m.example.invalid/1.png" }, { "mediaType": "IMAGE" }, 7,
        { "url": "https://m.example.invalid/2.png" },
    ]);
    let (got, damaged) = events(received(&with_media));
    assert_eq!((got.len(), damaged.len()), (3, 2));
    let keys: Vec<_> = got.iter().map(|event| event.key.as_deref()).collect();
    assert_eq!(keys, [Some("m_Qx81"), Some("m_Qx81#1"), Some("m_Qx81#2")]);
    let mut with_actions = webhook();
    with_actions["text"] = json!(null);
    with_actions["actions"] =
        json!([{ "type": "reply" }, { "type": "reply", "payload": "a", "text": "A" }]);
    let (got, damaged) = events(received(&with_actions));
    assert_eq!((got.len(), damaged.len()), (1, 1));
    assert!(matches!(&got[0].body, EventBody::Click(click) if click.option_ids == ["a"]));
}

#[test]
fn too_many_parts_are_told() {
    let mut webhook = webhook();
    webhook["media"] = json!(vec![json!({ "url": "https://m.example.invalid/1.png" }); 40]);
    let (got, damaged) = events(received(&webhook));
    assert_eq!((got.len(), damaged.len()), (33, 1));
    assert!(damaged[0].reason.contains("40 parts"), "{}", damaged[0].reason);
}

#[test]
fn odd_parts_of_a_message_are_told_as_they_are() {
    for name in ["list", "form", "location", "actions"] {
        for value in [json!(5), json!("x"), json!(true)] {
            let mut webhook = webhook();
            webhook["text"] = json!(null);
            webhook[name] = value.clone();
            let EventBody::Other(other) = incoming(&webhook).body else { panic!("{webhook}") };
            assert_eq!((&*other.name, other.json), (name, value.to_string()));
        }
        for value in [json!(null), json!([]), json!({})] {
            let mut webhook = webhook();
            webhook[name] = value;
            assert!(matches!(incoming(&webhook).body, EventBody::Message(_)));
        }
    }
}

#[test]
fn a_place_off_earth_is_none() {
    let mut webhook = webhook();
    webhook["text"] = json!(null);
    webhook["location"] = json!({ "geoDSL": [91.0, 0] });
    assert!(matches!(incoming(&webhook).body, EventBody::Other(_)));
    webhook["location"] = json!({ "geoDSL": ["38.5", " -77 "] });
    assert!(matches!(incoming(&webhook).body, EventBody::Location(it) if it.longitude == -77.0));
}

#[test]
fn large_parts_are_cut_and_a_large_body_is_not_kept() {
    let mut webhook = webhook();
    webhook["text"] = json!("é".repeat(70_000));
    let got = incoming(&webhook);
    assert!(matches!(got.body, EventBody::Message(it) if it.text.len() == 64 * 1024));
    assert_eq!(got.raw, None);
    webhook["text"] = json!("");
    let frame = webhook.to_string().len();
    webhook["text"] = json!("x".repeat(RAW_BYTES_MAX - frame));
    assert_eq!(incoming(&webhook).raw.map(|raw| raw.len()), Some(RAW_BYTES_MAX));
    webhook["type"] = json!("n".repeat(300));
    webhook["text"] = json!("\"".repeat(70_000));
    let EventBody::Other(other) = incoming(&webhook).body else { panic!("an other") };
    assert_eq!(other.name.len(), 200);
    assert!(other.json.len() <= 64 * 1024);
    serde_json::from_str::<Value>(&other.json).expect("JSON");
}

#[test]
fn facts_are_bounded() {
    let mut webhook = webhook();
    let many = (0..100).map(|at| (format!("p{at:02}"), json!(at)));
    webhook["properties"] = many.collect::<serde_json::Map<_, _>>().into();
    webhook["properties"]["p00"] = json!("x".repeat(1_025));
    webhook["author"]["fullName"] = json!("é".repeat(600));
    webhook["author"]["properties"] = json!({ "k": "x".repeat(20_000) });
    let facts = incoming(&webhook).facts;
    assert_eq!(facts.params.len(), 2 + 32);
    assert_eq!(facts.params[2], Setting::new("property.p01", "1"));
    assert_eq!(facts.contact.name, Some("é".repeat(512)));
    assert_eq!(facts.contact.custom_fields, "{}");
}

#[test]
fn what_a_reply_needs_is_at_most_4_kib() {
    let mut webhook = webhook();
    webhook["coordinate"]["future"] = json!("x".repeat(5_000));
    webhook["author"]["fullName"] = json!("é".repeat(600));
    let reply_to = incoming(&webhook).reply_to.expect("an address");
    let reply_to: Value = serde_json::from_str(&reply_to).unwrap();
    assert_eq!(reply_to["coordinate"].as_object().unwrap().len(), 6);
    assert_eq!(reply_to["author"], json!({ "id": "7200011122" }));
    webhook["coordinate"]["messageId"] = json!("x".repeat(5_000));
    let got = incoming(&webhook);
    assert_eq!((got.reply_to, got.key), (None, None));
}

#[test]
fn events_of_one_message_have_keys_of_their_own() {
    let closed = |at: u64| {
        let mut webhook = webhook();
        webhook["type"] = json!("update");
        webhook["operation"] = json!("CLOSED");
        webhook["publishedTS"] = json!(at);
        incoming(&webhook).key.expect("a key")
    };
    let keys = [incoming(&webhook()).key.unwrap(), closed(1), closed(2)];
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2], "{keys:?}");
    let mut bare = webhook();
    bare["type"] = json!("control");
    bare["publishedTS"] = json!(null);
    let got = incoming(&bare);
    assert!(got.key.is_none() && got.request.is_some());
}

#[test]
fn every_webhook_is_answered_202_without_a_body() {
    let reply = channel(settings()).answer(&To::conversation(super::KEY), &[]);
    assert_eq!((reply.status, reply.body.len()), (StatusCode::ACCEPTED, 0));
}
