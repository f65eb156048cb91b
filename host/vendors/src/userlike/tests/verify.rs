//! Who may call the webhook.

use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{API_URL, SECRET, channel, event, headers, rejection, webhook};
use crate::{Inbound, Received};

const URL_SECRET: &str = "aLongSecretInTheUrl-1";
const OK: u16 = 200;

/// Settings with this beside the API's own.
fn settings(checked: Value) -> Value {
    let mut settings = json!({ "api-url": API_URL, "api-token": "t" });
    settings.as_object_mut().unwrap().extend(checked.as_object().unwrap().clone());
    settings
}

fn call(settings: Value, method: &Method, rest: &str, named: &[(&'static str, &str)]) -> Received {
    let body = Bytes::from(webhook("message", json!({ "body": "hi" })).to_string());
    let headers = headers(named);
    let request = Inbound {
        method,
        rest,
        query: None,
        headers: &headers,
        body: &body,
        chance: Seed::default(),
    };
    channel(settings).receive(&request, 0)
}

#[track_caller]
fn check(checked: Value, rest: &str, named: &[(&'static str, &str)], expect: u16) {
    let received = call(settings(checked), &Method::POST, rest, named);
    if expect == OK {
        event(received);
        return;
    }
    let rejection = rejection(received);
    assert_eq!(rejection.status.as_u16(), expect);
    for secret in [SECRET, URL_SECRET, "guess"] {
        assert!(!rejection.reason.contains(secret), "{}", rejection.reason);
    }
}

#[test]
fn the_header_must_carry_a_live_secret() {
    let one = json!({ "webhook-secret": SECRET });
    check(one.clone(), "", &[("API-SECURITY-TOKEN", SECRET)], OK);
    check(one.clone(), "", &[("api-security-token", SECRET)], OK);
    check(one.clone(), "some/path", &[("api-security-token", SECRET)], OK);
    check(one.clone(), "", &[], 401);
    check(one.clone(), "", &[("api-security-token", "guess")], 401);
    check(one.clone(), "", &[("api-security-token", "")], 401);
    check(one.clone(), "", &[("api-security-token", &SECRET[1..])], 401);
    check(one.clone(), "", &[("api-security-token", &format!("{SECRET}s"))], 401);
    check(one, "", &[("security-token", SECRET)], 401);

    let named = json!({ "webhook-header": "X-Bakery", "webhook-secret": SECRET });
    check(named.clone(), "", &[("x-bakery", SECRET)], OK);
    check(named, "", &[("api-security-token", SECRET)], 401);
}

#[test]
fn two_secrets_live_while_they_are_changed() {
    let two = json!({ "webhook-secret": ["the new one", SECRET] });
    check(two.clone(), "", &[("api-security-token", SECRET)], OK);
    check(two.clone(), "", &[("api-security-token", "the new one")], OK);
    check(two, "", &[("api-security-token", "guess")], 401);
}

#[test]
fn the_url_may_carry_the_secret() {
    let one = json!({ "webhook-url-secret": URL_SECRET });
    check(one.clone(), URL_SECRET, &[], OK);
    check(one.clone(), "", &[], 401);
    check(one.clone(), "guess", &[], 401);
    check(one, &format!("{URL_SECRET}/more"), &[], 401);

    let both = json!({ "webhook-url-secret": URL_SECRET, "webhook-secret": SECRET });
    check(both.clone(), URL_SECRET, &[("api-security-token", SECRET)], OK);
    check(both.clone(), URL_SECRET, &[], 401);
    check(both, "", &[("api-security-token", SECRET)], 401);
}

#[test]
fn a_missing_header_reads_otherwise_than_a_wrong_one() {
    let one = || settings(json!({ "webhook-secret": SECRET }));
    let missing = rejection(call(one(), &Method::POST, "", &[]));
    let wrong = rejection(call(one(), &Method::POST, "", &[("api-security-token", "guess")]));
    assert!(missing.reason.contains("`api-security-token` is missing"), "{}", missing.reason);
    assert!(wrong.reason.contains("`api-security-token` is there"), "{}", wrong.reason);
}

#[test]
fn only_posts_are_webhooks() {
    let named = [("api-security-token", SECRET)];
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let settings = settings(json!({ "webhook-secret": SECRET }));
        let rejection = rejection(call(settings, &method, "", &named));
        assert_eq!(rejection.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}
