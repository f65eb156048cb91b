//! How a webhook is delivered: by the plan of faults, again after failures, pairs
//! out of order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::account::{Account, Due};
use super::record::{Record, Sent};
use super::webhook::{Answer, Line, body};
use crate::faults::Fault;
use crate::wire::{self, Read, Target};

/// An event of a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// For example `message`.
    pub name: String,
    /// What it carries.
    pub payload: Value,
}

impl Step {
    /// An event.
    pub fn new(name: &str, payload: Value) -> Self {
        Self { name: name.to_owned(), payload }
    }

    /// The person wrote.
    pub fn message(text: &str) -> Self {
        Self::new("message", json!({ "body": text }))
    }
}

/// What became of a webhook.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// Every sending of it, in order.
    pub sendings: Vec<Arc<Sent>>,
    /// The answers that were read to their end, whatever their status.
    pub answers: Vec<Answer>,
}

impl Delivery {
    /// Whether it was answered with 200 at last.
    pub fn is_answered(&self) -> bool {
        self.sendings.iter().any(|sent| sent.is_answered())
    }

    /// Why the last sending failed or its answer was refused; empty if neither.
    pub fn reason(&self) -> &str {
        self.sendings.last().map_or("", |sent| &sent.reason)
    }

    /// The texts of all answers that were taken, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.answers.iter().flat_map(Answer::texts).collect()
    }
}

/// One sending, as it is described.
struct Sending<'a> {
    cid: &'a str,
    line: &'a Line,
    webhook: u64,
    attempt: u64,
    body: &'a [u8],
}

impl Account {
    /// Tells how webhooks of a conversation are sent.
    pub(super) fn connect(&self, cid: &str, line: Line) {
        let mut memory = self.memory();
        if let Some(session) = memory.sessions.get_mut(cid) {
            session.medium.clone_from(&line.medium);
        }
        memory.lines.insert(cid.to_owned(), line);
    }

    /// Sends bytes once, without faults.
    pub(super) async fn post(&self, cid: &str, line: &Line, body: &[u8]) -> Result<Answer> {
        let sending = Sending { cid, line, webhook: self.next_webhook(), attempt: 1, body };
        let (sent, answer) = self.send(&sending, false).await;
        if !sent.whole {
            bail!("the host gave no whole answer to the webhook: {}", sent.reason);
        }
        if sent.status == Some(200) && !sent.reason.is_empty() {
            bail!("Userlike refuses the answer: {}", sent.reason);
        }
        Ok(answer)
    }

    /// Sends an event until it is answered or given up.
    pub(super) async fn deliver(&self, cid: &str, step: Step) -> Delivery {
        let mut delivery = Delivery::default();
        let Some(line) = self.line(cid) else {
            return delivery;
        };
        let body = body(self, cid, &line, &step.name, step.payload).to_string().into_bytes();
        let webhook = self.next_webhook();
        let mut schedule = self.options().redeliver.iter();
        let mut duplicates = 0;
        // Asked for each time: a host that was started again has moved meanwhile.
        while let Some(line) = self.line(cid) {
            let attempt = delivery.sendings.len() as u64 + 1;
            let sending = Sending { cid, line: &line, webhook, attempt, body: &body };
            let (sent, answer) = self.send(&sending, true).await;
            let answered = sent.is_answered();
            if sent.whole {
                delivery.answers.push(answer);
            }
            delivery.sendings.push(sent);
            if answered && duplicates == 0 && self.is_doubled(cid) {
                duplicates += 1;
            } else if let (false, Some(pause)) = (answered, schedule.next()) {
                tokio::time::sleep(*pause).await;
            } else {
                break;
            }
        }
        delivery
    }

    /// Sends events one after the other, pairs of them perhaps out of order.
    pub(super) async fn play(&self, cid: &str, mut steps: Vec<Step>) -> Vec<Delivery> {
        for pair in steps.chunks_exact_mut(2) {
            if self.is_overtaken(cid) {
                pair.swap(0, 1);
            }
        }
        let mut deliveries = Vec::with_capacity(steps.len());
        for step in steps {
            deliveries.push(self.deliver(cid, step).await);
        }
        deliveries
    }

    /// Whether the plan lets the next event of a conversation go before this one.
    pub(super) fn is_overtaken(&self, cid: &str) -> bool {
        let mut memory = self.memory();
        let memory = &mut *memory;
        memory.sessions.get_mut(cid).is_some_and(|session| {
            session.pairs += 1;
            memory.faults.happens(Fault::Reorder, &session.ordinal, session.pairs)
        })
    }

    /// One sending: the answer is judged, taken if it is good, and noted.
    async fn send(&self, sending: &Sending<'_>, with_faults: bool) -> (Arc<Sent>, Answer) {
        let cid = sending.cid;
        let (fault, stay, faults) = {
            let mut memory = self.memory();
            let memory = &mut *memory;
            let faults = memory.faults.clone();
            match memory.sessions.get_mut(cid) {
                Some(session) if with_faults => {
                    session.sendings += 1;
                    let number = session.sendings;
                    let fault = faults.of_webhook(&session.ordinal, number);
                    (fault, faults.stay(&session.ordinal, number), faults)
                }
                _ => (None, Duration::ZERO, faults),
            }
        };
        let start = Instant::now();
        let http = self.http();
        let to = Target::from(&sending.line.webhook);
        let read = wire::send(&http, &to, sending.body, fault, &faults, stay).await;
        let took = start.elapsed();
        let Read { status, retry_after, body, whole, reason } = read;
        let judged = match (whole, status) {
            (true, Some(200)) => self.answer(cid, body.as_bytes()),
            (true, _) => Err(format!("answered {}, not 200", status.unwrap_or_default())),
            (false, _) => Err(reason),
        };
        let (packets, reason) = match judged {
            Ok(packets) => (packets, String::new()),
            Err(reason) => (Vec::new(), reason),
        };
        let sent = Arc::new(Sent {
            at: self.now(),
            cid: cid.to_owned(),
            webhook: sending.webhook,
            attempt: sending.attempt,
            body: String::from_utf8_lossy(sending.body).into_owned(),
            fault: fault.map(Fault::name),
            status,
            whole,
            reason,
            packets: packets.clone(),
        });
        self.memory().note(Record::Webhook(Arc::clone(&sent)));
        let status = status.unwrap_or_default();
        (sent, Answer { status, body, retry_after, packets, took })
    }

    fn line(&self, cid: &str) -> Option<Line> {
        self.memory().lines.get(cid).cloned()
    }

    /// Whether an answered webhook comes again.
    fn is_doubled(&self, cid: &str) -> bool {
        let memory = self.memory();
        memory.sessions.get(cid).is_some_and(|session| {
            memory.faults.happens(Fault::Duplicate, &session.ordinal, session.sendings)
        })
    }
}

/// Sends what Userlike sends by itself, each conversation beside the others.
pub(super) async fn send_due(account: Account, mut due: mpsc::UnboundedReceiver<Due>) {
    let mut sendings = JoinSet::new();
    loop {
        tokio::select! {
            due = due.recv() => {
                let Some(Due { cid, name, payload }) = due else { break };
                let account = account.clone();
                sendings.spawn(async move {
                    account.deliver(&cid, Step::new(name, payload)).await;
                });
            }
            Some(_) = sendings.join_next() => {}
        }
    }
}
