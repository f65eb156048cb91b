//! The whole twin on this machine's own address.

mod calls;
mod webhooks;

use serde_json::json;

use super::*;
use crate::host::{self, Host, quick};

const PSID: &str = "2410099887766";
const TOKEN: &str = "page-token";
const SECRET: &str = "fb-app-secret";

fn options() -> Options {
    Options { noise: Noise::NONE, ..Options::new(SECRET, "meatyhamhock", TOKEN) }
}

/// A page to which one person has written.
fn page(options: Options) -> Twin<Page> {
    let twin = start(options, quick()).unwrap();
    twin.account().act(PSID, Act::Write("hello".to_owned())).unwrap();
    twin
}

async fn post(twin: &Twin<Page>, edge: &str, body: &Value) -> (u16, Value) {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    host::call(twin, "POST", &format!("/v23.0/me/{edge}"), &headers, body.to_string()).await
}

async fn send(twin: &Twin<Page>, message: Value) -> (u16, Value) {
    let recipient = json!({ "id": PSID });
    let body = json!({ "recipient": recipient, "messaging_type": "RESPONSE", "message": message });
    post(twin, "messages", &body).await
}

/// Code and subcode of an error.
fn code(body: &Value) -> (u64, u64) {
    let error = &body["error"];
    assert_eq!(error["type"], "OAuthException", "{body}");
    assert!(error["message"].is_string() && error["fbtrace_id"].is_string(), "{body}");
    (error["code"].as_u64().unwrap(), error["error_subcode"].as_u64().unwrap_or_default())
}
