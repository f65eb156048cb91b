//! Who may call the webhook, and what whoever set it up wrongly is told.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use botyard_kernel::run::Blame;
use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::super::dialect::Algorithm;
use super::super::verify::sign;
use super::{SECRET, basic, channel, event, headers, receive_with, rejection, webhook, with};
use crate::{Inbound, Received, Vendor};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(dialect: Value) -> Value {
    with(json!({ "webhook-method": "hmac", "dialect": { "hmac": dialect } }))
}

fn refused(channel: &dyn Vendor, headers: &HeaderMap) -> String {
    let rejection = rejection(receive_with(channel, headers, webhook().to_string().as_bytes()));
    assert_eq!((rejection.status, rejection.blame), (StatusCode::UNAUTHORIZED, Blame::Tenant));
    assert!(!rejection.reason.contains('\n') && !rejection.reason.contains(SECRET));
    rejection.reason
}

#[test]
fn known_signatures_of_rfc_4231_and_2202() {
    let (key, data) = (b"Jefe", b"what do ya want for nothing?");
    let rows = [
        (Algorithm::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (Algorithm::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            Algorithm::Sha512,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f\
             65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ];
    for (algorithm, expect) in rows {
        assert_eq!(hex(&sign(algorithm, key, data)), expect, "{}", algorithm.name());
    }
}

#[test]
fn basic_knows_the_user_and_either_secret() {
    let two = channel(with(json!({ "webhook-secret": ["old one", "new: one"] })));
    for password in ["old one", "new: one"] {
        let shown = headers(&[("authorization", &basic("khoros", password))]);
        event(receive_with(&*two, &shown, webhook().to_string().as_bytes()));
    }
    let lower = basic("khoros", "old one").replace("Basic", "basic");
    let shown = headers(&[("authorization", &lower)]);
    event(receive_with(&*two, &shown, webhook().to_string().as_bytes()));
}

#[test]
fn whoever_does_not_know_the_password_is_told_why() {
    let one = channel(with(json!({})));
    let rows = [
        (headers(&[]), "is missing"),
        (headers(&[("authorization", "Bearer abc")]), "is missing"),
        (headers(&[("authorization", "Basic !!")]), "is missing"),
        (headers(&[("authorization", &basic("khoros", ""))]), "is not the channel's"),
        (headers(&[("authorization", &basic("khoros", "wrong"))]), "is not the channel's"),
        (headers(&[("authorization", "Basic a2hvcm9z")]), "is not the channel's"),
        (headers(&[("authorization", &basic("somebody", SECRET))]), "the user is not"),
    ];
    for (shown, expect) in rows {
        let reason = refused(&*one, &shown);
        assert!(reason.contains(expect), "{shown:?}: {reason}");
    }
}

#[test]
fn signatures_in_every_form_of_the_dialect() {
    let body = webhook().to_string();
    for algorithm in Algorithm::ALL {
        let made = sign(algorithm, SECRET.as_bytes(), body.as_bytes());
        let rows = [
            ("hex", hex(&made)),
            ("hex", hex(&made).to_uppercase()),
            ("base64", STANDARD.encode(&made)),
            ("base64", URL_SAFE_NO_PAD.encode(&made)),
        ];
        for (encoding, text) in rows {
            let channel = channel(hmac(json!({
                "header": "X-Signed", "algorithm": algorithm.name(), "encoding": encoding,
                "prefix": "v1=",
            })));
            let shown = headers(&[("x-signed", &format!("v1={text}"))]);
            event(receive_with(&*channel, &shown, body.as_bytes()));
            let other = body.replace("Hello", "Hallo");
            let rejected = rejection(receive_with(&*channel, &shown, other.as_bytes()));
            assert_eq!(rejected.status, StatusCode::UNAUTHORIZED);
        }
    }
}

#[test]
fn either_of_two_secrets_signs() {
    let mut settings = hmac(json!({}));
    settings["webhook-secret"] = json!(["old", "new"]);
    let channel = channel(settings);
    let body = webhook().to_string();
    for (secret, known) in [("old", true), ("new", true), ("other", false)] {
        let made = sign(Algorithm::Sha256, secret.as_bytes(), body.as_bytes());
        let shown = headers(&[("x-hmac-signature", &STANDARD.encode(made))]);
        let received = receive_with(&*channel, &shown, body.as_bytes());
        assert_eq!(matches!(received, Received::Events { .. }), known, "{secret}");
    }
}

#[test]
fn a_refusal_says_what_would_have_matched() {
    let body = webhook().to_string();
    let sha1 = sign(Algorithm::Sha1, SECRET.as_bytes(), body.as_bytes());
    let sha512 = sign(Algorithm::Sha512, SECRET.as_bytes(), body.as_bytes());
    let rows = [
        ("x-hub-signature", format!("sha1={}", hex(&sha1)), "sha1 in hex after the prefix `sha1=`"),
        (
            "authorization",
            format!("HMAC khoros:{}", STANDARD.encode(&sha512)),
            "sha512 in base64 after the prefix `HMAC khoros:`",
        ),
        ("x-hmac-signature", hex(&sha1), "sha1 in hex after the prefix ``"),
    ];
    for (name, value, expect) in rows {
        for channel in [channel(hmac(json!({}))), channel(with(json!({})))] {
            let reason = refused(&*channel, &headers(&[(name, &value)]));
            assert!(reason.contains(expect) && reason.contains(name), "{reason}");
        }
    }
    let reason = refused(
        &*channel(hmac(json!({}))),
        &headers(&[("authorization", &basic("khoros", SECRET))]),
    );
    assert!(reason.contains("set `webhook-method` to `basic`"), "{reason}");
}

#[test]
fn a_refusal_without_anything_that_matches_says_so() {
    let signed = channel(hmac(json!({})));
    assert!(refused(&*signed, &headers(&[])).contains("`x-hmac-signature` is missing"));
    let wrong = STANDARD.encode(sign(Algorithm::Sha256, b"another", b"body"));
    let reason = refused(&*signed, &headers(&[("x-hmac-signature", &wrong)]));
    assert!(reason.contains("is no sha256 signature in base64"), "{reason}");
    let long = "a".repeat(5_000);
    refused(&*signed, &headers(&[("x-hmac-signature", &long)]));
    refused(&*signed, &headers(&[("x-hmac-signature", "=,=: :=,é")]));
}

#[test]
fn another_method_is_refused_before_anything_is_read() {
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = Inbound {
            method: &method,
            rest: "",
            query: None,
            headers: &headers(&[("authorization", &basic("khoros", SECRET))]),
            body: &Bytes::from_static(b"{}"),
            chance: Seed::default(),
        };
        let rejection = rejection(channel(with(json!({}))).receive(&request, 0));
        assert_eq!(rejection.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
