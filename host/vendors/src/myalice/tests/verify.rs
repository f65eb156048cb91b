//! Who may call, and where.

use botyard_kernel::run::Blame;
use botyard_kernel::session::Seed;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    SECRET, block, channel, event, headers, receive_as, rejection, settings, ticket, with,
};
use crate::{Inbound, Received};

const URL_SECRET: &str = "aLongSecretInTheUrl-1";
const OK: u16 = 200;

fn call(changes: &Value, rest: &str, body: &Value, named: &[(&'static str, &str)]) -> Received {
    let request = Inbound {
        method: &Method::POST,
        rest,
        query: None,
        headers: &headers(named),
        body: &Bytes::from(body.to_string()),
        chance: Seed::default(),
    };
    channel(with(changes)).receive(&request, 0)
}

#[track_caller]
fn check(changes: &Value, rest: &str, named: &[(&'static str, &str)], expect: u16) {
    let body = if rest.starts_with("tickets") { ticket("ticket_created") } else { block("hi") };
    let received = call(changes, rest, &body, named);
    if expect == OK {
        event(received);
        return;
    }
    let rejection = rejection(received);
    assert_eq!((rejection.status.as_u16(), rejection.blame), (expect, Blame::Tenant));
    for secret in [SECRET, URL_SECRET, "guess"] {
        assert!(!rejection.reason.contains(secret), "{}", rejection.reason);
    }
}

#[test]
fn the_header_must_carry_a_live_secret() {
    let usual = json!({});
    for rest in ["text/orders", "quick-reply/orders", "tickets"] {
        check(&usual, rest, &[("X-Secret", SECRET)], OK);
        check(&usual, rest, &[("x-secret", SECRET)], OK);
        check(&usual, rest, &[], 401);
        check(&usual, rest, &[("x-secret", "guess")], 401);
        check(&usual, rest, &[("x-secret", "")], 401);
        check(&usual, rest, &[("x-secret", &SECRET[1..])], 401);
        check(&usual, rest, &[("x-secret", &format!("{SECRET}s"))], 401);
        check(&usual, rest, &[("x-other", SECRET)], 401);
    }
    let named = json!({ "webhook-header": "X-Bakery" });
    check(&named, "text/orders", &[("x-bakery", SECRET)], OK);
    check(&named, "text/orders", &[("x-secret", SECRET)], 401);
}

#[test]
fn two_secrets_live_while_they_are_changed() {
    let two = json!({ "webhook-secret": ["the new one", SECRET] });
    check(&two, "text/orders", &[("x-secret", SECRET)], OK);
    check(&two, "text/orders", &[("x-secret", "the new one")], OK);
    check(&two, "text/orders", &[("x-secret", "guess")], 401);
}

#[test]
fn ticket_webhooks_may_carry_the_secret_in_their_url() {
    let set = json!({ "tickets-url-secret": URL_SECRET });
    let there = format!("tickets/{URL_SECRET}");
    check(&set, &there, &[], OK);
    check(&set, "tickets", &[("x-secret", SECRET)], 401);
    check(&set, "tickets/guess", &[("x-secret", SECRET)], 401);
    check(&set, &format!("{there}/more"), &[], 401);
    check(&set, "text/orders", &[("x-secret", SECRET)], OK);
    check(&set, "text/orders", &[], 401);
    check(&set, &format!("text/{URL_SECRET}"), &[], 401);

    let two = json!({ "tickets-url-secret": ["anotherSecretInTheUrl-2", URL_SECRET] });
    check(&two, &there, &[], OK);
    check(&two, "tickets/anotherSecretInTheUrl-2", &[], OK);

    check(&json!({}), &there, &[], 401);
}

#[test]
fn another_url_is_none_of_the_channels() {
    let named = [("x-secret", SECRET)];
    let long = format!("text/{}", "e".repeat(201));
    let rests = [
        "",
        "text",
        "text/",
        "texts/orders",
        "Text/orders",
        "orders/text",
        "text/a/b",
        "text/ ",
        "quick_reply/orders",
        "tickets/more",
        "tickets/orders/text",
        &long,
    ];
    for rest in rests {
        check(&json!({}), rest, &named, 404);
    }
    let rejection = rejection(call(&json!({}), "video/orders", &block("hi"), &named));
    for form in ["text", "image", "gallery", "button", "quick-reply", "tickets"] {
        assert!(rejection.reason.contains(&format!("`{form}`")), "{}", rejection.reason);
    }
}

#[test]
fn a_stranger_is_not_told_what_is_there() {
    check(&json!({}), "video/orders", &[], 401);
    check(&json!({}), "video/orders", &[("x-secret", "guess")], 401);
}

#[test]
fn a_missing_header_reads_otherwise_than_a_wrong_one() {
    let reason = |named: &[(&'static str, &str)]| {
        rejection(call(&json!({}), "text/orders", &block("hi"), named)).reason
    };
    assert!(reason(&[]).contains("`x-secret` is missing"));
    assert!(reason(&[("x-secret", "guess")]).contains("`x-secret` is there"));
}

#[test]
fn blocks_get_and_post_and_tickets_only_post() {
    let channel = channel(settings());
    let bodies = [("text/orders", block("hi")), ("tickets", ticket("ticket_created"))];
    for (rest, body) in bodies {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE] {
            let body = body.to_string();
            let received = receive_as(&*channel, &method, rest, None, body.as_bytes());
            if method == Method::GET && rest != "tickets" {
                event(received);
            } else {
                let status = rejection(received).status;
                assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method} {rest}");
            }
        }
    }
}

#[test]
fn every_form_but_that_of_tickets_takes_something() {
    for form in ["text", "image", "gallery", "button", "quick-reply"] {
        let got = event(super::receive(&format!("{form}/e"), block("hi").to_string().as_bytes()));
        assert_eq!((got.form, got.facts.entry.as_deref()), (form, Some("e")));
        let rides = channel(settings()).rides(form).unwrap();
        assert!(rides.len() > 1 && rides.contains(&"contact_update"), "{form}");
    }
    for form in ["", "tickets", "video"] {
        assert_eq!(channel(settings()).rides(form), Some(&[][..]), "{form}");
    }
}
