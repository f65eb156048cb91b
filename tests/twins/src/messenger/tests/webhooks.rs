//! What the page tells its app.

use super::*;
use crate::faults::{Fault, Faults};
use crate::host::Heard;
use crate::sign::{hex, hmac_sha256};

fn ok(_: usize, _: &Heard) -> (u16, String) {
    (200, "EVENT_RECEIVED".to_owned())
}

fn pointed(options: Options, host: &Host) -> Twin<Page> {
    let twin = page(options);
    twin.account().point(HOOK, &host.url());
    twin
}

fn first(heard: &Heard) -> Value {
    heard.json()["entry"][0]["messaging"][0].clone()
}

#[tokio::test]
async fn a_webhook_is_signed_over_its_bytes_with_the_secret_of_the_day() {
    let host = Host::start(ok);
    let twin = pointed(options(), &host);
    assert!(twin.account().write(PSID, "Gr\u{fc}\u{df}e \u{1f642} a/b").await.is_delivered());
    twin.account().rotate("new");
    twin.account().write(PSID, "again").await;
    for (heard, secret) in host.heard().iter().zip([SECRET, "new"]) {
        let signed = format!("sha256={}", hex(&hmac_sha256(secret, &heard.body)));
        assert_eq!(heard.header("x-hub-signature-256"), signed);
        assert_eq!(heard.header("content-type"), "application/json");
    }
    let heard = &host.heard()[0];
    assert!(heard.body.is_ascii());
    let event = first(heard);
    assert_eq!(event["message"]["text"], "Gr\u{fc}\u{df}e \u{1f642} a/b");
    assert_eq!(event["sender"]["id"], PSID);
    assert_eq!(event["recipient"]["id"], heard.json()["entry"][0]["id"]);
    assert!(event["timestamp"].is_u64() && event["message"]["mid"].is_string());
}

#[test]
fn the_known_signature_comes_of_the_known_body() {
    let body = br#"{"object":"page","entry":[{"id":"410088123456789","time":1700000752498,"messaging":[{"sender":{"id":"2410099887766"},"recipient":{"id":"410088123456789"},"timestamp":1700000752478,"message":{"mid":"m_sig","text":"Gr\u00fc\u00dfe \ud83d\ude42"}}]}]}"#;
    let known = "35d154c6e562d828181a90e708dce1be54bd2a519eafba20230965b4fc006a36";
    assert_eq!(hex(&hmac_sha256(SECRET, body)), known);
}

#[tokio::test]
async fn what_was_offered_can_be_tapped() {
    let host = Host::start(ok);
    let twin = pointed(options(), &host);
    let account = twin.account();
    let reply = json!({ "content_type": "text", "title": "Red", "payload": "RED" });
    let button = json!({ "type": "postback", "title": "Go", "payload": "GO" });
    let template = json!({ "template_type": "button", "text": "Next?", "buttons": [button] });
    send(&twin, json!({ "attachment": { "type": "template", "payload": template } })).await;
    send(&twin, json!({ "text": "Pick", "quick_replies": [reply] })).await;
    account.tap(PSID, "RED").await.unwrap();
    account.tap(PSID, "RED").await.expect_err("quick replies are gone after one");
    account.tap(PSID, "GO").await.unwrap();
    account.tap(PSID, "GO").await.expect("buttons stay");
    let element = json!({ "title": "t", "buttons": [
        { "type": "postback", "title": "Choose", "payload": "C" },
    ] });
    let template = json!({ "template_type": "generic", "elements": [element] });
    send(&twin, json!({ "attachment": { "type": "template", "payload": template } })).await;
    account.tap(PSID, "C").await.unwrap();
    account.tap(PSID, "NEVER").await.expect_err("nobody offered it");
    let events: Vec<_> = host.heard().iter().map(first).collect();
    assert_eq!(events[0]["message"]["text"], "Red");
    assert_eq!(events[0]["message"]["quick_reply"], json!({ "payload": "RED" }));
    assert_eq!(events[1]["postback"]["title"], "Go");
    assert_eq!(events[1]["postback"]["payload"], "GO");
    assert_eq!(events[3]["postback"]["payload"], "C");
    let mids: std::collections::BTreeSet<_> = events
        .iter()
        .map(|event| {
            event["message"]["mid"].as_str().or_else(|| event["postback"]["mid"].as_str()).unwrap()
        })
        .collect();
    assert_eq!(mids.len(), events.len(), "every event has an id of its own");
}

#[tokio::test]
async fn every_act_has_its_form() {
    let twin = page(options());
    let act = |act| twin.account().act(PSID, act).unwrap().value;
    assert_eq!(act(Act::Start)["postback"]["payload"], "GET_STARTED");
    let media = act(Act::Media("image".to_owned(), "https://a.example/i".to_owned()));
    let attachment = json!({ "type": "image", "payload": { "url": "https://a.example/i" } });
    assert_eq!(media["message"]["attachments"], json!([attachment]));
    let place = act(Act::Location(50.94, 6.95));
    let coordinates = &place["message"]["attachments"][0]["payload"]["coordinates"];
    assert_eq!(*coordinates, json!({ "lat": 50.94, "long": 6.95 }));
    assert_eq!(act(Act::Like)["message"]["sticker_id"], 369_239_263_222_822_u64);
    assert_eq!(act(Act::Referral("spring".to_owned()))["referral"]["ref"], "spring");
    assert_eq!(act(Act::React("m_1".to_owned()))["reaction"]["mid"], "m_1");
    let roles = twin.account().roles().value;
    assert!(roles.get("sender").is_none() && roles["app_roles"].is_object(), "{roles}");
}

#[tokio::test]
async fn messages_of_the_app_come_back_with_their_noise() {
    let host = Host::start(ok);
    let twin = pointed(Options { noise: Noise::ALL, ..options() }, &host);
    let (_, sent) = send(&twin, json!({ "text": "Booked.", "metadata": "order:17" })).await;
    let events: Vec<_> = host.wait(3).await.iter().map(first).collect();
    let with = |key: &str| events.iter().find(|event| !event[key].is_null()).unwrap();
    let echo = with("message");
    assert_eq!(
        echo["message"],
        json!({
            "mid": sent["message_id"],
            "is_echo": true,
            "app_id": 205_552_219_930_699_u64,
            "metadata": "order:17",
            "text": "Booked.",
        })
    );
    assert_eq!(
        (&echo["sender"]["id"], &echo["recipient"]["id"]),
        (&json!("410088123456789"), &json!(PSID))
    );
    assert_eq!(with("delivery")["delivery"]["mids"], json!([sent["message_id"]]));
    assert!(with("read")["read"]["watermark"].is_u64());
}

#[tokio::test]
async fn a_batch_has_entries_and_standby_has_a_list_of_its_own() {
    let host = Host::start(ok);
    let twin = pointed(options(), &host);
    let account = twin.account();
    let write = |text: &str| account.act(PSID, Act::Write(text.to_owned())).unwrap();
    let mut events = vec![write("a"), write("b"), write("c"), account.take_over(PSID)];
    events.push(account.agent_says(PSID, "I take over"));
    events.push(write("d"));
    events.push(account.ask_for(PSID));
    events.push(account.hand_back(PSID));
    events.push(write("e"));
    assert!(account.deliver(account.webhook(&events)).await.is_delivered());
    let body = host.heard()[0].json();
    let lists: Vec<_> = body["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let list = |key: &str| entry[key].as_array().map_or(0, Vec::len);
            (list("messaging"), list("standby"))
        })
        .collect();
    assert_eq!(lists, [(2, 0), (2, 0), (0, 2), (2, 0), (1, 0)]);
    let taken = &body["entry"][1]["messaging"][1]["take_thread_control"];
    assert_eq!(taken["previous_owner_app_id"], "205552219930699");
    assert_eq!(taken["new_owner_app_id"], "263902037430900");
    let agent = &body["entry"][2]["standby"][0]["message"];
    assert_eq!(agent["app_id"], 263_902_037_430_900_u64);
    let back = &body["entry"][3]["messaging"][1]["pass_thread_control"];
    assert_eq!(back["new_owner_app_id"], "205552219930699");
    assert_eq!(account.owner(PSID).as_deref(), Some("205552219930699"));
}

#[tokio::test]
async fn only_200_is_delivered_and_what_fails_comes_again_the_same() {
    let host = Host::start(|number, _| {
        (
            match number {
                1 => 503,
                2 => 204,
                _ => 200,
            },
            String::new(),
        )
    });
    let twin = pointed(options(), &host);
    let delivery = twin.account().write(PSID, "x").await;
    let statuses: Vec<_> = delivery.sendings.iter().map(|sent| sent.status.unwrap()).collect();
    assert_eq!(statuses, [503, 204, 200]);
    let heard = host.heard();
    assert!(heard.iter().all(|again| again.body == heard[0].body));
    assert_eq!(delivery.reason(), "");
}

#[tokio::test]
async fn each_fault_of_a_webhook_does_what_it_says() {
    // (fault, sendings, whether it is delivered)
    let rows = [(Fault::SlowRead, 1, true), (Fault::Tear, 6, false), (Fault::Duplicate, 2, true)];
    for (fault, sendings, delivered) in rows {
        let host = Host::start(ok);
        let twin = pointed(options(), &host);
        twin.account().set_faults(Faults::seeded(1).with(fault, 1.0));
        let delivery = twin.account().write(PSID, "x").await;
        assert_eq!(delivery.sendings.len(), sendings, "{fault:?}");
        assert_eq!(delivery.is_delivered(), delivered, "{fault:?}");
        assert_eq!(host.heard().len(), sendings, "{fault:?}");
        assert_eq!(delivery.sendings[0].webhook, delivery.sendings.last().unwrap().webhook);
    }
}

#[tokio::test]
async fn who_waits_too_long_or_leaves_was_not_answered() {
    let host = Host::late(Duration::from_secs(1), ok);
    let conduct = Conduct { answer_within: Duration::from_millis(20), ..Conduct::default() };
    let twin = start(options(), conduct).unwrap();
    twin.account().point(HOOK, &host.url());
    let delivery = twin.account().write(PSID, "x").await;
    assert_eq!(delivery.reason(), "no answer within 20ms");
    let mut faults = Faults::seeded(1).with(Fault::Leave, 1.0);
    faults.patience = Duration::from_millis(1);
    twin.account().set_faults(faults);
    assert_eq!(twin.account().write(PSID, "x").await.reason(), "left before the answer");
}

#[tokio::test]
async fn pairs_change_places() {
    let host = Host::start(ok);
    let twin = pointed(options(), &host);
    twin.account().set_faults(Faults::seeded(1).with(Fault::Reorder, 1.0));
    let webhooks = ["a", "b", "c"].map(|text| {
        let event = twin.account().act(PSID, Act::Write(text.to_owned())).unwrap();
        twin.account().webhook(&[event])
    });
    twin.account().play(webhooks).await;
    let texts: Vec<_> =
        host.heard().iter().map(|it| first(it)["message"]["text"].clone()).collect();
    assert_eq!(texts, ["b", "a", "c"]);
}

#[tokio::test]
async fn the_webhook_is_checked_by_a_challenge() {
    let host = Host::start(|number, heard| {
        assert_eq!(heard.method, http::Method::GET);
        let answers = ["1158201444", "wrong", "Forbidden"];
        (if number == 3 { 403 } else { 200 }, answers[number - 1].to_owned())
    });
    let twin = pointed(options(), &host);
    twin.account().verify("1158201444").await.unwrap();
    twin.account().verify("1158201444").await.expect_err("another text");
    assert_eq!(twin.account().verify("1158201444").await, Err("answered 403".to_owned()));
    let query = "?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock";
    assert!(host.heard()[0].path.ends_with(query), "{}", host.heard()[0].path);
}
