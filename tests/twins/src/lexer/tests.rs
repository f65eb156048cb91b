//! The whole twin on this machine's own address.

use super::*;
use crate::faults::{Fault, Faults};
use crate::host;

const PAGE: &str = "410088123456789";

fn hub() -> Twin<Hub> {
    let accounts = vec![PAGE.to_owned()];
    let hub = Hub { client_id: 42, token: "token".to_owned(), accounts };
    start(hub, Conduct::default()).unwrap()
}

async fn tell(twin: &Twin<Hub>, action: &str, body: impl Into<reqwest::Body>) -> (u16, Value) {
    let headers = [("auth-api-token", "token"), ("content-type", "application/json")];
    host::call(twin, "POST", &format!("/api/clients/42/bots/objects/{action}"), &headers, body)
        .await
}

fn claim(mid: &str) -> Value {
    json!({
        "object_id": mid,
        "published_at": 1_700_000_752_478_u64,
        "source": "facebook",
        "state": "closed",
        "account_id": PAGE,
    })
}

fn echo(mid: &str) -> Value {
    let mut echo = claim(mid);
    echo.as_object_mut().unwrap().shift_remove("state");
    echo
}

fn with(key: &str, value: Value) -> Value {
    let mut claim = claim("m_1");
    claim[key] = value;
    claim
}

fn without(key: &str) -> Value {
    let mut claim = claim("m_1");
    claim.as_object_mut().unwrap().shift_remove(key);
    claim
}

#[tokio::test]
async fn claims_leave_the_inbox_and_echoes_do_not() {
    let twin = hub();
    let ok = (201, json!({ "status": "ok" }));
    assert_eq!(tell(&twin, "claim", claim("m_1").to_string()).await, ok);
    assert_eq!(tell(&twin, "claim", claim("m_1").to_string()).await, ok);
    assert_eq!(tell(&twin, "echo", echo("m_2").to_string()).await, ok);
    let account = twin.account();
    assert_eq!(account.claimed(PAGE), ["m_1", "m_1"]);
    assert_eq!(account.echoed(PAGE), ["m_2"]);
    assert_eq!(account.inbox(PAGE, &["m_1", "m_2", "m_3"]), ["m_2", "m_3"]);
}

#[tokio::test]
async fn times_are_epochs_or_dates() {
    let twin = hub();
    let good = [
        json!(1_458_692_752_478_u64),
        json!("1458692752478"),
        json!("2017-08-01t05:29:44Z"),
        json!("2023-11-14T22:25:52Z"),
        json!("2023-11-14T22:25:52.478+01:00"),
    ];
    for time in good {
        assert_eq!(
            tell(&twin, "claim", with("published_at", time.clone()).to_string()).await.0,
            201,
            "{time}"
        );
    }
    for time in [json!(1.5), json!("yesterday"), json!("2023-11-14"), json!(true), json!({})] {
        assert_eq!(
            tell(&twin, "claim", with("published_at", time.clone()).to_string()).await,
            (500, json!(SCARY)),
            "{time}"
        );
    }
}

#[tokio::test]
async fn mistakes_have_the_answers_of_the_page() {
    let twin = hub();
    let error = |why: &str| json!({ "error": why });
    let account = json!({
        "status": "400 Invalid Account",
        "error": "Cannot find an integrated account: 12345",
    });
    let rows = [
        ("claim", with("account_id", json!("12345")), 400, account),
        ("claim", without("object_id"), 500, error("object_id is missing")),
        ("claim", with("object_id", json!("")), 500, error("object_id is missing")),
        ("claim", without("published_at"), 500, error("published_at is missing")),
        ("claim", without("account_id"), 500, error("account_id is missing")),
        ("claim", without("source"), 500, json!(BAD_SOURCE)),
        ("echo", with("source", json!("twitter")), 500, json!(BAD_SOURCE)),
        ("claim", without("state"), 500, error("state does not have a valid value")),
        ("claim", with("state", json!("open")), 500, error("state does not have a valid value")),
        ("echo", claim("m_1"), 500, json!(SCARY)),
        ("claim", with("object_id", json!(5)), 500, json!(SCARY)),
        ("claim", with("colour", json!("red")), 500, json!(SCARY)),
        ("claim", json!([claim("m_1")]), 500, json!(SCARY)),
    ];
    for (action, body, status, answer) in rows {
        assert_eq!(
            tell(&twin, action, body.to_string()).await,
            (status, answer),
            "{action} {body}"
        );
    }
    assert_eq!(tell(&twin, "claim", "{").await, (500, json!(SCARY)));
    assert!(twin.account().claimed(PAGE).is_empty());
}

#[tokio::test]
async fn a_call_needs_the_token_and_an_address() {
    let twin = hub();
    let json_type = ("content-type", "application/json");
    let path = "/api/clients/42/bots/objects/claim";
    let rows = [
        (201, "POST", path, "token"),
        (401, "POST", path, "guess"),
        (404, "PUT", path, "token"),
        (404, "POST", "/api/clients/43/bots/objects/claim", "token"),
        (404, "POST", "/api/clients/42/bots/objects/release", "token"),
    ];
    for (status, method, path, token) in rows {
        let headers = [json_type, ("auth-api-token", token)];
        let answer = host::call(&twin, method, path, &headers, claim("m").to_string()).await;
        assert_eq!(answer.0, status, "{method} {path} {token}");
    }
    let plain = [("auth-api-token", "token"), ("content-type", "text/plain")];
    let answer = host::call(&twin, "POST", path, &plain, claim("m").to_string()).await;
    assert_eq!(answer, (500, json!(SCARY)));
}

#[tokio::test]
async fn faults_meet_claims() {
    let rows = [(Fault::Broken, 500, 0), (Fault::CutAfter, 0, 1), (Fault::LimitedFor, 429, 0)];
    for (fault, status, claims) in rows {
        let twin = hub();
        twin.account().set_faults(Faults::seeded(1).with(fault, 1.0));
        assert_eq!(tell(&twin, "claim", claim("m").to_string()).await.0, status, "{fault:?}");
        assert_eq!(twin.account().claimed(PAGE).len(), claims, "{fault:?}");
    }
}
