//! A person who writes faster than the bot answers, and a vendor that looks after
//! silent sessions by itself.

use std::time::Duration;

use botyard_tests::client::userlike::Conversation;
use botyard_tests::site::{MAIN, Setup, Site};
use serde_json::{Value, json};

use crate::puppet::begun;

/// Quick enough for a test, and far longer than three webhooks take.
const SILENCE_MS: u64 = 700;

async fn site(bot: Value) -> Site {
    let more = json!({ "tenants": { "demo": { "bots": { "bot": bot } } } });
    Setup::new("puppet").unwrap().with(more).start().await.unwrap()
}

/// Says all of it, one after the other, and waits for all the answers.
async fn quickly(conversation: &Conversation, texts: [&str; 3]) -> Vec<Vec<String>> {
    let say = async |n: u32| {
        tokio::time::sleep(Duration::from_millis(60) * n).await;
        let answer = conversation.message(texts[n as usize]).await.unwrap();
        answer.texts().into_iter().map(str::to_owned).collect()
    };
    let (first, second, third) = tokio::join!(say(0), say(1), say(2));
    vec![first, second, third]
}

#[tokio::test]
async fn a_bot_that_coalesces_answers_three_quick_messages_at_once() {
    let site = site(json!({ "overlap": "coalesce", "coalesce-ms": SILENCE_MS })).await;
    let conversation = begun(&site).await;
    let said = quickly(&conversation, ["one", "two", "skipped"]).await;
    assert_eq!(said, [vec![], vec![], vec!["one, two".to_owned()]]);
    // Nothing is left over for the next turn.
    assert_eq!(conversation.message("skipped").await.unwrap().texts(), ["none"]);
}

#[tokio::test]
async fn a_bot_that_does_not_say_so_answers_each_message() {
    let site = site(json!({})).await;
    let conversation = begun(&site).await;
    let said = quickly(&conversation, ["count", "count", "count"]).await;
    assert_eq!(said.concat(), ["1 1", "2 2", "3 3"]);
}

#[tokio::test]
async fn what_userlike_does_by_itself_is_not_done_twice() {
    let timeout = json!({ "session-timeout-ms": 60_000 });
    let refused = Setup::new("puppet").unwrap().channel(MAIN, timeout).start().await;
    let why = format!("{:#}", refused.unwrap_err());
    assert!(why.contains("it ends silent sessions by itself"), "{why}");
}
