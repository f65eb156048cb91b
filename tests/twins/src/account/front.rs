//! How a call to a vendor's API is read, meets its fault, and is answered.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming as Stream;
use serde_json::Value;

use super::{Account, Memory, Vendor};
use crate::faults::Fault;
use crate::record::{Call, Record};

/// What may stand before the path of a call: `/caller-NAME`. It is no part of the path.
const CALLER: &str = "/caller-";
/// More than any call needs; the documents name no limit.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A call, read to its end.
#[derive(Debug)]
pub struct Incoming {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: String,
    /// What stands before the path: whoever set up several callers tells them by it.
    pub caller: Option<String>,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Incoming {
    fn new(head: Parts, body: Bytes) -> Self {
        let address = reqwest::Url::parse(&format!("http://twin{}", head.uri));
        let query = address.map(|it| it.query_pairs().into_owned().collect()).unwrap_or_default();
        let (caller, path) = called(head.uri.path());
        let (caller, path) = (caller.map(str::to_owned), path.to_owned());
        Self { method: head.method, path, caller, query, headers: head.headers, body }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The token of an `Authorization: Bearer` header.
    pub fn bearer(&self) -> Option<&str> {
        self.header(AUTHORIZATION.as_str())?.strip_prefix("Bearer ")
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Whether the body says that it is JSON.
    pub fn says_json(&self) -> bool {
        let media = self.header(CONTENT_TYPE.as_str()).and_then(|it| it.split(';').next());
        media.unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// The name of the caller, where there is one, and the path.
fn called(path: &str) -> (Option<&str>, &str) {
    let Some(rest) = path.strip_prefix(CALLER) else { return (None, path) };
    let end = rest.find('/').unwrap_or(rest.len());
    (Some(&rest[..end]), &rest[end..])
}

/// How a call is answered.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers besides the content type.
    pub headers: Vec<(&'static str, String)>,
    /// The content type and the body.
    pub body: Option<(&'static str, String)>,
    /// Why the call was refused; empty for one that was taken.
    pub reason: String,
    /// Whether it was carried out.
    pub acted: bool,
}

impl Reply {
    /// The call was carried out.
    pub fn taken(status: u16, body: &Value) -> Self {
        Self { acted: true, ..Self::refused(status, body, "") }
    }

    /// The call was carried out, and nothing more is to be said.
    pub fn empty(status: u16) -> Self {
        Self { status, acted: true, ..Self::default() }
    }

    /// The call did nothing.
    pub fn refused(status: u16, body: &Value, reason: impl Into<String>) -> Self {
        let body = Some(("application/json", body.to_string()));
        Self { status, body, reason: reason.into(), ..Self::default() }
    }

    /// As [`Reply::refused`], with a body that is no JSON.
    pub fn other(status: u16, kind: &'static str, body: &str, reason: impl Into<String>) -> Self {
        let body = Some((kind, body.to_owned()));
        Self { status, body, reason: reason.into(), ..Self::default() }
    }
}

/// A reply and what the plan of faults makes of it.
#[derive(Debug, Default)]
struct Verdict {
    reply: Reply,
    late: Option<Duration>,
    /// The connection ends instead.
    cut: bool,
}

impl From<Reply> for Verdict {
    fn from(reply: Reply) -> Self {
        Self { reply, ..Self::default() }
    }
}

/// Answers a call.
///
/// # Errors
///
/// The connection is to end without an answer.
pub(super) async fn respond<V: Vendor>(
    account: Account<V>,
    request: Request<Stream>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    let verdict = receive(&account, &Incoming::new(head, body));
    if let Some(late) = verdict.late {
        tokio::time::sleep(late).await;
    }
    if verdict.cut {
        return Err(io::Error::other("the plan of faults ends this connection"));
    }
    Ok(response(verdict.reply))
}

fn response(reply: Reply) -> Response<Full<Bytes>> {
    let (kind, body) = reply.body.unwrap_or_default();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = (!kind.is_empty()).then(|| (CONTENT_TYPE.as_str(), kind.to_owned()));
    for (name, value) in reply.headers.into_iter().chain(kind) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Judges a call and notes it.
fn receive<V: Vendor>(account: &Account<V>, call: &Incoming) -> Verdict {
    let mut memory = account.memory();
    let memory = &mut *memory;
    let conversation = memory.vendor.conversation(call);
    let (verdict, fault) = match memory.vendor.admit(call, &memory.ledger) {
        Ok(()) => decide(memory, call, conversation.as_deref()),
        Err(reply) => (reply.into(), None),
    };
    let noted = Call {
        at: memory.ledger.now(),
        conversation,
        method: call.method.to_string(),
        path: call.path.clone(),
        caller: call.caller.clone(),
        body: call.json(),
        status: if verdict.cut { 0 } else { verdict.reply.status },
        reason: verdict.reply.reason.clone(),
        acted: verdict.reply.acted,
        fault: fault.map(Fault::name),
    };
    memory.ledger.note(Record::Call(Arc::new(noted)));
    verdict
}

/// Lets the plan of faults have its way with a call.
fn decide<V: Vendor>(
    memory: &mut Memory<V>,
    call: &Incoming,
    conversation: Option<&str>,
) -> (Verdict, Option<Fault>) {
    let Memory { vendor, ledger } = memory;
    if let Some(status) = ledger.refusals.pop_front() {
        let reason = "refused by the test";
        return (Reply::other(status, "text/plain", reason, reason).into(), None);
    }
    let fault = conversation.and_then(|conversation| {
        let known = ledger.known(conversation);
        known.calls += 1;
        let (ordinal, number) = (known.ordinal.clone(), known.calls);
        ledger.faults.of_call(&ordinal, number)
    });
    let retry_after = ledger.faults.retry_after;
    let verdict = match fault {
        Some(Fault::Limited) => vendor.limited(None).into(),
        Some(Fault::LimitedFor) => vendor.limited(Some(retry_after)).into(),
        Some(Fault::Broken) => vendor.broken().into(),
        Some(Fault::Cut) => {
            let reply = Reply { reason: "the line was cut".to_owned(), ..Reply::default() };
            Verdict { cut: true, ..reply.into() }
        }
        _ => {
            if let (Some(Fault::Expire), Some(conversation)) = (fault, conversation) {
                vendor.expire(conversation, ledger);
            }
            let mut verdict = Verdict::from(vendor.answer(call, ledger));
            if verdict.reply.acted {
                match fault {
                    Some(Fault::SlowApi) => verdict.late = Some(ledger.faults.slow),
                    Some(Fault::BrokenAfter) => {
                        verdict.reply = Reply { acted: true, ..vendor.broken() };
                    }
                    Some(Fault::CutAfter) => verdict.cut = true,
                    _ => {}
                }
            }
            verdict
        }
    };
    (verdict, fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_has_a_name_calls_the_same_path() {
        assert_eq!(called("/caller-7/bots/v3/respond"), (Some("7"), "/bots/v3/respond"));
        assert_eq!(called("/bots/v3/respond"), (None, "/bots/v3/respond"));
        assert_eq!(called("/caller-7"), (Some("7"), ""));
    }
}
