//! What people in charge are told, and by what they know that it is from this host.

use std::time::Duration;

use botyard_tests::peers::pager::Pager;
use botyard_tests::site::{MAIN, Setup};
use serde_json::json;

use crate::alerts::pagers;
use crate::puppet::begun;

const WITHIN: Duration = Duration::from_secs(30);
/// So many failures trip the breaker of a bot.
const BOT_FAILURES: usize = 20;
const OWNERS: &str = "whsec_b3duZXJzLXNlY3JldC1vZi0yNC1ieXRlcw==";
const OPERATORS: &str = "whsec_b3BlcmF0b3JzLXNlY3JldC1vZi1tb3JlLWJ5dGVz";

#[tokio::test]
async fn a_notice_is_signed_so_that_its_reader_can_trust_it() {
    let (operator, owner) = (Pager::start().unwrap(), Pager::start().unwrap());
    let settings = json!({
        "alerts": { "url": operator.url(), "secret": OPERATORS },
        "tenants": { "demo": { "alert-url": owner.url(), "alert-secret": OWNERS } },
    });
    let site = Setup::new("puppet").unwrap().with(settings).start().await.unwrap();
    let conversation = begun(&site).await;
    for _ in 0..BOT_FAILURES {
        conversation.message("many words").await.unwrap();
    }
    for (pager, secret, others) in [(&operator, OPERATORS, OWNERS), (&owner, OWNERS, OPERATORS)] {
        let posted = pager.wait_posted(2, WITHIN).await.unwrap();
        assert_eq!(posted[0]["type"], "bot.suspended");
        let names = pager.verified(secret).unwrap();
        assert!(names[0].starts_with("msg_") && names[0] == names[1], "the same again: {names:?}");
        assert!(pager.verified(others).is_err(), "with another's secret nothing is good");
    }
}

#[tokio::test]
async fn a_tenant_whose_token_is_wrong_is_told_once() {
    let (operator, owner, settings) = pagers();
    let wrong = json!({ "inline": false, "api-token": "canary-of-another-account" });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, wrong).with(settings);
    let site = setup.start().await.unwrap();
    for _ in 0..3 {
        site.open().unwrap().start().await.unwrap();
    }
    for pager in [&owner, &operator] {
        // The first one is refused and comes again.
        let posted = pager.wait_posted(2, WITHIN).await.unwrap();
        assert_eq!(posted[0]["type"], "channel.refused");
        let notice = &posted[0]["data"];
        assert_eq!((&notice["channel"], &notice["tenant"]), (&json!(MAIN), &json!("demo")));
        assert_eq!(notice["blame"], "tenant");
    }
    site.wait_metric("botyard_calls_total", &["userlike"], 3.0).await.unwrap();
    assert_eq!(owner.posted().len(), 2, "once an hour, however much is refused");
}
