//! Who may call the webhook, and how its subscription is answered.

use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::{APP_SECRET, channel, fixtures, item, rejection, settings, signature, webhook};
use crate::{Inbound, Received};

fn body() -> Vec<u8> {
    webhook(&item("message", json!({ "mid": "m_1", "text": "hi" }))).to_string().into_bytes()
}

fn post(settings: Value, method: &Method, header: Option<(&str, &[u8])>, body: &[u8]) -> Received {
    let mut headers = HeaderMap::new();
    if let Some((name, value)) = header {
        let name: http::HeaderName = name.parse().unwrap();
        headers.insert(name, http::HeaderValue::from_bytes(value).unwrap());
    }
    let request = Inbound {
        method,
        rest: "",
        query: None,
        headers: &headers,
        body: &Bytes::copy_from_slice(body),
        chance: Seed::default(),
    };
    channel(settings).receive(&request, 0)
}

fn get(query: Option<&str>) -> Received {
    let request = Inbound {
        method: &Method::GET,
        rest: "",
        query,
        headers: &HeaderMap::new(),
        body: &Bytes::new(),
        chance: Seed::default(),
    };
    let mut settings = settings();
    settings["verify-token"] = json!(["meatyhamhock", "ein neues & grünes"]);
    channel(settings).receive(&request, 0)
}

#[test]
fn signatures_of_the_vendor_are_known() {
    for (name, fixture) in fixtures("messenger", "sig.") {
        let mut settings = settings();
        settings["app-secret"] = fixture["app_secret"].clone();
        let header = &fixture["headers"]["X-Hub-Signature-256"];
        let header = ("X-Hub-Signature-256", header.as_str().unwrap().as_bytes());
        let body = fixture["raw_body"].as_str().unwrap().as_bytes();
        let received = post(settings, &Method::POST, Some(header), body);
        match fixture["expect"].as_str() {
            Some("valid") => assert!(matches!(received, Received::Events { .. }), "{name}"),
            Some("invalid") => {
                assert_eq!(rejection(received).status, StatusCode::UNAUTHORIZED, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn only_the_signature_of_a_live_secret_over_these_bytes_will_do() {
    let body = body();
    let good = signature(APP_SECRET, &body);
    let refused = |header: Option<(&str, &[u8])>, words: &str| {
        let rejection = rejection(post(settings(), &Method::POST, header, &body));
        assert_eq!(rejection.status, StatusCode::UNAUTHORIZED, "{header:?}");
        assert!(rejection.reason.contains(words), "{header:?}: {}", rejection.reason);
        assert!(!rejection.reason.contains(APP_SECRET) && !rejection.reason.contains(&good[7..]));
    };
    let header = "x-hub-signature-256";
    refused(None, "is missing");
    refused(Some(("x-hub-signature", good.as_bytes())), "is missing");
    refused(Some((header, b"")), "64 hexadecimal digits");
    refused(Some((header, &good.as_bytes()[7..])), "64 hexadecimal digits");
    refused(Some((header, &good.as_bytes()[..70])), "64 hexadecimal digits");
    refused(Some((header, format!("{good}0").as_bytes())), "64 hexadecimal digits");
    refused(Some((header, good.replace("sha256", "sha1").as_bytes())), "64 hexadecimal digits");
    refused(Some((header, b"sha256=\xff\xfe")), "64 hexadecimal digits");
    refused(Some((header, signature("guess", &body).as_bytes())), "does not fit");
    refused(Some((header, signature(APP_SECRET, b"{}").as_bytes())), "does not fit");
    let taken = post(settings(), &Method::POST, Some((header, good.as_bytes())), &body);
    assert!(matches!(taken, Received::Events { .. }));
}

#[test]
fn two_secrets_live_while_they_are_changed() {
    let body = body();
    let with = |secrets: Value, signed: &str| {
        let mut settings = settings();
        settings["app-secret"] = secrets;
        let header = signature(signed, &body);
        post(settings, &Method::POST, Some(("x-hub-signature-256", header.as_bytes())), &body)
    };
    for secret in ["old", "new"] {
        let taken = with(json!(["new", "old"]), secret);
        assert!(matches!(taken, Received::Events { .. }), "{secret}");
    }
    assert_eq!(rejection(with(json!(["new", "old"]), "else")).status, StatusCode::UNAUTHORIZED);
    assert_eq!(rejection(with(json!("new"), "old")).status, StatusCode::UNAUTHORIZED);
}

#[test]
fn the_signature_is_looked_at_before_anything_else() {
    assert_eq!(rejection(post(settings(), &Method::POST, None, b"[")).status.as_u16(), 401);
    for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::PATCH] {
        let rejection = rejection(post(settings(), &method, None, b"{}"));
        assert_eq!(rejection.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
}

#[test]
fn subscriptions_of_the_vendor_are_answered() {
    for (name, fixture) in fixtures("messenger", "verify.") {
        assert_eq!(fixture["config"]["verify_token"], "meatyhamhock");
        let pairs = fixture["request"]["query"].as_object().unwrap();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs.iter().map(|(key, value)| (key, value.as_str().unwrap())))
            .finish();
        let status = match get(Some(&query)) {
            Received::Challenge(reply) => {
                assert_eq!(reply.body, fixture["expect"]["body"].as_str().unwrap(), "{name}");
                assert_eq!(reply.content_type, fixture["expect"]["content_type"], "{name}");
                reply.status
            }
            other => rejection(other).status,
        };
        assert_eq!(status.as_u16(), fixture["expect"]["status"], "{name}");
    }
}

#[test]
fn subscriptions_are_read_as_queries_are_written() {
    let row = |query: Option<&str>| match get(query) {
        Received::Challenge(reply) => (200, String::from_utf8(reply.body.to_vec()).unwrap()),
        other => (rejection(other).status.as_u16(), String::new()),
    };
    let all = "hub.mode=subscribe&hub.verify_token=meatyhamhock&hub.challenge=";
    assert_eq!(row(Some(&format!("{all}11"))), (200, "11".to_owned()));
    assert_eq!(row(Some(&format!("{all}a%2Bb+c%20%C3%BC"))), (200, "a+b c ü".to_owned()));
    assert_eq!(row(Some(&format!("{all}{}", "1".repeat(1024)))).0, 200);
    assert_eq!(row(Some(&format!("{all}{}", "1".repeat(1025)))).0, 400);
    assert_eq!(row(Some(all)).0, 400);
    assert_eq!(row(Some("hub.mode=subscribe&hub.verify_token=meatyhamhock")).0, 400);
    let other = "hub%2Emode=subscribe&hub.verify_token=ein+neues+%26+gr%C3%BCnes&hub.challenge=5";
    assert_eq!(row(Some(other)), (200, "5".to_owned()));
    assert_eq!(row(None).0, 403);
    assert_eq!(row(Some("")).0, 403);
    assert_eq!(row(Some("%ff=%ff&&&=")).0, 403);
    assert_eq!(row(Some(&all.replace("subscribe", "unsubscribe"))).0, 403);
    assert_eq!(row(Some(&format!("hub.verify_token=x&{all}11"))).0, 403);
    assert_eq!(row(Some("hub.mode=subscribe&hub.verify_token=&hub.challenge=1")).0, 403);
}
