//! What is sent to the host, and what comes of it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use botyard_twins::account::Outgoing;

use crate::person::World;
use crate::record::{Shown, Way};
use crate::stage::Address;
use crate::vendors::{Channel, SIGNAL_TOKEN, Vendor};
use crate::wire::{Outcome, Wire};

/// Before a request is sent again.
const PAUSE: Duration = Duration::from_millis(5);

/// A request, and how it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What it tells, in order.
    pub(crate) events: Vec<Event>,
    /// The vendor's own; absent for what the tenant's systems say.
    pub(crate) webhook: Option<Outgoing>,
    pub(crate) bytes: Vec<u8>,
    /// The client leaves before the answer, the first time.
    pub(crate) leaves: Option<Duration>,
}

/// An event of a request.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) traps: bool,
    pub(crate) whose: Whose,
    /// What stands before it in the same webhook.
    pub(crate) behind: Option<String>,
    /// What the person shall be shown of it besides.
    pub(crate) wants: Vec<String>,
}

/// Which of a person's conversations an event is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Own,
    Aside,
}

/// What came of a request.
pub(crate) struct Delivered {
    pub(crate) begun_us: u64,
    pub(crate) acked_us: u64,
    pub(crate) sendings: u64,
    pub(crate) shown: Vec<Shown>,
    pub(crate) refusals: Vec<String>,
}

impl Event {
    pub(crate) fn named(name: String) -> Self {
        Self { name, traps: false, whose: Whose::Own, behind: None, wants: Vec::new() }
    }
}

impl Request {
    /// A webhook of a channel.
    pub(crate) fn of(channel: &Channel, events: Vec<Event>, webhook: Outgoing) -> Self {
        let path = format!("/webhooks/{}{}", channel.name, webhook.suffix);
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(webhook.headers.iter().map(|(name, value)| (&**name, &**value)));
        let bytes = http(&path, &headers, &webhook.body);
        Self { events, webhook: Some(webhook), bytes, leaves: None }
    }

    /// A signal of the tenant's own systems into a conversation.
    pub(crate) fn signal(channel: &Channel, key: &str, event: Event, body: &str) -> Self {
        // Nothing else in a key has a meaning in an address.
        let key = key.replace('/', "%2F");
        let path = format!("/v1/channels/{}/conversations/{key}/signals", channel.name);
        let token = format!("Bearer {SIGNAL_TOKEN}");
        let headers = [("authorization", &*token), ("idempotency-key", &*event.name)];
        let bytes = http(&path, &headers, body.as_bytes());
        Self { events: vec![event], webhook: None, bytes, leaves: None }
    }

    /// What a live agent of an external bot says.
    pub(crate) fn callback(path: &str, event: Event, post: &Outgoing) -> Self {
        let bytes = http(path, &[("content-type", "application/json")], &post.body);
        Self { events: vec![event], webhook: None, bytes, leaves: None }
    }
}

/// Sends the same bytes until a whole 2xx was read.
pub(crate) async fn deliver(
    world: &World,
    vendor: &dyn Vendor,
    wire: &mut Wire,
    request: &Request,
    after_us: u64,
) -> Delivered {
    if after_us > 0 {
        tokio::time::sleep(Duration::from_micros(after_us)).await;
    }
    let mut addresses = world.addresses.clone();
    let mut delivered = Delivered {
        begun_us: world.clock.now(),
        acked_us: 0,
        sendings: 0,
        shown: Vec::new(),
        refusals: Vec::new(),
    };
    let events = request.events.len() as u64;
    loop {
        // The stage outlives all persons.
        let Ok(found) = addresses.wait_for(Option::is_some).await.map(|found| *found) else {
            return delivered;
        };
        let Some(address) = found else { continue };
        delivered.sendings += 1;
        world
            .budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                Some(left.saturating_sub(events))
            })
            .ok();
        let leaves = request.leaves.filter(|_| delivered.sendings == 1);
        match wire.post(address.host, &request.bytes, leaves).await {
            Outcome::Whole { status: 200..=299, body } => {
                delivered.acked_us = world.clock.now();
                world.acked.fetch_add(events, Ordering::Relaxed);
                if let Some(webhook) = &request.webhook {
                    take(vendor, webhook, address, &body, &mut delivered);
                }
                return delivered;
            }
            Outcome::Whole { status: 503 | 429, .. } | Outcome::Broken => {
                tokio::time::sleep(PAUSE).await;
            }
            Outcome::Whole { status, body } => {
                let text = String::from_utf8_lossy(&body);
                delivered.refusals.push(format!("{:?}: {status} {text}", request.events));
                return delivered;
            }
        }
    }
}

/// What rode in an answer.
fn take(
    vendor: &dyn Vendor,
    webhook: &Outgoing,
    address: Address,
    body: &[u8],
    delivered: &mut Delivered,
) {
    match vendor.answered(webhook, &String::from_utf8_lossy(body)) {
        Ok(whats) => {
            let (at_us, life, way) = (delivered.acked_us, address.life, Way::Answer);
            let whats = whats.into_iter().enumerate();
            let shown = whats.map(|(place, what)| Shown { at_us, place, life, way, what });
            delivered.shown.extend(shown);
        }
        Err(reason) => delivered.refusals.push(format!("what the vendor refuses: {reason}")),
    }
}

fn http(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("POST {path} HTTP/1.1\r\nhost: botyard\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [head.into_bytes(), body.to_vec()].concat()
}
