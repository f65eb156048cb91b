//! One message of a person for each vendor, as it posts it.

use botyard_kernel::session::Seed;
use botyard_vendors::{Inbound, Received, Rejection, Vendor};
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000_000;

/// A webhook.
pub(crate) struct Sample {
    pub(crate) vendor: &'static str,
    /// What follows the channel's name in the URL.
    pub(crate) rest: &'static str,
    pub(crate) body: String,
}

impl Sample {
    pub(crate) fn read(&self, channel: &dyn Vendor, body: &[u8]) -> Received {
        let body = Bytes::copy_from_slice(body);
        channel.read(&self.inbound(&HeaderMap::new(), &body), NOW)
    }

    pub(crate) fn verify(&self, channel: &dyn Vendor) -> Result<(), Rejection> {
        let body = Bytes::from(self.body.clone());
        channel.verify(&self.inbound(&HeaderMap::new(), &body))
    }

    fn inbound<'a>(&self, headers: &'a HeaderMap, body: &'a Bytes) -> Inbound<'a> {
        let (method, rest) = (&Method::POST, self.rest);
        Inbound { method, rest, query: None, headers, body, chance: Seed::default() }
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Sample> {
    let sample = |vendor, rest, body: Value| Sample { vendor, rest, body: body.to_string() };
    let item = json!({
        "sender": { "id": "7200" }, "recipient": { "id": "410088" }, "timestamp": NOW,
        "message": { "mid": "m_1", "text": "Grüß Gott 👋" },
    });
    let page = json!({ "object": "page",
        "entry": [{ "id": "410088", "time": NOW, "messaging": [item] }] });
    vec![
        sample(
            "userlike",
            "",
            json!({
                "info": { "cid": "chatbot::612:3f0d6c1be2a94b0f8a51c7de90ab4412" },
                "packet": { "name": "message", "payload": { "body": "Grüß Gott 👋" } },
            }),
        ),
        sample(
            "khoros",
            "",
            json!({
                "type": "message",
                "coordinate": { "companyKey": "acmehotel", "networkKey": "facebook",
                    "externalId": "410088", "messageId": "m_1", "botId": "acme-bot",
                    "scope": "PRIVATE" },
                "author": { "id": "7200", "fullName": "Ines Roth" },
                "owner": { "type": "BOT", "appId": "acme-bot" },
                "text": "Grüß Gott 👋", "publishedTS": NOW, "receivedTS": NOW,
            }),
        ),
        sample("messenger", "", page.clone()),
        sample("lexer", "", page),
        sample(
            "myalice",
            "text/menu",
            json!({ "uid": 1022, "platform_id": 77, "bot_enabled": true, "full_name": "Mara",
                "last_message_text": "Grüß Gott 👋" }),
        ),
        sample(
            "instabot",
            "secure/send",
            json!({ "streamId": "1844674407370955161898522783801280073590",
                "message": { "text": "Grüß Gott 👋" } }),
        ),
    ]
}

/// Where every piece of a document is.
pub(crate) fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                paths(value, &format!("{at}/{key}"), found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                paths(value, &format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
