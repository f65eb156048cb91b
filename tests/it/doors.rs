//! The doors of channels, which speak the management API's language and stand in its
//! description.

use botyard_tests::client::userlike::client;
use botyard_tests::site::{DESK_TOKEN, SIGNAL_TOKEN, Site};
use http::Method;
use serde_json::{Value, json};

use crate::puppet::{begun, site};

/// An operation of the description.
struct Operation {
    method: Method,
    path: String,
    says: Value,
}

async fn described(site: &Site) -> Vec<Operation> {
    let answer = client().unwrap().get(site.url("/v1/openapi.json")).send().await.unwrap();
    let description: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let paths = description["paths"].as_object().unwrap().iter();
    let doors = paths.filter(|(path, _)| path.starts_with("/v1/channels/"));
    let each = doors.flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, says)| Operation {
            method: method.to_uppercase().parse().unwrap(),
            path: path.clone(),
            says: says.clone(),
        })
    });
    each.collect()
}

/// What is answered to whoever shows a token, as status and problem.
async fn asked(
    site: &Site,
    method: &Method,
    path: &str,
    token: Option<&str>,
    key: Option<&str>,
    body: Option<String>,
) -> (u16, Value) {
    let mut request = client().unwrap().request(method.clone(), site.url(path));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(key) = key {
        request = request.header("idempotency-key", key);
    }
    let answer = request.body(body.unwrap_or_default()).send().await.unwrap();
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    if status >= 400 {
        assert_eq!(kind.as_deref(), Some("application/problem+json"), "{path}: {body}");
        assert_eq!(body["status"], json!(status), "{body}");
    }
    (status, body)
}

#[tokio::test]
async fn each_door_is_described_and_opens_to_its_own_token_alone() {
    let site = site().await;
    let conversation = begun(&site).await;
    let doors = described(&site).await;
    assert_eq!(doors.len(), 6, "a door that is new is tried here as well");
    for Operation { method, path, says } in doors {
        let signals = path.ends_with("/signals");
        let (scheme, own, foreign) = match signals {
            true => ("signal-token", SIGNAL_TOKEN, DESK_TOKEN),
            false => ("desk-token", DESK_TOKEN, SIGNAL_TOKEN),
        };
        assert_eq!(says["security"], json!([{ scheme: [] }]), "{path}");
        assert_eq!(says["servers"][0]["url"], "/", "{path}");
        let filled = |channel: &str| {
            path.replace("{channel}", channel).replace("{conversation}", &conversation.cid)
        };
        for (token, channel) in
            [(None, "main"), (Some(foreign), "main"), (Some("guess"), "main"), (Some(own), "none")]
        {
            // Whatever else is wrong, strangers are told of their token only.
            let path = format!("{}?after=x", filled(channel));
            let (status, problem) = asked(&site, &method, &path, token, None, None).await;
            assert_eq!((status, &problem["code"]), (401, &json!("unauthorized")), "{path}");
        }
        let body = if signals { json!({"name": "n"}) } else { json!({}) };
        let body = if path.ends_with("/replies") { json!({"text": "t"}) } else { body };
        let body = (method == Method::POST).then(|| body.to_string());
        let path = filled("main");
        let (status, answer) = asked(&site, &method, &path, Some(own), Some("k"), body).await;
        assert!(says["responses"].get(status.to_string()).is_some(), "{path}: {status} {answer}");
        assert!(status < 300, "{path}: {status} {answer}");
    }
}

#[tokio::test]
async fn what_is_wrong_has_a_code_that_the_description_names() {
    let site = site().await;
    let conversation = begun(&site).await;
    let doors = described(&site).await;
    let long = json!({ "name": "n", "payload": "x".repeat(70_000) }).to_string();
    let (signals, replies, take) = ("conversations/{}/signals", "replies", "take");
    let desk = |step: &str| format!("desk/conversations/{{}}/{step}");
    let get = Method::GET;
    let rows = [
        (Method::POST, signals.to_owned(), Some("k"), "[\"n\", 1]".to_owned(), "bad-request"),
        (Method::POST, signals.to_owned(), None, "{}".to_owned(), "bad-request"),
        (Method::POST, signals.to_owned(), Some("k"), long.clone(), "too-large"),
        (Method::POST, desk(replies), Some("k"), "{\"text\": \"\"}".to_owned(), "bad-request"),
        (Method::POST, desk(replies), Some("k"), "[\"text\"]".to_owned(), "bad-request"),
        (Method::POST, desk(take), Some("k"), long, "too-large"),
        (get.clone(), desk("messages?after=x"), None, String::new(), "bad-request"),
        (get.clone(), "desk/conversations?after=x".to_owned(), None, String::new(), "bad-request"),
        (get, "desk/conversations?before=x".to_owned(), None, String::new(), "bad-request"),
    ];
    for (method, path, key, body, code) in rows {
        let token = if path.ends_with("/signals") { SIGNAL_TOKEN } else { DESK_TOKEN };
        let path = format!("/v1/channels/main/{}", path.replace("{}", &conversation.cid));
        let (status, problem) =
            asked(&site, &method, &path, Some(token), key, Some(body.clone())).await;
        assert_eq!(problem["code"], code, "{path} {problem}");
        let said = format!("`{code}`: ");
        let named = doors.iter().any(|door| {
            let described = door.says["responses"][status.to_string()]["description"].as_str();
            door.method == method && described.is_some_and(|text| text.starts_with(&said))
        });
        assert!(named, "{path}: {status} {code}");
    }
    let nobody = [
        ("conversations/nobody/signals", SIGNAL_TOKEN, Method::POST, "{\"name\": \"n\"}"),
        ("desk/conversations/nobody/messages", DESK_TOKEN, Method::GET, ""),
    ];
    for (path, token, method, body) in nobody {
        let path = format!("/v1/channels/main/{path}");
        let body = Some(body.to_owned());
        let (status, problem) = asked(&site, &method, &path, Some(token), Some("k"), body).await;
        assert_eq!((status, &problem["code"]), (404, &json!("not-found")), "{problem}");
    }
}
