//! What a twin writes down.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// One thing that happened. Times count from the start of the account.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A webhook was sent, once more for each attempt.
    Webhook(#[serde(serialize_with = "shared")] Arc<Sent>),
    /// A call came.
    Call(#[serde(serialize_with = "shared")] Arc<Call>),
    /// Something reached a person, or was done for them.
    Seen(#[serde(serialize_with = "shared")] Arc<Seen>),
    /// A conversation came into another state.
    Change(#[serde(serialize_with = "shared")] Arc<Change>),
}

/// One sending of a webhook.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// When its answer was complete, or when it was given up.
    #[serde(rename = "at_ms", serialize_with = "ms")]
    pub at: Duration,
    /// The conversation.
    pub conversation: String,
    /// Which of the webhooks it went to.
    pub hook: String,
    /// Sendings of the same bytes have the same number, others another one.
    pub webhook: u64,
    /// 1 for the first sending.
    pub attempt: u64,
    /// What it carried.
    pub body: String,
    /// The fault that met it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
    /// The status, where it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// `Retry-After` of the answer, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Whether the answer was read to its end.
    pub whole: bool,
    /// Whether the vendor takes it for delivered.
    pub delivered: bool,
    /// The answer's body, as far as it was read.
    pub answer: String,
    /// Why it failed or why its answer was refused; empty if neither.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A call to the vendor's API.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// When it came.
    #[serde(rename = "at_ms", serialize_with = "ms")]
    pub at: Duration,
    /// Whom it is for, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// Where it went, without the query.
    pub path: String,
    /// What stood before that as `/caller-NAME`: whoever set up several callers tells
    /// them by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// What it carried; null where that was no JSON.
    pub body: Value,
    /// How it was answered; 0 where it got no answer.
    pub status: u16,
    /// Why it was refused; empty for a call that was taken.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Whether it was carried out, whatever the answer said.
    pub acted: bool,
    /// The fault that met it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<&'static str>,
}

/// Something that reached a person, or that was done for them.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// When.
    #[serde(rename = "at_ms", serialize_with = "ms")]
    pub at: Duration,
    /// The conversation.
    pub conversation: String,
    /// Its place among all that happened in this conversation, from 0.
    pub number: u64,
    /// What it is, for example `message` or `typing_on`.
    pub name: String,
    /// What it carries, in the vendor's form.
    pub value: Value,
}

impl Seen {
    /// The text of it, where it has one.
    pub fn text(&self) -> Option<&str> {
        self.value.get("text").and_then(Value::as_str)
    }
}

/// A conversation came into another state.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// When.
    #[serde(rename = "at_ms", serialize_with = "ms")]
    pub at: Duration,
    /// The conversation.
    pub conversation: String,
    /// What it is now, in words of the vendor.
    pub state: String,
}

/// Without serde's own feature for it, which would build half of the workspace anew.
pub(crate) fn shared<T: Serialize, S: Serializer>(
    item: &Arc<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    item.as_ref().serialize(serializer)
}

pub(crate) fn ms<S: Serializer>(at: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((at.as_secs_f64() * 1_000_000.0).round() / 1_000.0)
}

/// How much the account remembers. What is forgotten was shown to watchers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// The last so many calls, webhooks and session changes together.
    pub records: usize,
    /// The last so many that a person saw, for each conversation.
    pub seen: usize,
}

impl Keep {
    /// Everything.
    pub const ALL: Self = Self { records: usize::MAX, seen: usize::MAX };
}

/// A list that forgets its oldest items.
#[derive(Debug)]
pub(crate) struct Bounded<T> {
    items: VecDeque<T>,
    most: usize,
}

impl<T> Bounded<T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { items: VecDeque::new(), most }
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.items.len() >= self.most {
            self.items.pop_front();
        }
        if self.most > 0 {
            self.items.push_back(item);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }
}
