//! A store that has no room left: nothing is accepted, nothing is lost.

use botyard_tests::site::Setup;
use serde_json::json;

#[tokio::test]
async fn a_full_store_answers_503_and_goes_on_when_there_is_room() {
    let limit = |bytes: u64| json!({ "store": { "database-bytes-max": bytes } });
    let setup = Setup::new("puppet").unwrap().with(limit(600_000));
    let mut site = setup.start().await.unwrap();
    let mut conversation = site.open().unwrap();
    assert_eq!(conversation.start().await.unwrap().texts(), ["welcome"]);
    let mut accepted = 0;
    let refused = loop {
        let mut body = conversation.body("message", json!({ "body": "count" }));
        body["padding"] = json!("x".repeat(20_000));
        body["number"] = json!(accepted);
        let answer = conversation.post(body.to_string()).await.unwrap();
        if answer.status != 200 {
            break answer;
        }
        accepted += 1;
        assert!(accepted < 200, "the limit of the database is not kept");
    };
    assert!(accepted > 0, "there was room for something");
    assert_eq!((refused.status, refused.retry_after), (503, Some(1)));
    assert_eq!(refused.body.lines().count(), 1);
    let metrics = site.metrics().await.unwrap();
    assert!(metrics.sum("botyard_store_failures_total", &[]) > 0.0);
    assert_eq!(metrics.sum("botyard_webhooks_total", &["refused"]), 1.0);

    assert!(site.restart_with(limit(0)).await.unwrap().success());
    conversation.move_to(site.webhook("main"));
    let answer = conversation.message("count").await.unwrap();
    let expected = format!("{0} {0}", accepted + 1);
    assert_eq!(answer.texts().last(), Some(&&*expected), "what was refused does not count");
}
