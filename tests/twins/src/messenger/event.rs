//! Events as the page's webhooks carry them, and the signature over them.

use http::Method;
use serde_json::{Value, json};

use super::document::SIGNATURE_HEADER;
use super::page::Page;
use crate::account::Outgoing;
use crate::clock::epoch_ms;
use crate::sign::{escaped, hex, hmac_sha256};

/// The name of the page's only webhook.
pub const HOOK: &str = "main";
/// So many events share an entry of a webhook.
const ENTRY_EVENTS: usize = 2;

/// One event of a webhook.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The person; empty for what concerns the page.
    pub psid: String,
    /// Another app controls the thread: the event stands in `standby`.
    pub standby: bool,
    /// What stands in the list.
    pub value: Value,
}

impl Event {
    /// Something from a person to the page.
    pub(super) fn from_person(page: &Page, psid: &str, key: &str, value: Value) -> Self {
        let mut event = json!({
            "sender": { "id": psid },
            "recipient": { "id": page.options.page_id },
            "timestamp": epoch_ms(),
        });
        event[key] = value;
        let owner = page.threads.get(psid).and_then(|thread| thread.owner.as_ref());
        let standby = owner.is_some_and(|owner| *owner != page.options.app_id);
        Self { psid: psid.to_owned(), standby, value: event }
    }

    /// Something about control, which is never in `standby`.
    pub(super) fn of_control(page: &Page, psid: &str, key: &str, value: Value) -> Self {
        Self { standby: false, ..Self::from_person(page, psid, key, value) }
    }

    /// A message of an app, told to the page's apps.
    pub(super) fn echo(page: &Page, psid: &str, mid: &str, app: &str, message: &Value) -> Self {
        let mut said = json!({ "mid": mid, "is_echo": true });
        // Events carry app ids as numbers here and as text elsewhere.
        said["app_id"] = app.parse::<u64>().map_or_else(|_| json!(app), |app| json!(app));
        for key in ["metadata", "text"] {
            if !message[key].is_null() {
                said[key] = message[key].clone();
            }
        }
        if !message["attachment"].is_null() {
            said["attachments"] = json!([message["attachment"]]);
        }
        let mut event = Self::from_person(page, psid, "message", said);
        event.value["sender"]["id"] = json!(page.options.page_id);
        event.value["recipient"]["id"] = json!(psid);
        event
    }

    pub(super) fn delivery(page: &Page, psid: &str, mid: &str) -> Self {
        let value = json!({ "mids": [mid], "watermark": epoch_ms() });
        Self::from_person(page, psid, "delivery", value)
    }

    pub(super) fn read(page: &Page, psid: &str) -> Self {
        Self::from_person(page, psid, "read", json!({ "watermark": epoch_ms() }))
    }

    /// Something about the page, which no person sent.
    pub(super) fn of_page(page: &Page, key: &str, value: Value) -> Self {
        let mut event = Self::of_control(page, "", key, value);
        if let Some(map) = event.value.as_object_mut() {
            map.shift_remove("sender");
        }
        event
    }
}

impl Page {
    /// A signed webhook with these events, in entries of at most two.
    pub(super) fn webhook(&self, events: &[Event]) -> Outgoing {
        let entries: Vec<_> = events
            .chunk_by(|one, next| one.standby == next.standby)
            .flat_map(|run| run.chunks(ENTRY_EVENTS))
            .map(|events| {
                let list = if events[0].standby { "standby" } else { "messaging" };
                let values: Vec<_> = events.iter().map(|event| &event.value).collect();
                json!({ "id": self.options.page_id, "time": epoch_ms(), list: values })
            })
            .collect();
        let psid = events.first().map_or("", |event| &event.psid);
        self.signed(psid, &json!({ "object": self.options.medium.object(), "entry": entries }))
    }

    /// A signed webhook with any body.
    pub(super) fn signed(&self, psid: &str, body: &Value) -> Outgoing {
        // Meta escapes what is not ASCII, and signs that.
        let body = escaped(&body.to_string()).into_bytes();
        let signature = hex(&hmac_sha256(&self.options.app_secret, &body));
        Outgoing {
            conversation: psid.to_owned(),
            hook: HOOK.to_owned(),
            method: Method::POST,
            suffix: String::new(),
            headers: vec![(SIGNATURE_HEADER.to_owned(), format!("sha256={signature}"))],
            body,
        }
    }
}
