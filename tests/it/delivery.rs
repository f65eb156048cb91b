//! The way of actions to the vendor: in answers, by calls, late, limited, refused.

use std::time::{Duration, Instant};

use botyard_tests::peers::shop::Shop;
use botyard_tests::peers::userlike::Packet;
use botyard_tests::site::{MAIN, Setup, Site};
use botyard_tests::wait::until;
use botyard_twins::userlike::Act;
use serde_json::{Value, json};

use crate::puppet::{begun, site};

/// A refused call is tried again after 1 to 3 seconds, then after 1 to 9.
const WITHIN: Duration = Duration::from_secs(25);

/// The texts of each call that was taken, and what refused ones were answered.
fn calls(site: &Site) -> Vec<(u16, Vec<String>)> {
    let text = |packet: &Packet| packet.text().unwrap_or(&packet.name).to_owned();
    let calls = site.account().calls();
    calls.iter().map(|call| (call.status, call.packets.iter().map(text).collect())).collect()
}

#[tokio::test]
async fn the_result_of_a_request_is_called_when_it_comes() {
    let shop = Shop::start(Duration::from_millis(300)).await.unwrap();
    let setup = Setup::new("orders").unwrap().config("shop-url", &shop.url());
    let site = setup.hosts([shop.authority()]).start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    conversation.click("delivery", "Delivery").await.unwrap();
    let answer = conversation.message("84-11907").await.unwrap();
    assert!(answer.texts()[0].starts_with("One moment"), "{}", answer.body);

    let packets = site.account().wait_delivered(&conversation.cid, 2, WITHIN).await.unwrap();
    assert!(packets[0].text().unwrap().contains("out for delivery"));
    assert_eq!(packets[1].name, "bubbles");
    assert_eq!(site.account().calls().len(), 1, "one list");
    let lookups = shop.lookups();
    assert_eq!(lookups.len(), 1);
    assert!(lookups[0].idempotency_key.as_ref().is_some_and(|key| !key.is_empty()));
}

#[tokio::test]
async fn a_request_that_is_not_allowed_fails_at_once() {
    let site = site().await;
    let conversation = begun(&site).await;
    let answer = conversation.message("request far https://example.invalid/").await.unwrap();
    assert_eq!(answer.body, "");
    let packets = site.account().wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
    assert_eq!(packets[0].text(), Some("far failed"));
}

#[tokio::test]
async fn what_a_vendor_refuses_is_delivered_later_in_order_and_as_one_list() {
    let site = site().await;
    let conversation = begun(&site).await;
    site.account().refuse_next([503, 429]);
    let timers = "later 50 say one\nlater 100 say two\nlater 150 say three";
    assert_eq!(conversation.message(timers).await.unwrap().body, "");
    site.account().wait_delivered(&conversation.cid, 3, WITHIN).await.unwrap();
    let list = ["one", "two", "three"].map(str::to_owned).to_vec();
    let expected = [(503, Vec::new()), (429, Vec::new()), (200, list)];
    assert_eq!(calls(&site), expected);
}

#[tokio::test]
async fn a_call_that_may_have_arrived_is_made_again() {
    let site = site().await;
    let conversation = begun(&site).await;
    site.account().refuse_next([500]);
    conversation.message("later 50 say once more").await.unwrap();
    let packets = site.account().wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
    assert_eq!(packets[0].text(), Some("once more"));
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_calls_total", &["result=\"ambiguous\""]), 1.0);
}

#[tokio::test]
async fn a_vendor_that_is_down_gets_everything_when_it_is_back() {
    let setup = Setup::new("puppet").unwrap().vendor_down();
    let mut site = setup.start().await.unwrap();
    let conversation = begun(&site).await;
    conversation.message("later 50 say one\nlater 100 say two").await.unwrap();
    site.wait_metric("botyard_calls_total", &["result=\"retry\""], 1.0).await.unwrap();
    // What the person hears in answers meanwhile stays behind what came first.
    let answer = conversation.message("say three").await.unwrap();
    let inline = answer.texts().len();
    assert!(inline == 0 || answer.texts() == ["one", "two", "three"], "{}", answer.body);
    site.userlike.open().unwrap();
    let packets = site.account().wait_delivered(&conversation.cid, 3 - inline, WITHIN).await;
    let packets = packets.unwrap();
    let mut said = answer.texts();
    said.extend(packets.iter().filter_map(Packet::text));
    assert_eq!(said, ["one", "two", "three"]);
}

#[tokio::test]
async fn the_bot_hears_of_what_could_not_be_delivered_once() {
    let site = site().await;
    let conversation = begun(&site).await;
    site.account().refuse_next([400]);
    conversation.message("later 50 say refused").await.unwrap();
    let packets = site.account().wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
    assert_eq!(packets[0].text(), Some("could not deliver message"));

    // That message itself being refused tells nobody any more.
    site.account().refuse_next([400, 400]);
    conversation.message("later 50 say refused").await.unwrap();
    site.wait_metric("botyard_calls_total", &["result=\"fatal\""], 3.0).await.unwrap();
    assert_eq!(conversation.message("say on").await.unwrap().texts(), ["on"]);
    assert_eq!(site.account().delivered(&conversation.cid).len(), 1);
}

#[tokio::test]
async fn a_call_that_may_have_arrived_is_held_where_the_channel_says_so() {
    let setup = Setup::new("puppet").unwrap().channel(MAIN, json!({ "hold-ambiguous": true }));
    let site = setup.start().await.unwrap();
    let conversation = begun(&site).await;
    site.account().refuse_next([500]);
    conversation.message("later 50 say perhaps").await.unwrap();
    let packets = site.account().wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
    assert_eq!(packets[0].text(), Some("could not deliver message"));
    assert_eq!(site.account().calls().len(), 2);
}

#[tokio::test]
async fn what_is_too_old_is_given_up_and_the_bot_hears_of_it() {
    let setup = Setup::new("puppet").unwrap().channel(MAIN, json!({ "age-max-ms": 1_200 }));
    let mut site = setup.vendor_down().start().await.unwrap();
    let conversation = begun(&site).await;
    conversation.message("later 10 say old news").await.unwrap();
    // Welcome, the timer's making, the timer, and the failure.
    site.wait_metric("botyard_turns_total", &["result=\"ran\""], 4.0).await.unwrap();
    site.userlike.open().unwrap();
    let answer = conversation.message("say news").await.unwrap();
    let mut said: Vec<_> = answer.texts().into_iter().map(str::to_owned).collect();
    if said.last().map(String::as_str) != Some("news") {
        site.account().wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
    }
    let packets = site.account().delivered(&conversation.cid);
    said.extend(packets.iter().filter_map(Packet::text).map(str::to_owned));
    assert!(said.contains(&"news".to_owned()), "{said:?}");
    assert!(!said.contains(&"old news".to_owned()), "{said:?}");
}

#[tokio::test]
async fn no_window_sees_more_calls_than_the_vendor_allows() {
    const WINDOW: Duration = Duration::from_secs(3);
    let timing = json!({ "timing": { "rate-window-ms": WINDOW.as_millis() as u64 } });
    let setup = Setup::new("puppet").unwrap().window(WINDOW);
    let site = setup.channel(MAIN, json!({ "dialect": timing })).start().await.unwrap();
    let conversation = begun(&site).await;
    // A picture travels alone, so these are as many calls.
    let links: Vec<_> = (0..25).map(|n| format!("https://files.example/{n}.png")).collect();
    let script: Vec<_> = links.iter().map(|link| format!("media {link}")).collect();
    conversation.message(&script.join("\n")).await.unwrap();
    let packets = site.account().wait_delivered(&conversation.cid, 25, WITHIN).await.unwrap();
    let delivered: Vec<_> = packets.iter().map(|packet| &packet.payload["link"]).collect();
    assert_eq!(delivered, links.iter().collect::<Vec<_>>());
    let calls = site.account().calls();
    assert!(calls.iter().all(|call| call.status == 200), "the host was never told to wait");
    for window in calls.windows(21) {
        assert!(window[20].at - window[0].at >= WINDOW);
    }
}

#[tokio::test]
async fn a_picture_travels_alone_after_the_answer() {
    let site = site().await;
    let conversation = begun(&site).await;
    let script = "say before\nmedia https://files.example/cat.png\nsay after\nsay last";
    let answer = conversation.message(script).await.unwrap();
    let answered = Instant::now();
    assert_eq!(answer.texts(), ["before"]);
    site.account().wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
    assert!(answered.elapsed() >= Duration::from_millis(400), "the vendor reads the answer first");
    site.account().wait_delivered(&conversation.cid, 3, WITHIN).await.unwrap();
    let expected = [vec!["media".to_owned()], vec!["after".to_owned(), "last".to_owned()]];
    assert_eq!(calls(&site), expected.map(|list| (200, list)));
}

#[tokio::test]
async fn a_delay_stays_in_its_list_and_holds_back_what_follows() {
    let site = site().await;
    let conversation = begun(&site).await;
    let answer = conversation.message("say one\npause 1000\nsay two").await.unwrap();
    let names: Vec<_> = answer.packets.iter().map(|packet| &*packet.name).collect();
    assert_eq!(names, ["message", "delay", "message"]);
    assert_eq!(answer.packets[1].payload["seconds"], json!(1));
    let answered = Instant::now();
    assert_eq!(conversation.message("say three").await.unwrap().texts(), ["three"]);
    assert!(answered.elapsed() >= Duration::from_millis(900), "the list is still being played");
}

#[tokio::test]
async fn without_inline_everything_is_called() {
    let setup = Setup::new("puppet").unwrap().channel(MAIN, json!({ "inline": false }));
    let site = setup.start().await.unwrap();
    let conversation = site.open().unwrap();
    for n in 0..3 {
        let answer = conversation.message(&format!("say {n}")).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    }
    let packets = site.account().wait_delivered(&conversation.cid, 3, WITHIN).await.unwrap();
    let said: Vec<_> = packets.iter().filter_map(Packet::text).collect();
    assert_eq!(said, ["0", "1", "2"]);
}

#[tokio::test]
async fn the_context_is_mirrored_and_its_echo_is_our_own() {
    let site = site().await;
    let conversation = begun(&site).await;
    let answer = conversation.message("count").await.unwrap();
    assert_eq!(answer.packets[0].context.clone().map(Value::from), Some(json!({ "count": 1 })));
    assert_eq!(site.account().context(&conversation.cid), json!({ "count": 1 }));
    assert_eq!(conversation.message("context").await.unwrap().texts(), [r#"{"count":1}"#]);
    // The vendor keeps what the bot has forgotten: that is no foreign context.
    conversation.message("clear").await.unwrap();
    assert_eq!(site.account().context(&conversation.cid), json!({ "count": 1 }));
    assert_eq!(conversation.message("context").await.unwrap().texts(), ["{}"]);
}

#[tokio::test]
async fn a_foreign_context_is_offered_until_the_bot_has_its_own() {
    let site = site().await;
    let conversation = begun(&site).await;
    let with_foreign = |text: &str, context: Value| {
        let mut body = conversation.body("message", json!({ "body": text }));
        body["info"]["context"] = context;
        conversation.post(body.to_string())
    };
    let foreign = json!({ "left": { "by": "another" } });
    let answer = with_foreign("context", foreign.clone()).await.unwrap();
    assert_eq!(answer.texts(), [foreign.to_string()]);
    assert_eq!(with_foreign("count", foreign.clone()).await.unwrap().texts(), ["1 1"]);
    let answer = with_foreign("context", json!({ "newer": true })).await.unwrap();
    let own: Value = serde_json::from_str(answer.texts()[0]).unwrap();
    assert_eq!(own["count"], 1, "{own}");
    assert!(own.get("newer").is_none(), "{own}");
    // One that nobody can keep fails no turn.
    let large = json!({ "large": "x".repeat(20_000) });
    assert_eq!(with_foreign("say on", large).await.unwrap().texts(), ["on"]);
}

#[tokio::test]
async fn a_hand_off_says_what_happens_when_it_fails() {
    let site = site().await;
    let conversation = begun(&site).await;
    let answer = conversation.message("say bye\nforward-or-return").await.unwrap();
    assert_eq!(answer.packets[1].name, "forward_any");
    assert_eq!(answer.packets[1].payload, json!({ "on_failure": "feedback" }));
    assert_eq!(conversation.message("say nobody").await.unwrap().body, "", "a human owns it");
    let answer = conversation.send("forward_failed", json!({})).await.unwrap();
    assert_eq!(answer.texts(), ["forward failed"]);
    let answer = conversation.message("forward").await.unwrap();
    assert_eq!(answer.packets[0].name, "forward_any");
    assert_eq!(answer.packets[0].payload, json!({}));
}

#[tokio::test]
async fn every_medium_gets_options_with_a_fallback_and_text_with_its_format() {
    let site = site().await;
    let mediums = ["web", "facebook", "whatsapp_business", "telegram", "threema", "sms", "custom"];
    for medium in mediums {
        let mut conversation = site.open().unwrap();
        conversation.medium = medium.to_owned();
        conversation.start().await.unwrap();
        let answer = conversation.message("menu Which? left right\nmarkdown *so*").await.unwrap();
        let bubbles = &answer.packets[0].payload;
        assert_eq!(answer.packets[0].name, "bubbles", "{medium}");
        let fallback = bubbles["fallback"].as_str().unwrap_or_default();
        assert!(fallback.contains("Which?"), "{medium}: {bubbles}");
        let text = &answer.packets[1].payload;
        assert_eq!(text, &json!({ "body": "*so*", "text_format": "markdown_v1" }), "{medium}");
        let answer = conversation.click("left", "left").await.unwrap();
        assert_eq!(answer.texts(), ["clicked left"], "{medium}");
    }
}

/// In an app only the first tap is a `click`; another one is a message with the label.
#[tokio::test]
async fn a_second_tap_in_an_app_is_a_click_and_a_label_on_the_web_is_a_message() {
    let site = site().await;
    for medium in ["facebook", "whatsapp_business"] {
        let mut conversation = site.open().unwrap();
        conversation.medium = medium.to_owned();
        conversation.connect();
        let (account, cid) = (site.account(), &conversation.cid);
        let acts = [
            Act::Write("say hi".to_owned()),
            Act::Write("menu Which? rye spelt".to_owned()),
            Act::Click("rye".to_owned()),
            Act::Click("spelt".to_owned()),
            Act::Write("say bye".to_owned()),
        ];
        for act in acts {
            let delivery = conversation.deliver(account.act(cid, act).unwrap()).await;
            assert!(delivery.is_answered(), "{medium}: {delivery:?}");
        }
        let said = || {
            let seen = account.seen(cid);
            let texts: Vec<_> = seen.iter().filter_map(|it| it.packet.text()).collect();
            texts.contains(&"bye").then(|| texts.join(", "))
        };
        let said = until("all texts", WITHIN, said).await.unwrap();
        assert!(said.ends_with("clicked rye, clicked spelt, bye"), "{medium}: {said}");
    }
    let conversation = begun(&site).await;
    conversation.message("menu Which? rye spelt").await.unwrap();
    conversation.click("rye", "rye").await.unwrap();
    assert_eq!(conversation.message("spelt").await.unwrap().texts(), ["you said: spelt"]);
}

/// The hoster, or the author in the manifest, says which texts answer a menu.
#[tokio::test]
async fn what_is_typed_is_a_click_only_where_the_settings_say_so() {
    let rows = [
        ("all", true, true),
        ("numbers-and-labels", true, false),
        ("labels", false, false),
        ("off", false, false),
    ];
    for (choices, number, ordinal) in rows {
        let more = json!({ "tenants": { "demo": { "bots": { "bot": { "choices": choices } } } } });
        let site = Setup::new("puppet").unwrap().with(more).start().await.unwrap();
        let conversation = begun(&site).await;
        for (text, is_click) in [("2", number), ("the second one", ordinal)] {
            conversation.message("menu Which? rye spelt").await.unwrap();
            let answer = conversation.message(text).await.unwrap();
            let expect =
                if is_click { "clicked spelt".to_owned() } else { format!("you said: {text}") };
            assert_eq!(answer.texts(), [expect], "{choices}");
        }
    }
}
