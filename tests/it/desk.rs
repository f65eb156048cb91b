//! Humans who read and answer through the host, for vendors without a desk.

use std::time::Duration;

use botyard_tests::peers::userlike::Packet;
use botyard_tests::site::Site;
use botyard_tests::wait::until_asked;
use serde_json::{Value, json};

use crate::puppet::{begun, site};

const WITHIN: Duration = Duration::from_secs(10);

/// What the person got by calls, after waiting for so many texts.
async fn got(site: &Site, cid: &str, count: usize) -> Vec<String> {
    let packets = site.account().wait_delivered(cid, count, WITHIN).await.unwrap();
    packets.iter().filter_map(Packet::text).map(str::to_owned).collect()
}

fn texts(transcript: &Value, from: &str) -> Vec<String> {
    let lines = transcript["messages"].as_array().unwrap().iter();
    let own = lines.filter(|line| line["from"] == from);
    own.filter_map(|line| line["what"]["payload"]["text"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_human_takes_a_conversation_answers_and_gives_it_back() {
    let mut site = site().await;
    let mut conversation = begun(&site).await;
    let (desk, cid) = (site.desk(), conversation.cid.clone());
    let own = format!("/conversations/{cid}");
    assert_eq!(desk.read("/conversations").await.unwrap().1, json!({ "conversations": [] }));

    let ada = json!({ "agent": "Ada" });
    let taken = desk.post(&format!("{own}/take"), Some("t"), &ada).await.unwrap();
    assert_eq!(taken, (202, json!({ "accepted": true })));
    assert_eq!(conversation.message("say nobody runs").await.unwrap().texts(), [""; 0]);
    let (_, list) = desk.read("/conversations").await.unwrap();
    assert_eq!(list["conversations"][0]["conversation"], json!(cid));

    // The same key is the same reply, also over a crash of the host.
    let hello = json!({ "text": "Hello, I am Ada.", "agent": "Ada" });
    let first = desk.post(&format!("{own}/replies"), Some("r1"), &hello).await.unwrap();
    assert_eq!(first.0, 202, "{first:?}");
    assert_eq!(got(&site, &cid, 1).await, ["Hello, I am Ada."]);
    assert!(site.restart().await.unwrap().success());
    conversation.move_to(site.webhook("main"));
    let desk = site.desk();
    let again = desk.post(&format!("{own}/replies"), Some("r1"), &hello).await.unwrap();
    assert_eq!(again, first);

    let back = json!({ "reason": "done" });
    assert_eq!(desk.post(&format!("{own}/return"), Some("b"), &back).await.unwrap().0, 202);
    assert_eq!(conversation.message("say the bot again").await.unwrap().texts(), ["the bot again"]);
    assert_eq!(desk.read("/conversations").await.unwrap().1, json!({ "conversations": [] }));
    assert_eq!(got(&site, &cid, 1).await, ["Hello, I am Ada."], "said once");

    // That the last answer went out whole is written a moment later.
    let whole = async || {
        let (status, transcript) = desk.read(&format!("{own}/messages")).await?;
        assert_eq!(status, 200, "{transcript}");
        let delivered = transcript["messages"].as_array().into_iter().flatten();
        let delivered = delivered.filter(|entry| entry["what"] == "delivered").count();
        Ok((delivered == 3).then_some(transcript))
    };
    let transcript = until_asked("three deliveries", WITHIN, whole).await.unwrap();
    assert_eq!(texts(&transcript, "human"), ["Hello, I am Ada."]);
    assert_eq!(texts(&transcript, "bot"), ["welcome", "the bot again"]);
    assert_eq!(texts(&transcript, "person"), ["say nobody runs", "say the bot again"]);
    let next = transcript["next"].as_u64().unwrap();
    let (_, rest) = desk.read(&format!("{own}/messages?after={next}")).await.unwrap();
    assert_eq!(rest["messages"].as_array().unwrap().len(), 0, "{rest}");
}

#[tokio::test]
async fn whoever_replies_behind_too_many_others_reads_so() {
    let site = site().await;
    let conversation = begun(&site).await;
    let desk = site.desk();
    let replies = format!("/conversations/{}/replies", conversation.cid);
    let pause = ["pause", "channel", "main"];
    assert_eq!(site.operate(&pause).await.unwrap().0, Some(0));
    let long = json!({ "text": "\u{1f642}".repeat(5_000) });
    let reply = async |n: usize| desk.post(&replies, Some(&n.to_string()), &long).await.unwrap();
    for n in 0..8 {
        let (status, answer) = reply(n).await;
        assert_eq!(status, 202, "{n}: {answer}");
    }
    let (status, answer) = reply(8).await;
    assert_eq!(status, 503, "{answer}");
    assert!(answer.to_string().contains("too much waits for the vendor"), "{answer}");
    assert_eq!(reply(3).await.0, 202, "what is stored already is no more");
    assert_eq!(site.operate(&["resume", "channel", "main"]).await.unwrap().0, Some(0));
    got(&site, &conversation.cid, 8).await;
    assert_eq!(reply(8).await.0, 202);
}

#[tokio::test]
async fn the_desk_says_what_is_wrong() {
    let site = site().await;
    let conversation = begun(&site).await;
    let desk = site.desk();
    let own = format!("/conversations/{}", conversation.cid);
    let mut stranger = desk.clone();
    stranger.token = "guess".to_owned();
    for path in ["/conversations".to_owned(), format!("{own}/messages")] {
        assert_eq!(stranger.read(&path).await.unwrap().0, 401);
    }
    let hello = json!({ "text": "hello" });
    let nobody = "/conversations/nobody";
    let cases = [
        (401, &stranger, format!("{own}/replies"), Some("k"), hello.clone()),
        (404, &desk, format!("{nobody}/replies"), Some("k"), hello.clone()),
        (404, &desk, format!("{nobody}/take"), Some("k"), json!({})),
        (400, &desk, format!("{own}/replies"), None, hello),
        (400, &desk, format!("{own}/replies"), Some("k"), json!({})),
        (400, &desk, format!("{own}/replies"), Some("k"), json!({ "text": " " })),
        (400, &desk, format!("{own}/replies"), Some("k"), json!({ "text": "x".repeat(5_001) })),
        (400, &desk, format!("{own}/replies"), Some("k"), json!({ "text": "a", "tone": "b" })),
        (413, &desk, format!("{own}/replies"), Some("k"), json!({ "text": "x".repeat(70_000) })),
        (400, &desk, format!("{own}/take"), Some("k"), json!({ "agent": "x".repeat(201) })),
        (400, &desk, format!("{own}/take"), Some("k"), json!({ "reason": "x".repeat(201) })),
        (400, &desk, format!("{own}/return"), Some("k"), json!({ "agent": "x".repeat(201) })),
    ];
    for (expected, desk, path, key, body) in cases {
        let (status, text) = desk.post(&path, key, &body).await.unwrap();
        assert_eq!(status, expected, "{path} {key:?}: {text}");
    }
    assert_eq!(desk.read(&format!("{nobody}/messages")).await.unwrap().0, 404);
    assert_eq!(desk.read("/conversations?after=x").await.unwrap().0, 400);
    assert_eq!(conversation.message("say on").await.unwrap().texts(), ["on"], "nothing happened");
}
