//! Calls to web services within a turn (the mirror of `wit/v1/imports.wit`,
//! interface `http`), and what is recorded of them.
//!
//! An answer is recorded before the bot sees it, so that a rerun of the same
//! event takes the same one and nothing outside happens twice. That holds only
//! while the rerun asks the same: [`Call::mismatch`] says where it does not.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::event::Setting;
use crate::id::{ConversationKey, Digest, EventId};
use crate::log::Call;
use crate::plan::host_start_id;
use crate::time::Millis;

/// Calls of a turn.
pub const CALLS_MAX: u32 = 8;
/// The body of a request and of an answer, in bytes.
pub const CALL_BODY_BYTES_MAX: usize = 1024 * 1024;
/// The headers of a request and of an answer.
pub const CALL_HEADERS_MAX: usize = 64;
/// The names and values of the headers together, in bytes.
pub const CALL_HEADER_BYTES_MAX: usize = 16 * 1024;
/// The address of a request, in bytes.
pub const CALL_URL_BYTES_MAX: usize = 8 * 1024;
/// What a turn may have read of the bot's values between two calls, as JSON in
/// bytes: it is recorded with the second.
pub const CALL_READS_BYTES_MAX: usize = 256 * 1024;

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/// Headers that the host sets itself.
const RESERVED_HEADERS: [&str; 2] = ["host", "idempotency-key"];

/// What a bot asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// An absolute address.
    pub url: String,
    /// Names in any case.
    pub headers: Vec<Setting>,
    /// At most [`CALL_BODY_BYTES_MAX`].
    pub body: Option<Vec<u8>>,
    /// What the bot grants the call.
    pub timeout_ms: Option<u32>,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallResponse {
    /// The HTTP status, whatever it is.
    pub status: u16,
    /// Names in lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Setting>,
    /// At most [`CALL_BODY_BYTES_MAX`].
    #[serde(with = "base64_text")]
    pub body: Vec<u8>,
}

/// Why a call has no answer, as the bot sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallError {
    /// The rules forbid it; which one.
    Denied(String),
    /// Nobody answered in time.
    Timeout,
    /// The answer is larger than [`CALL_BODY_BYTES_MAX`].
    TooLarge,
    /// More than [`CALLS_MAX`] calls.
    Limit,
    /// Any other failure, in words.
    Other(String),
}

/// What comes of a call.
pub type CallAnswer = Result<CallResponse, CallError>;

/// What a turn was given until it made a call, besides its event: a rerun must
/// be given the same to ask the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// The component; absent where it was not written down.
    pub version: Option<Digest>,
    /// A hash of what the tenant configured; absent where it was not written
    /// down. The values themselves may be secrets and are not kept.
    pub config: Option<Digest>,
    /// What was read of the bot's own values since the call before.
    pub reads: BTreeMap<String, Option<String>>,
}

/// A call that a running bot waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which call of the turn, from 0.
    pub index: u32,
    /// What is asked for.
    pub request: CallRequest,
    /// What the call may take at most, from now.
    pub timeout_ms: Millis,
    /// What the turn was given so far.
    pub journal: Journal,
}

impl CallRequest {
    /// Checks what needs no rules of the host's own.
    ///
    /// # Errors
    /// [`CallError::Other`], with what is wrong: never a value.
    pub fn check(&self) -> Result<(), CallError> {
        if !METHODS.contains(&self.method.as_str()) {
            return refused(format!("the method is none of {}", METHODS.join(", ")));
        }
        if self.url.len() > CALL_URL_BYTES_MAX {
            let (bytes, most) = (self.url.len(), CALL_URL_BYTES_MAX);
            return refused(format!("the address has {bytes} bytes, at most {most} are sent"));
        }
        let body = self.body.as_ref().map_or(0, Vec::len);
        if body > CALL_BODY_BYTES_MAX {
            let most = CALL_BODY_BYTES_MAX;
            return refused(format!("the body has {body} bytes, at most {most} are sent"));
        }
        if self.timeout_ms == Some(0) {
            return refused("a timeout of 0 ms leaves no time for an answer".to_owned());
        }
        self.check_headers()
    }

    fn check_headers(&self) -> Result<(), CallError> {
        let bytes: usize = self.headers.iter().map(|one| one.name.len() + one.value.len()).sum();
        if self.headers.len() > CALL_HEADERS_MAX || bytes > CALL_HEADER_BYTES_MAX {
            let (most, kib) = (CALL_HEADERS_MAX, CALL_HEADER_BYTES_MAX / 1024);
            return refused(format!("a call has at most {most} headers of together {kib} KiB"));
        }
        for (n, header) in self.headers.iter().enumerate() {
            let Ok(name) = HeaderName::from_bytes(header.name.as_bytes()) else {
                return refused(format!("the name of header {n} is none"));
            };
            if RESERVED_HEADERS.contains(&name.as_str()) {
                return refused(format!("`{name}` is the host's own header"));
            }
            if HeaderValue::from_str(&header.value).is_err() {
                return refused(format!("the value of the header `{name}` is no legal one"));
            }
        }
        Ok(())
    }

    /// A hash of everything that the bot asks for.
    pub fn digest(&self) -> Digest {
        let timeout = self.timeout_ms.map(u32::to_be_bytes);
        let mut parts: Vec<&[u8]> = vec![self.method.as_bytes(), self.url.as_bytes()];
        // An absent body is not the same as an empty one.
        parts.push(if self.body.is_some() { b"body" } else { b"" });
        parts.push(self.body.as_deref().unwrap_or_default());
        parts.push(timeout.as_ref().map_or(&[][..], |bytes| bytes));
        for header in &self.headers {
            parts.extend([header.name.as_bytes(), header.value.as_bytes()]);
        }
        Digest::of_parts(parts)
    }
}

fn refused<T>(why: String) -> Result<T, CallError> {
    Err(CallError::Other(why))
}

/// A hash of what the tenant configured.
pub fn config_digest(config: &BTreeMap<String, String>) -> Digest {
    let parts = config.iter().flat_map(|(key, value)| [key.as_bytes(), value.as_bytes()]);
    Digest::of_parts(parts)
}

/// What names a call to the server that gets it: the same for every try.
pub fn idempotency_key(key: &ConversationKey, event: &EventId, index: u32) -> String {
    let index = index.to_string();
    let parts = [
        "call",
        key.tenant.as_str(),
        key.channel.as_str(),
        &key.vendor_key,
        event.as_str(),
        &index,
    ];
    Digest::of_parts(parts.map(str::as_bytes)).to_string()[..32].to_owned()
}

/// An answer as it is recorded.
pub fn write_answer(answer: &CallAnswer) -> String {
    serde_json::to_string(answer).expect("an answer has text keys only")
}

/// An answer as it was recorded.
///
/// # Errors
/// The record is damaged: the host's fault.
pub fn read_answer(text: &str) -> Result<CallAnswer, serde_json::Error> {
    serde_json::from_str(text)
}

impl Call {
    /// The event that the bot was given when it made the call.
    pub fn made_on(&self) -> EventId {
        if self.of_start { host_start_id(&self.event) } else { self.event.clone() }
    }

    /// What a rerun does otherwise than the run that made this call, in words.
    pub fn mismatch(&self, request: &Digest, version: &Digest, config: &Digest) -> Option<String> {
        let differs =
            |recorded: Option<Digest>, now: &Digest| recorded.is_some_and(|it| it != *now);
        let what = if differs(self.journal.version, version) {
            "another version of the bot answers now: deploy the recorded one again"
        } else if differs(self.journal.config, config) {
            "the tenant's configuration of the bot is another now: put the earlier one back"
        } else if self.request != *request {
            "the bot asks for something else: what it does follows from more than its event, \
             session, values, clock and chance"
        } else {
            return None;
        };
        let index = self.index;
        Some(format!("call {index} of this turn was recorded and cannot be replayed: {what}"))
    }
}

mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
