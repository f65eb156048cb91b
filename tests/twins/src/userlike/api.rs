//! The API URL: how a call is judged and answered.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;

use super::account::{Account, Memory, cids};
use super::document::{PATHS, REQUESTS_PER_MINUTE, TOKEN_HEADER};
use super::record::{By, Call, Record};
use super::rules::{self, Packet};
use super::session::{Refusal, State};
use crate::faults::Fault;

/// More than any list of events needs; the document names no limit.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What a call is answered.
#[derive(Debug, Default)]
struct Verdict {
    status: u16,
    reason: String,
    retry_after: Option<u64>,
    late: Option<Duration>,
    acted: bool,
    /// The connection ends instead.
    cut: bool,
    fault: Option<Fault>,
    packets: Vec<Packet>,
}

impl Verdict {
    fn taken(packets: Vec<Packet>) -> Self {
        Self { status: 200, acted: true, packets, ..Self::default() }
    }

    fn refused(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), ..Self::default() }
    }
}

/// Answers a call.
///
/// # Errors
///
/// The connection is to end without an answer.
pub(super) async fn respond(
    account: Account,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let (head, body) = request.into_parts();
    let verdict = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => receive(&account, &head, &body.to_bytes()),
        Err(error) => {
            let refused = Verdict::refused(413, format!("the body cannot be read: {error}"));
            noted(&account, &mut account.memory(), &head, refused)
        }
    };
    if let Some(late) = verdict.late {
        tokio::time::sleep(late).await;
    }
    if verdict.cut {
        return Err(io::Error::other("the plan of faults ends this connection"));
    }
    Ok(response(verdict))
}

fn response(verdict: Verdict) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(verdict.reason));
    *response.status_mut() =
        StatusCode::from_u16(verdict.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = verdict.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    if verdict.status == 405 {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

/// Judges a call, does what it says if nothing stands against it, and notes it.
fn receive(account: &Account, head: &Parts, body: &[u8]) -> Verdict {
    let mut memory = account.memory();
    let verdict = match transport(account, head) {
        Ok(()) => read(account, &mut memory, body),
        Err(refused) => refused,
    };
    noted(account, &mut memory, head, verdict)
}

fn noted(account: &Account, memory: &mut Memory, head: &Parts, verdict: Verdict) -> Verdict {
    let call = Call {
        at: account.now(),
        query: head.uri.query().map(str::to_owned),
        status: verdict.status,
        reason: verdict.reason.clone(),
        acted: verdict.acted,
        fault: verdict.fault.map(Fault::name),
        packets: verdict.packets.clone(),
    };
    memory.note(Record::Call(Arc::new(call)));
    verdict
}

/// What can be said without reading the body.
fn transport(account: &Account, head: &Parts) -> Result<(), Verdict> {
    let path = head.uri.path();
    if !PATHS.contains(&path) {
        return Err(Verdict::refused(404, format!("there is no {path} here: use the API URL")));
    }
    if head.method != Method::POST {
        return Err(Verdict::refused(405, format!("{} is not POST", head.method)));
    }
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if text(TOKEN_HEADER) != Some(&account.options().token) {
        return Err(Verdict::refused(401, "SECURITY-TOKEN is missing or wrong"));
    }
    let media = text(CONTENT_TYPE.as_str()).and_then(|it| it.split(';').next()).unwrap_or_default();
    if !media.trim().eq_ignore_ascii_case("application/json") {
        return Err(Verdict::refused(415, "the content-type is not application/json"));
    }
    Ok(())
}

/// Judges a call's body, and lets the plan of faults have its way with it.
fn read(account: &Account, memory: &mut Memory, body: &[u8]) -> Verdict {
    if let Some(status) = memory.refusals.pop_front() {
        return Verdict::refused(status, "refused by the test");
    }
    let packets = match rules::packets(body) {
        Ok(packets) => packets,
        Err(reason) => return Verdict::refused(400, reason),
    };
    let fault = draw(memory, &packets);
    match fault {
        Some(Fault::Expire) => {
            for cid in cids(&packets) {
                account.change(memory, cid, State::Expired);
            }
        }
        Some(Fault::Limited) => return meets(fault, Verdict::refused(429, "too many requests")),
        Some(Fault::LimitedFor) => {
            let mut verdict = Verdict::refused(429, "too many requests");
            verdict.retry_after = Some(memory.faults.retry_after);
            return meets(fault, verdict);
        }
        Some(Fault::Broken) => return meets(fault, Verdict::refused(500, "an error of ours")),
        Some(Fault::Cut) => {
            return meets(fault, Verdict { cut: true, ..Verdict::refused(0, "the line was cut") });
        }
        _ => {}
    }
    let mut verdict = decide(account, memory, packets);
    if verdict.acted {
        match fault {
            Some(Fault::SlowApi) => verdict.late = Some(memory.faults.slow),
            Some(Fault::BrokenAfter) => verdict.status = 500,
            Some(Fault::CutAfter) => (verdict.cut, verdict.status) = (true, 0),
            _ => {}
        }
    }
    meets(fault, verdict)
}

fn meets(fault: Option<Fault>, verdict: Verdict) -> Verdict {
    Verdict { fault, ..verdict }
}

/// The fault that meets this call, which is one of its first conversation.
fn draw(memory: &mut Memory, packets: &[Packet]) -> Option<Fault> {
    let cid = &packets.first()?.cid;
    let session = memory.sessions.get_mut(cid)?;
    session.calls += 1;
    memory.faults.of_call(&session.ordinal, session.calls)
}

/// The document's rules, in the order in which a server would meet them.
fn decide(account: &Account, memory: &mut Memory, packets: Vec<Packet>) -> Verdict {
    let options = account.options();
    let now = Instant::now();
    let cids: Vec<String> = cids(&packets).into_iter().map(str::to_owned).collect();
    if cids.is_empty() {
        return Verdict::refused(400, "a list without events");
    }
    for cid in &cids {
        let Some(session) = memory.sessions.get_mut(cid) else {
            return Verdict::refused(options.status_unknown, format!("no conversation {cid}"));
        };
        if let Some(wait) = session.wait(options.window, now) {
            let reason = format!("more than {REQUESTS_PER_MINUTE} requests for {cid}");
            let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
            let retry_after = options.says_retry_after.then_some(seconds);
            return Verdict { retry_after, ..Verdict::refused(429, reason) };
        }
    }
    for cid in &cids {
        if let Some(session) = memory.sessions.get_mut(cid) {
            session.count(now);
        }
    }
    match account.judge(memory, &packets) {
        Ok(()) => {
            account.carry_out(memory, &packets, By::Call);
            Verdict::taken(packets)
        }
        Err(Refusal::Over(why)) => Verdict::refused(options.status_over, why),
        Err(Refusal::Rule(why)) => Verdict::refused(400, why),
        Err(Refusal::Media(why)) => Verdict::refused(options.status_media, why),
    }
}
