//! What is echoed, and what stays with the Messenger channel below.

use botyard_kernel::action::{Action, Message, TextFormat};
use botyard_kernel::destination::Purpose;
use botyard_kernel::id::PartId;
use botyard_kernel::profile::Delivery;
use http::StatusCode;
use serde_json::{Value, json};

use super::{channel, settings, with_dialect};
use crate::messenger::tests::{CONVERSATION, NOW, PAGE, receive, told};
use crate::{CallAnswer, Outcome, Part, Received, To, Vendor};

fn answered(status: StatusCode, body: Value) -> CallAnswer {
    CallAnswer::Answered {
        status,
        retry_after_ms: None,
        body: body.to_string().into(),
        headers: http::HeaderMap::new(),
    }
}

/// How the delivery of a text ends with this answer.
fn ended(channel: &dyn Vendor, conversation: &str, answer: &CallAnswer) -> Outcome {
    let action = Action::Message(Message { text: "hi".to_owned(), format: TextFormat::Plain });
    let id = PartId::from("t.0.0");
    let parts = [Part { id: &id, action: &action, context: None }];
    channel.outcome_at(&To::conversation(conversation), &parts, answer, NOW)
}

#[test]
fn what_was_sent_is_echoed_under_its_id_with_the_time_of_the_answer() {
    let channel = channel(settings());
    let sent = answered(StatusCode::OK, json!({ "recipient_id": "2", "message_id": "m_17001" }));
    let Outcome::Delivered { follow_ups, .. } = ended(&*channel, CONVERSATION, &sent) else {
        panic!("delivered")
    };
    assert_eq!(follow_ups.len(), 1);
    let call = channel.acknowledge(&To::conversation(CONVERSATION), &follow_ups[0]).unwrap();
    assert!(call.url.ends_with("/bots/objects/echo"), "{}", call.url);
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    let expect = json!({
        "object_id": "m_17001",
        "published_at": NOW,
        "source": "facebook",
        "account_id": PAGE,
    });
    assert_eq!(body, expect);
}

#[test]
fn what_sent_no_message_is_not_echoed() {
    let channel = channel(settings());
    for body in [
        json!({ "recipient_id": "2" }),
        json!({ "success": true }),
        json!({ "message_id": "" }),
        json!({ "message_id": 5 }),
        json!("ok"),
    ] {
        let answer = answered(StatusCode::OK, body.clone());
        assert_eq!(ended(&*channel, CONVERSATION, &answer), Outcome::DELIVERED, "{body}");
    }
    let sent = answered(StatusCode::OK, json!({ "message_id": "m_1" }));
    assert_eq!(ended(&*channel, "no page", &sent), Outcome::DELIVERED);
    let silent = with_dialect(json!({ "echo": false }));
    assert_eq!(ended(&*silent, CONVERSATION, &sent), Outcome::DELIVERED);
}

#[test]
fn what_is_said_on_instagram_is_neither_claimed_nor_echoed() {
    let channel = channel(settings());
    let said = json!({ "mid": "m_1", "text": "hi" });
    let item = json!({ "sender": { "id": "2" }, "recipient": { "id": PAGE },
        "timestamp": NOW, "message": said });
    let rows = [("page", 1), ("instagram", 0)];
    for (object, told) in rows {
        let entry = json!({ "id": PAGE, "time": NOW, "messaging": [item] });
        let webhook = json!({ "object": object, "entry": [entry] }).to_string();
        let Received::Events { events, .. } = receive(&*channel, webhook.as_bytes()) else {
            panic!("{object}: no events")
        };
        let claims = events.iter().filter_map(|event| event.acknowledge.as_ref()).count();
        assert_eq!((events.len(), claims), (1, told), "{object}");
        let to = To { reply_to: events[0].reply_to.as_deref(), ..To::conversation(CONVERSATION) };
        let sent = answered(StatusCode::OK, json!({ "message_id": "m_2" }));
        let Outcome::Delivered { follow_ups, .. } = channel.outcome_at(&to, &[], &sent, NOW) else {
            panic!("{object}: delivered")
        };
        assert_eq!(follow_ups.len(), told, "{object}");
    }
}

/// Two clocks are never the same, and an agent reads the conversation in the order of times.
#[test]
fn an_echo_stands_behind_what_it_answers_also_where_our_clock_is_behind() {
    let channel = channel(settings());
    let reply_to = json!({ "last_ms": NOW }).to_string();
    let to = To { reply_to: Some(&reply_to), ..To::conversation(CONVERSATION) };
    let sent = answered(StatusCode::OK, json!({ "message_id": "m_2" }));
    for (now, published) in [(NOW - 10_000, NOW + 1), (NOW + 700, NOW + 700)] {
        let Outcome::Delivered { follow_ups, .. } = channel.outcome_at(&to, &[], &sent, now) else {
            panic!("delivered")
        };
        let call = channel.acknowledge(&to, &follow_ups[0]).expect("an echo");
        let body = String::from_utf8(call.body.to_vec()).expect("a text");
        assert!(body.contains(&published.to_string()), "{body}");
    }
}

#[test]
fn deliveries_end_as_the_messenger_platform_says() {
    let channel = channel(settings());
    let token = answered(StatusCode::UNAUTHORIZED, json!({ "error": { "code": 190 } }));
    let fatal = json!({ "is": "fatal", "blame": "tenant" });
    assert_eq!(told(&ended(&*channel, CONVERSATION, &token)), fatal);
    // For Lexer only 201 is success, for Messenger it is 200.
    let ok = answered(StatusCode::OK, json!({}));
    assert_eq!(told(&channel.outcome(&ok))["is"], "fatal");
    assert_eq!(ended(&*channel, CONVERSATION, &ok), Outcome::DELIVERED);
}

#[test]
fn a_notice_without_an_answer_is_told_again() {
    let channel = channel(settings());
    let lost = channel.outcome(&CallAnswer::Lost("it broke off".to_owned()));
    assert_eq!(told(&lost), json!({ "is": "retry", "blame": "vendor", "ambiguous": true }));
    let unsent = channel.outcome(&CallAnswer::NotSent("no such host".to_owned()));
    assert_eq!(told(&unsent), json!({ "is": "retry", "blame": "host", "ambiguous": false }));
}

#[test]
fn notices_go_to_lexer_and_messages_to_the_platform() {
    let messenger = crate::connect("messenger", crate::messenger::tests::settings()).unwrap();
    let channel = channel(settings());
    let delivery = channel.delivery();
    let expect = Delivery {
        acknowledgements_elsewhere: true,
        silent_hand_off: true,
        ..messenger.delivery()
    };
    assert_eq!(delivery, expect);
    assert_eq!(delivery.service(Purpose::Acknowledgement), Purpose::Acknowledgement);
    let mut profile = messenger.profile("facebook");
    let passes = with_dialect(json!({ "pass-thread": true }));
    assert_eq!(passes.profile("facebook"), profile);
    assert!(!passes.delivery().silent_hand_off);
    // Falling silent reaches the team and no other bot.
    profile.native.retain(|name| *name != "forward_bot");
    assert_eq!(channel.profile("facebook").native, profile.native);

    let written = json!({ "vendor": "lexer", "json": "{\"text\":\"t\"}" });
    let action = Action::Passthrough(serde_json::from_value(written).unwrap());
    let id = PartId::from("t.0.0");
    let parts = [Part { id: &id, action: &action, context: None }];
    let call = channel.call_at(&To::conversation(CONVERSATION), &parts, NOW);
    assert_eq!(call.url, "https://graph.facebook.com/v23.0/me/messages");
    let body: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(body["message"], json!({ "text": "t" }));
}

#[test]
fn a_token_of_another_form_is_told_nobody() {
    let channel = channel(settings());
    for token in ["", "m_1", "{}", r#"{"claim":{}}"#, r#"{"close":{"object_id":"m"}}"#] {
        assert!(channel.acknowledge(&To::default(), token).is_none(), "{token}");
    }
}

#[test]
fn a_time_that_no_calendar_has_is_told_as_a_number() {
    let channel = with_dialect(json!({ "published-at": "iso-8601" }));
    let published = |at: u64| {
        let object = json!({ "object_id": "m", "published_at": at, "account_id": "p" });
        let token = json!({ "claim": object }).to_string();
        let call = channel.acknowledge(&To::default(), &token).unwrap();
        serde_json::from_slice::<Value>(&call.body).unwrap()["published_at"].clone()
    };
    assert_eq!(published(1_501_565_384_999), "2017-08-01T05:29:44Z");
    assert_eq!(published(0), "1970-01-01T00:00:00Z");
    assert_eq!(published(u64::MAX), u64::MAX);
}
