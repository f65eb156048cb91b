//! What happens after the turn: timers, requests, and what has no case of its own.

use serde::Serialize;
use serde_json::Value;

use super::{Action, NamedPayload, Passthrough, Request, Schedule, Setting};

/// Asks for a `timer` event after so many milliseconds, at most 31,536,000,000
/// (365 days). The name, at most 200 bytes, is unique within the conversation: a
/// second timer of the same name replaces the first. A conversation has at most 64
/// timers at a time, with at most 64 KiB of payloads together.
pub fn schedule(name: impl Into<String>, after_ms: u64) -> Schedule {
    Schedule { name: name.into(), after_ms, payload: None }
}

/// Takes back a timer by its name; one that has fired or never was is no error.
pub fn cancel_timer(name: impl Into<String>) -> Action {
    Action::CancelTimer(name.into())
}

/// A packet in one vendor's own form, at most 32 KiB; ignored, with a word in the
/// bot's log, on every other vendor.
pub fn passthrough(vendor: impl Into<String>, packet: &Value) -> Passthrough {
    Passthrough { vendor: vendor.into(), json: packet.to_string() }
}

/// An action that this version has no case for, by name; the payload is at most 64 KiB.
pub fn other(name: impl Into<String>, payload: &Value) -> Action {
    Action::Other(NamedPayload { name: name.into(), json: payload.to_string() })
}

impl Schedule {
    /// What comes back in the event, at most 8 KiB of JSON.
    pub fn payload(mut self, payload: &Value) -> Self {
        self.payload = Some(payload.to_string());
        self
    }
}

/// A call to a web service after the turn is committed, sent at least once with
/// the same `idempotency-key` header. Only hosts that the operator allows are
/// reached; name them in [`export!`](crate::export).
impl Request {
    /// `GET`; the name comes back in the `response` event, at most 200 bytes.
    pub fn get(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new(name, "GET", url)
    }

    /// `POST`, see [`Request::get`].
    pub fn post(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self::new(name, "POST", url)
    }

    /// Any of `GET`, `HEAD`, `POST`, `PUT`, `PATCH` and `DELETE`, see [`Request::get`].
    pub fn new(name: impl Into<String>, method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
        }
    }

    /// Adds a header: at most 64, together at most 16 KiB.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Setting { name: name.into(), value: value.into() });
        self
    }

    /// The body, at most 48 KiB.
    pub fn body(mut self, body: impl Into<String>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The body as JSON, with its `content-type` header.
    ///
    /// # Errors
    /// Fails where the value has no JSON form, for example a map with keys that
    /// are no strings.
    pub fn json(self, body: &impl Serialize) -> Result<Self, serde_json::Error> {
        let body = serde_json::to_string(body)?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// How long to wait for the whole answer, in milliseconds: 30,000 where not
    /// said, at most 120,000.
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.timeout_ms = Some(timeout_ms);
        self
    }
}
