//! Who may ask for what.

use botyard_kernel::run::Blame;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{API_KEY, EMAIL, STREAM, STREAM_SECRET};
use super::{channel, event, parsed, rejection, request, respond, send, told};
use super::{settings, start, with};
use crate::Rejection;

const NEW_KEY: &str = "the key after it";

fn refused(settings: Value, body: &Value) -> Rejection {
    let rejection = rejection(send(&*channel(settings), body));
    for secret in [API_KEY, NEW_KEY, STREAM, "guess"] {
        assert!(!rejection.reason.contains(secret), "{}", rejection.reason);
    }
    rejection
}

#[test]
fn a_start_must_show_a_live_key() {
    let one = settings();
    let two = with(&json!({ "api-key": [API_KEY, NEW_KEY] }));
    let new = with(&json!({ "api-key": NEW_KEY }));
    let rows = [
        (&one, json!(API_KEY), true),
        (&one, json!(NEW_KEY), false),
        (&two, json!(API_KEY), true),
        (&two, json!(NEW_KEY), true),
        (&new, json!(API_KEY), false),
        (&new, json!(NEW_KEY), true),
        (&one, json!("guess"), false),
        (&one, json!("api_key"), false),
        (&one, json!("API_KEY "), false),
        (&one, json!(""), false),
        (&one, json!(null), false),
        (&one, json!(7), false),
        (&one, json!([API_KEY]), false),
    ];
    for (settings, key, taken) in rows {
        let body = start(&json!({ "apiKey": key }));
        if taken {
            event(send(&*channel(settings.clone()), &body));
        } else {
            let rejection = refused(settings.clone(), &body);
            assert_eq!(rejection.status, StatusCode::UNAUTHORIZED, "{key}");
            assert_eq!(rejection.blame, Blame::Tenant, "{key}");
        }
    }
}

#[test]
fn the_key_is_checked_before_anything_else_is_told() {
    let wrong_all = json!({ "apiKey": "guess", "botId": 1, "email": 7, "callbackUrl": "x" });
    assert_eq!(refused(settings(), &start(&wrong_all)).status, StatusCode::UNAUTHORIZED);
}

#[test]
fn a_start_names_this_bot() {
    let of = |bot_id: Value| start(&json!({ "botId": bot_id }));
    let wrong = refused(settings(), &of(json!(474_960_033)));
    assert_eq!((wrong.status, wrong.blame), (StatusCode::NOT_FOUND, Blame::Tenant));
    for bot_id in [json!("474960032"), json!(-474_960_032), json!(474_960_032.5), json!(null)] {
        let rejection = refused(settings(), &of(bot_id.clone()));
        assert_eq!(rejection.status, StatusCode::BAD_REQUEST, "{bot_id}");
    }
    // Some JSON writers know only floats.
    event(send(&*channel(settings()), &of(json!(474_960_032.0))));
}

#[test]
fn a_stream_id_must_be_ours() {
    let body = |stream_id: Value| json!({ "streamId": stream_id, "message": { "text": "hi" } });
    event(send(&*channel(settings()), &body(json!(STREAM))));
    let mut forged = STREAM.to_owned();
    forged.replace_range(39.., if STREAM.ends_with('0') { "1" } else { "0" });
    for stream_id in ["", "478158890", &forged] {
        let rejection = refused(settings(), &body(json!(stream_id)));
        assert_eq!(rejection.status, StatusCode::NOT_FOUND, "{stream_id}");
    }
    for stream_id in [json!(478_158_890), json!(null), json!([STREAM])] {
        let rejection = refused(settings(), &body(stream_id.clone()));
        assert_eq!(rejection.status, StatusCode::BAD_REQUEST, "{stream_id}");
    }
    // The API key does not stand for a stream id.
    let with_key = json!({ "apiKey": API_KEY, "streamId": forged, "message": { "text": "hi" } });
    assert_eq!(refused(settings(), &with_key).status, StatusCode::NOT_FOUND);
}

#[test]
fn chats_outlive_a_change_of_the_stream_secret_while_both_are_there() {
    let next = "the stream secret that comes after it";
    let hello = respond(json!({ "text": "hi" }));
    let both = with(&json!({ "stream-secret": [next, STREAM_SECRET] }));
    event(send(&*channel(both.clone()), &hello));
    let begun = event(send(&*channel(both), &start(&json!({}))));
    let begun = &parsed(begun.reply_to.unwrap().as_bytes())["stream"];
    assert_ne!(begun, STREAM);
    let only_new = with(&json!({ "stream-secret": next }));
    assert_eq!(refused(only_new.clone(), &hello).status, StatusCode::NOT_FOUND);
    let later = json!({ "streamId": begun, "message": { "text": "hi" } });
    event(send(&*channel(only_new), &later));
}

#[test]
fn other_paths_and_methods_are_refused() {
    let channel = channel(settings());
    let body = start(&json!({})).to_string();
    let status = |method: &Method, path: &str| {
        rejection(request(&*channel, method, path, body.as_bytes())).status.as_u16()
    };
    for path in ["", "secure", "send", "secure/send/", "secure/sent", "v1/secure/send", "é"] {
        assert_eq!(status(&Method::POST, path), 404, "{path}");
    }
    for path in ["secure/send", "secure/user"] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
            assert_eq!(status(&method, path), 405, "{method} {path}");
        }
    }
}

#[test]
fn a_user_is_told_to_whoever_has_the_key() {
    let channel = channel(settings());
    let ask =
        |body: Value| request(&*channel, &Method::POST, "secure/user", body.to_string().as_bytes());
    let reply = told(ask(json!({ "apiKey": API_KEY, "email": EMAIL })));
    assert_eq!((reply.status, reply.content_type), (StatusCode::OK, "application/json"));
    let rows = [
        (json!({ "apiKey": "guess", "email": EMAIL }), 401),
        (json!({ "email": EMAIL }), 401),
        (json!({ "apiKey": API_KEY }), 400),
        (json!({ "apiKey": API_KEY, "email": "" }), 400),
        (json!({ "apiKey": API_KEY, "email": 7 }), 400),
        (json!({ "streamId": STREAM, "email": EMAIL }), 401),
        (json!([]), 400),
    ];
    for (body, status) in rows {
        assert_eq!(rejection(ask(body.clone())).status.as_u16(), status, "{body}");
    }
}

#[test]
fn refusals_have_the_form_and_the_statuses_of_the_dialect() {
    let told = |settings: Value, body: &Value| {
        let channel = channel(settings);
        let rejection = rejection(send(&*channel, body));
        let reply = channel.refusal(&rejection).expect("a body");
        assert_eq!((reply.status, reply.content_type), (rejection.status, "application/json"));
        (reply.status.as_u16(), reply.body, rejection.reason)
    };
    let wrong_key = start(&json!({ "apiKey": "guess" }));
    let (status, body, reason) = told(settings(), &wrong_key);
    assert_eq!(status, 401);
    assert_eq!(
        parsed(&body),
        json!({ "apiStatusCode": "Unauthorized", "apiStatusMessage": reason })
    );
    let own = with(&json!({ "dialect": { "errors": {
        "wrong-key": 403, "code-key": "error", "message-key": "why", "codes": { "403": "go away" },
    } } }));
    let (status, body, reason) = told(own.clone(), &wrong_key);
    assert_eq!(status, 403);
    assert_eq!(parsed(&body), json!({ "error": "go away", "why": reason }));
    // A status without a code.
    let (status, body, _) = told(own, &start(&json!({ "botId": 1 })));
    assert_eq!((status, &parsed(&body)["error"]), (404, &json!("Error")));
    assert_ne!(body, Bytes::new());
}
