//! The whole twin on this machine's own address.

mod calls;
mod lifecycle;
mod webhooks;

use serde_json::json;

use super::*;
use crate::host::{self, Host, quick};

const AUTHOR: &str = "7200011122";

/// A live bot whose webhooks go to a host, with a token.
struct Bot {
    twin: Twin<Care>,
    token: String,
}

impl Bot {
    fn start(options: Options, url: &str) -> Self {
        let twin = start(options, quick()).unwrap();
        twin.account().register(url, "BASIC_AUTH", "khoros", "hook").unwrap();
        let token = twin.account().token();
        Self { twin, token }
    }

    /// As [`Bot::start`]; an author has written, and the conversation exists.
    fn spoken(options: Options) -> Self {
        let bot = Self::start(options, "http://127.0.0.1:9/");
        bot.twin.account().act(AUTHOR, Act::Write("hello".to_owned())).unwrap();
        bot.twin.account().create(AUTHOR);
        bot
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let bearer = format!("Bearer {}", self.token);
        let kind = "application/json; charset=utf-8";
        let headers = [("authorization", &*bearer), ("content-type", kind)];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        host::call(&self.twin, method, &format!("/bots/v3/{path}"), &headers, body).await
    }

    async fn respond(&self, message: Value) -> (u16, Value) {
        self.call("POST", "respond", &addressed(message)).await
    }

    fn names(&self) -> Vec<String> {
        self.twin.account().seen(AUTHOR).iter().map(|seen| seen.name.clone()).collect()
    }
}

fn options() -> Options {
    Options::new("admin", "password")
}

/// Adds where and for whom it is.
fn addressed(mut body: Value) -> Value {
    body["coordinate"] = json!({
        "companyKey": "acmehotel",
        "networkKey": "facebook",
        "externalId": "410088123456789",
        "botId": "acme-bot",
        "scope": "PRIVATE",
    });
    body["author"] = json!({ "id": AUTHOR, "fullName": "Ines Roth" });
    body
}

fn say(text: &str) -> Value {
    json!({ "type": "message", "text": text })
}

/// The text of the envelope that most endpoints have.
fn why(body: &Value) -> &str {
    body["error"]["messages"][0].as_str().unwrap_or_default()
}
