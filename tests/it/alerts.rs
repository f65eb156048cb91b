//! What keeps failing is left alone, and whoever wants to hear of it does.

use std::time::Duration;

use botyard_tests::peers::pager::Pager;
use botyard_tests::site::{MAIN, Setup, Site};
use botyard_tests::wait;
use serde_json::{Value, json};

use crate::puppet::begun;

const SORRY: &str = "Something went wrong.";
const WITHIN: Duration = Duration::from_secs(30);
/// Well below the 600 turns a minute of the loop guard.
const BETWEEN_PROBES: Duration = Duration::from_millis(300);
/// So many failures trip the breaker of a bot.
const BOT_FAILURES: usize = 20;
/// So many trip that of a destination.
const DESTINATION_FAILURES: usize = 10;

async fn breakers(site: &Site) -> Value {
    let (code, printed) = site.operate(&["status", "--json"]).await.unwrap();
    assert_eq!(code, Some(0), "{printed}");
    let status: Value = serde_json::from_str(&printed).unwrap();
    status["breakers"].clone()
}

/// The pagers of the operator and of the tenant, and settings that name them.
pub(crate) fn pagers() -> (Pager, Pager, Value) {
    let (operator, owner) = (Pager::start().unwrap(), Pager::start().unwrap());
    let settings = json!({
        "alerts": { "url": operator.url() },
        "tenants": { "demo": { "alert-url": owner.url() } },
    });
    (operator, owner, settings)
}

#[tokio::test]
async fn a_bot_that_keeps_failing_is_not_run_but_for_probes_and_its_owner_is_told() {
    let (operator, owner, settings) = pagers();
    let failures = json!({ "failure-texts": { "": SORRY } });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, failures).with(settings);
    let site = setup.start().await.unwrap();
    let conversation = begun(&site).await;
    // The start was good: a run more than the least fails.
    for _ in 0..BOT_FAILURES {
        assert_eq!(conversation.message("many words").await.unwrap().texts(), [SORRY]);
    }
    // It would count, if it ran. Asked at once, before the first probe is due.
    assert_eq!(conversation.message("count").await.unwrap().texts(), [SORRY]);
    site.wait_metric("botyard_run_failures_total", &["suspended"], 1.0).await.unwrap();
    assert_eq!(breakers(&site).await[0]["name"], "demo/bot");
    for pager in [&operator, &owner] {
        let posted = pager.wait_posted(2, WITHIN).await.unwrap();
        assert_eq!(posted[0], posted[1], "what was refused comes again");
        assert_eq!(posted[0]["type"], "bot.suspended");
        let alert = &posted[0]["data"];
        assert_eq!((&alert["tenant"], &alert["bot"]), (&json!("demo"), &json!("bot")));
        assert_eq!((&alert["blame"], &alert["failures"]), (&json!("bot"), &json!(BOT_FAILURES)));
    }
    let probe = async || {
        // Asked without a pause, the loop guard would slow the conversation down.
        tokio::time::sleep(BETWEEN_PROBES).await;
        let answer = conversation.message("count").await?;
        let texts = answer.texts();
        Ok((texts != [SORRY]).then(|| texts.join("")))
    };
    assert_eq!(wait::until_asked("a probe", WITHIN, probe).await.unwrap(), "1 1");
    let posted = owner.wait_posted(3, WITHIN).await.unwrap();
    assert_eq!(posted[2]["type"], "bot.runs");
    assert_eq!(breakers(&site).await, json!([]));
    assert_eq!(operator.wait_posted(3, WITHIN).await.unwrap().len(), 3, "one for each change");
}

#[tokio::test]
async fn a_vendor_that_does_not_answer_is_left_alone_and_the_tenant_is_told() {
    let owner = Pager::start().unwrap();
    let settings = json!({ "tenants": { "demo": { "alert-url": owner.url() } } });
    let calls = json!({ "inline": false });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, calls).with(settings).vendor_down();
    let site = setup.start().await.unwrap();
    for _ in 0..DESTINATION_FAILURES {
        assert_eq!(site.open().unwrap().start().await.unwrap().status, 200);
    }
    let posted = owner.wait_posted(1, WITHIN).await.unwrap();
    assert_eq!(posted[0]["type"], "destination.suspended");
    let alert = &posted[0]["data"];
    assert_eq!((&alert["channel"], &alert["blame"]), (&json!(MAIN), &json!("vendor")));
    assert_eq!(breakers(&site).await[0]["name"], MAIN);
}
