//! Bots that fail: the person is told once, the log names the blame, and the
//! conversation goes on. Bots that cannot run at all are refused at the start.

use std::fs;
use std::path::PathBuf;

use botyard_tests::client::userlike::{Answer, Conversation};
use botyard_tests::host::{Bot, Channel, Config, plugin, run, with_section};
use botyard_tests::peers::userlike::Contact;
use botyard_tests::site::{MAIN, Setup, Site};
use serde_json::{Value, json};

const SORRY: &str = "Something went wrong.";
const LEIDER: &str = "Da ging etwas schief.";

fn setup() -> Setup {
    let settings = json!({ "failure-texts": { "": SORRY, "de": LEIDER } });
    Setup::new("hostile").unwrap().channel(MAIN, settings)
}

/// The line of the log about this turn, the last one, which failed.
async fn failure(site: &Site, count: usize) -> Value {
    let turn = site.wait_turns(count).await.unwrap().pop().unwrap();
    assert_eq!(turn["blame"], "bot", "{turn}");
    turn
}

async fn says(conversation: &Conversation, locale: &str, text: &str) -> Answer {
    let mut body = conversation.body("message", json!({ "body": text }));
    body["info"]["conversation"]["locale"] = json!(locale);
    conversation.post(body.to_string()).await.unwrap()
}

#[tokio::test]
async fn a_failing_bot_costs_one_answer_and_no_more() {
    let site = setup().start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let rows = [
        ("panic boom", "trap", Some("panic_in_a_named_function")),
        ("spin", "cpu", Some("spin")),
        ("forever", "cpu", None),
        ("allocate 64", "memory", None),
        ("recurse", "stack", Some("recurse")),
        ("actions 33", "output", None),
        ("result 2000000", "output", None),
        ("result 5001", "invalid_action", None),
        ("result 0", "invalid_action", None),
        ("reject because", "rejected", None),
        ("exit 3", "trap", None),
    ];
    let attacks = rows.len() as f64;
    for (n, (text, kind, function)) in rows.into_iter().enumerate() {
        let (locale, sorry) = [("de", LEIDER), ("de_AT", LEIDER), ("fr", SORRY)][n % 3];
        let answer = says(&conversation, locale, text).await;
        assert_eq!((answer.status, answer.texts()), (200, vec![sorry]), "{text}");
        // The start, two for each attack before, and this one.
        let line = failure(&site, 2 * n + 2).await;
        assert_eq!(line["kind"], kind, "{line}");
        assert_eq!(line["bot"], "bot", "{line}");
        let reason = line["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(function.unwrap_or_default()), "{line}");

        let next = says(&conversation, "de", &format!("echo {n}")).await;
        assert_eq!(next.texts(), [n.to_string()], "after {text}");
    }
    let metrics = site.metrics().await.unwrap();
    let blamed = metrics.sum("botyard_run_failures_total", &["blame=\"bot\""]);
    assert_eq!(blamed, attacks);
    assert_eq!(metrics.sum("botyard_run_failures_total", &[]), blamed);
    assert!(site.account().calls().is_empty(), "everything was said in answers");
}

#[tokio::test]
async fn without_a_failure_text_nothing_is_said() {
    let site = Setup::new("hostile").unwrap().start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let answer = conversation.message("panic boom").await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert_eq!(conversation.message("echo on").await.unwrap().texts(), ["on"]);
}

#[tokio::test]
async fn a_failure_hands_over_once_where_the_channel_says_so() {
    let settings = json!({ "failure-texts": { "": SORRY }, "failure-hand-off": true });
    let site = Setup::new("hostile").unwrap().channel(MAIN, settings).start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let answer = conversation.message("panic boom").await.unwrap();
    let names: Vec<_> = answer.packets.iter().map(|packet| &*packet.name).collect();
    assert_eq!(names, ["message", "forward_any"]);
    assert_eq!(answer.packets[1].payload, json!({ "on_failure": "feedback" }));

    // Nobody was there: the bot has the conversation again, but is not run for
    // a hand-off that was not its own, and there is no second one.
    let answer = conversation.send("forward_failed", json!({ "reason": "offline" })).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let turn = site.wait_turns(3).await.unwrap().pop().unwrap();
    assert_eq!(turn["reason"], "HostHandOff", "{turn}");
    assert_eq!(conversation.message("echo back").await.unwrap().texts(), ["back"]);
    assert!(site.account().calls().is_empty());
}

#[tokio::test]
async fn after_a_hand_off_the_bot_is_silent() {
    let settings = json!({ "failure-hand-off": true });
    let site = Setup::new("hostile").unwrap().channel(MAIN, settings).start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let answer = conversation.message("panic boom").await.unwrap();
    assert_eq!(answer.packets.len(), 1, "no text is configured: {}", answer.body);
    let answer = conversation.message("echo anybody?").await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    let metrics = site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_turns_total", &["result=\"skipped\""]), 1.0);
}

#[tokio::test]
async fn a_failing_bot_does_not_touch_its_neighbours() {
    let site = setup().start().await.unwrap();
    let bad = site.open().unwrap();
    let good = Conversation::open(site.account(), &site.webhook(MAIN), Contact::new()).unwrap();
    bad.start().await.unwrap();
    good.start().await.unwrap();
    let attacks = async {
        for text in ["spin", "allocate 64", "panic boom", "spin"] {
            assert_eq!(bad.message(text).await.unwrap().texts(), [SORRY]);
        }
    };
    let talk = async {
        for n in 0..20 {
            let text = format!("echo {n}");
            assert_eq!(good.message(&text).await.unwrap().texts(), [n.to_string()]);
        }
    };
    tokio::join!(attacks, talk);
}

#[tokio::test]
async fn a_component_that_is_no_bot_stops_the_start_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let bot = fs::read(plugin("echo").unwrap()).unwrap();
    let rows: [(PathBuf, &str); 6] = [
        (directory.path().join("nowhere.wasm"), "nowhere.wasm"),
        (file("text.wasm", b"hello"), "not WebAssembly"),
        (file("module.wasm", b"\0asm\x01\0\0\0"), "core module"),
        (file("world.wasm", b"\0asm\x0d\0\x01\0"), "botyard:bot/handler@1.0.0"),
        (file("half.wasm", &bot[..bot.len() / 2]), "build and upload it again"),
        (file("large.wasm", &with_section(bot.clone(), "x", &vec![0; 33 << 20])), "33554432"),
    ];
    for (component, expected) in rows {
        let config = config(&directory.path().join("store"), component.clone());
        for command in ["check", "serve"] {
            let output = run(&config, command).await.unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{command} {component:?}: {text}");
            assert!(text.contains(expected), "{command} {component:?}: {text}");
            assert!(text.contains("bot `it`"), "{command} {component:?}: {text}");
        }
    }
}

#[tokio::test]
async fn a_good_bot_passes_the_check() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path(), plugin("echo").unwrap());
    let output = run(&config, "check").await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("the settings are good"));
}

fn config(directory: &std::path::Path, component: PathBuf) -> Config {
    let channel = Channel {
        vendor: "userlike".to_owned(),
        bot: "it".to_owned(),
        webhook_header: None,
        webhook_secret: "secret".to_owned(),
        api_url: "http://127.0.0.1:1/v1/".to_owned(),
        api_token: "token".to_owned(),
        signal_token: "a-token-of-some-length".to_owned(),
        desk_token: None,
    };
    let bot = Bot { component, config: [].into(), hosts: Vec::new() };
    Config::new(directory).bot("it", bot).channel("c", channel)
}
