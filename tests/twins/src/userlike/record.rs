//! What the twin writes down.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::rules::Packet;
use crate::record::{ms, shared};

/// One thing that happened. Times count from the start of the account.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// A webhook was sent, once more for each attempt.
    Webhook(#[serde(serialize_with = "shared")] Arc<Sent>),
    /// A call came.
    Call(#[serde(serialize_with = "shared")] Arc<Call>),
    /// Something reached the person.
    Seen(#[serde(serialize_with = "shared")] Arc<Seen>),
    /// A conversation's session came into another state.
    Session(#[serde(serialize_with = "shared")] Arc<Change>),
}

impl Record {
    /// When it happened.
    pub fn at(&self) -> Duration {
        match self {
            Self::Webhook(it) => it.at,
            Self::Call(it) => it.at,
            Self::Seen(it) => it.at,
            Self::Session(it) => it.at,
        }
    }
}

/// One sending of a webhook.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// When its answer was complete, or when it was given up.
    #[serde(rename = "at_ms", serialize_with = "ms")]
    pub at: Duration,
    /// The conversation.
    pub cid: String,
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
    /// Whether the answer was read to its end.
    pub whole: bool,
    /// Why it failed or why its answer was refused; empty if neither.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The events of the answer; none of a refused one.
    pub packets: Vec<Packet>,
}

impl Sent {
    /// Whether Userlike takes it for delivered: 200, read to its end.
    pub fn is_answered(&self) -> bool {
        self.whole && self.status == Some(200)
    }
}

/// A call to the API URL.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// When it came, since the account was made.
    #[serde(rename = "at_ms", serialize_with = "ms")]
    pub at: Duration,
    /// The query of its address, without the question mark: whoever set up several
    /// callers tells them by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
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
    /// What it carried; empty for a call that was not carried out.
    pub packets: Vec<Packet>,
}

/// Something that reached the person, or that was done for them.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// When, delays included.
    #[serde(rename = "at_ms", serialize_with = "ms")]
    pub at: Duration,
    /// Its place among all that was taken in this conversation, from 0.
    pub number: u64,
    /// What it is.
    pub packet: Packet,
    /// How a choice is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// How it came.
    pub by: By,
}

/// How a choice is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Its options can be tapped.
    Native,
    /// The `fallback` and a numbered list.
    Text,
}

/// How something of the bot came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// In the answer of a webhook.
    Answer,
    /// In a call.
    Call,
}

/// A session came into another state.
#[derive(Clone, Debug, Serialize)]
pub struct Change {
    /// When.
    #[serde(rename = "at_ms", serialize_with = "ms")]
    pub at: Duration,
    /// The conversation.
    pub cid: String,
    /// `open`, or why it is over: `ended`, `aborted`, `forwarded`, `unassigned`,
    /// `expired`.
    pub state: &'static str,
}
