//! Operators' commands to a running host.

use std::time::Duration;

use botyard_tests::client::userlike::Conversation;
use botyard_tests::peers::userlike::Packet;
use botyard_tests::site::{MAIN, Setup, Site};
use botyard_tests::wait;
use serde_json::{Value, json};

use crate::puppet::{begun, site};

const WITHIN: Duration = Duration::from_secs(20);
/// So long nothing must happen.
const QUIET: Duration = Duration::from_millis(1_500);

async fn ok(site: &Site, words: &[&str]) -> String {
    let (code, printed) = site.operate(words).await.unwrap();
    assert_eq!(code, Some(0), "{words:?}: {printed}");
    printed
}

async fn status(site: &Site) -> Value {
    serde_json::from_str(&ok(site, &["status", "--json"]).await).unwrap()
}

fn delivered(site: &Site, conversation: &Conversation) -> Vec<String> {
    let packets = site.account().delivered(&conversation.cid);
    packets.iter().filter_map(Packet::text).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_paused_bot_takes_events_over_a_restart_and_runs_on_them_when_it_is_resumed() {
    let mut site = site().await;
    let mut conversation = begun(&site).await;
    ok(&site, &["pause", "bot", "bot", "--reason", "it shouts"]).await;
    let answer = conversation.message("count").await.unwrap();
    assert_eq!((answer.status, answer.texts().len()), (200, 0));
    assert!(site.restart().await.unwrap().success());
    conversation.move_to(site.webhook(MAIN));
    let answer = conversation.message("count").await.unwrap();
    assert_eq!((answer.status, answer.texts().len()), (200, 0));

    let paused = &status(&site).await["paused"];
    assert_eq!(paused[0]["name"], "bot");
    assert_eq!(paused[0]["reason"], "it shouts");
    let text = ok(&site, &["status"]).await;
    assert!(text.contains("paused: bot bot of tenant demo"), "{text}");
    tokio::time::sleep(QUIET).await;
    assert_eq!(delivered(&site, &conversation), [""; 0]);

    ok(&site, &["resume", "bot", "bot", "--tenant", "demo"]).await;
    site.account().wait_delivered(&conversation.cid, 2, WITHIN).await.unwrap();
    assert_eq!(delivered(&site, &conversation), ["1 1", "2 2"]);
    assert_eq!(status(&site).await["paused"], json!([]));
}

#[tokio::test]
async fn a_paused_channel_makes_no_calls_until_it_is_resumed() {
    let settings = json!({ "inline": false });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, settings).vendor_down();
    let mut site = setup.start().await.unwrap();
    let conversation = site.open().unwrap();
    assert_eq!(conversation.start().await.unwrap().status, 200);
    site.wait_metric("botyard_calls_total", &["retry"], 1.0).await.unwrap();
    ok(&site, &["pause", "channel", MAIN]).await;
    site.userlike.open().unwrap();
    assert_eq!(conversation.message("count").await.unwrap().status, 200);
    tokio::time::sleep(QUIET).await;
    assert_eq!(delivered(&site, &conversation), [""; 0]);
    ok(&site, &["resume", "channel", MAIN]).await;
    site.account().wait_delivered(&conversation.cid, 2, WITHIN).await.unwrap();
    assert_eq!(delivered(&site, &conversation), ["welcome", "1 1"]);
}

/// As whoever has no more than the address of the host and a token.
async fn letters_are_looked_after_elsewhere(site: &Site, part: &str) {
    let token = site.host().management().token.unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), token).unwrap();
    let url = site.host().url();
    let of = ["--url", url, "--token-file", file.path().to_str().unwrap(), "--tenant", "demo"];
    let asked = async |words: &[&str]| {
        let words = [&["dead-letter"], words, &of].concat();
        site.operate(&words).await.unwrap()
    };
    let (code, listed) = asked(&["list"]).await;
    assert_eq!(code, Some(0), "{listed}");
    assert!(listed.contains(part) && listed.contains(MAIN), "{listed}");
    let (_, none) = asked(&["list", "--channel", "other"]).await;
    assert_eq!(none, "no dead letters\n");
    let (_, shown) = asked(&["show", part]).await;
    assert!(shown.contains("welcome") && shown.contains("reason"), "{shown}");
    let (code, left) = asked(&["redrive", "no.0.0"]).await;
    assert_eq!(code, Some(1), "{left}");
    assert!(left.contains("no.0.0 is left: ") && left.contains("(not-found)"), "{left}");
    let (_, queued) = asked(&["redrive", "--all", "--channel", "other"]).await;
    assert_eq!(queued, "0 queued again\n");
}

#[tokio::test]
async fn dead_letters_are_listed_shown_and_sent_again() {
    let settings = json!({ "inline": false, "age-max-ms": 1_000 });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, settings).vendor_down();
    let mut site = setup.start().await.unwrap();
    let conversation = site.open().unwrap();
    assert_eq!(conversation.start().await.unwrap().status, 200);
    let list = async || {
        let list = ok(&site, &["dead-letter", "list", "--channel", MAIN, "--json"]).await;
        let list: Value = serde_json::from_str(&list)?;
        Ok(list["letters"].as_array().filter(|letters| !letters.is_empty()).cloned())
    };
    let letters = wait::until_asked("a dead letter", WITHIN, list).await.unwrap();
    let letter = &letters[0];
    assert_eq!((&letter["action"], &letter["channel"]), (&json!("message"), &json!(MAIN)));
    assert_eq!(letter.get("content"), None, "a list quotes nobody");
    let part = letter["part"].as_str().unwrap();
    let shown = ok(&site, &["dead-letter", "show", part]).await;
    assert!(shown.contains("welcome") && shown.contains("reason: "), "{shown}");
    assert!(status(&site).await["dead_letters"].as_u64() > Some(0));
    letters_are_looked_after_elsewhere(&site, part).await;

    // A second is too short to send it again in.
    let patient = json!({ "channels": { MAIN: { "age-max-ms": 60_000 } } });
    let patient = json!({ "tenants": { "demo": patient } });
    assert!(site.restart_with(patient).await.unwrap().success());
    site.userlike.open().unwrap();
    assert_eq!(ok(&site, &["dead-letter", "redrive", part]).await, "1 queued again\n");
    let welcome = || delivered(&site, &conversation).contains(&"welcome".to_owned()).then_some(());
    wait::until("what was given up", WITHIN, welcome).await.unwrap();
    let (code, printed) = site.operate(&["dead-letter", "redrive", part]).await.unwrap();
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("there is no dead letter"), "{printed}");
    // What the bot said to the failure may have been given up, too.
    let audit = ok(&site, &["audit", "list", "--tenant", "demo"]).await;
    let rows = audit.lines().filter(|line| line.contains("redrive") && line.contains(part));
    assert_eq!(rows.count(), 1, "{audit}");
    let printed = ok(&site, &["dead-letter", "redrive", "--all", "--tenant", "demo"]).await;
    assert!(printed.ends_with(" queued again\n"), "{printed}");
    assert_eq!(ok(&site, &["dead-letter", "list"]).await, "no dead letters\n");
}

#[tokio::test]
async fn commands_say_by_their_exit_code_what_went_wrong() {
    let mut site = site().await;
    for (words, expected) in [
        (&["pause", "bot", "boot"][..], "there is no bot boot"),
        (&["pause", "channel", MAIN, "--tenant", "other"], "of tenant other"),
        (&["resume", "bot", "bot"], "is not paused"),
    ] {
        let (code, printed) = site.operate(words).await.unwrap();
        assert_eq!(code, Some(1), "{words:?}: {printed}");
        assert!(printed.contains(expected), "{words:?}: {printed}");
    }
    let (code, _) = site.operate(&["pause", "bots", "bot"]).await.unwrap();
    assert_eq!(code, Some(2));
    assert!(site.end().await.unwrap().success());
    let (code, printed) = site.operate(&["status"]).await.unwrap();
    assert_eq!(code, Some(3), "{printed}");
    assert!(printed.contains("no host takes commands on"), "{printed}");
}
