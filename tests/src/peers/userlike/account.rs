//! What Userlike remembers, and how it judges a call.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::rules::{self, Packet};
use crate::wait;

const REQUESTS_PER_WINDOW: usize = 20;

/// A bot's account: its conversations and the calls that it made.
#[derive(Clone, Debug)]
pub struct Account {
    token: Arc<str>,
    window: Duration,
    start: Instant,
    state: Arc<Mutex<Memory>>,
}

/// A call to the API URL.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it came, since the account was made.
    pub at: Duration,
    /// How it was answered.
    pub status: u16,
    /// Why it was refused; empty for a call that was taken.
    pub reason: String,
    /// What it carried; empty for a call that was refused unread.
    pub packets: Vec<Packet>,
}

/// What is known of a person, under Userlike's names.
pub type Contact = Map<String, Value>;

#[derive(Debug, Default)]
struct Memory {
    conversations: HashMap<String, Conversation>,
    calls: Vec<Call>,
    refusals: VecDeque<u16>,
}

#[derive(Debug, Default)]
struct Conversation {
    context: Map<String, Value>,
    contact: Contact,
    requests: VecDeque<Instant>,
}

impl Account {
    pub(super) fn new(token: &str, window: Duration) -> Self {
        Self { token: token.into(), window, start: Instant::now(), state: Arc::default() }
    }

    /// Opens a conversation; calls for others are refused with 404.
    pub fn open(&self, cid: &str, contact: Contact) {
        let conversation = Conversation { contact, ..Conversation::default() };
        self.memory().conversations.insert(cid.to_owned(), conversation);
    }

    /// The last context of a conversation that was not empty.
    pub fn context(&self, cid: &str) -> Value {
        let memory = self.memory();
        memory
            .conversations
            .get(cid)
            .map_or_else(|| json!({}), |known| known.context.clone().into())
    }

    /// What is known of the person of a conversation.
    pub fn contact(&self, cid: &str) -> Contact {
        let memory = self.memory();
        memory.conversations.get(cid).map(|known| known.contact.clone()).unwrap_or_default()
    }

    /// The calls so far, refused ones included.
    pub fn calls(&self) -> Vec<Call> {
        self.memory().calls.clone()
    }

    /// The packets of all calls that were taken for a conversation, in order.
    pub fn delivered(&self, cid: &str) -> Vec<Packet> {
        let memory = self.memory();
        let taken = memory.calls.iter().filter(|call| call.status == 200);
        taken.flat_map(|call| &call.packets).filter(|packet| packet.cid == cid).cloned().collect()
    }

    /// Waits until `count` packets were delivered to a conversation by calls.
    ///
    /// # Errors
    ///
    /// There were fewer within the time.
    pub async fn wait_delivered(
        &self,
        cid: &str,
        count: usize,
        within: Duration,
    ) -> Result<Vec<Packet>> {
        let what = format!("{count} packets at the API URL for {cid}");
        wait::until(&what, within, || {
            let delivered = self.delivered(cid);
            (delivered.len() >= count).then_some(delivered)
        })
        .await
    }

    /// Answers the next calls with these statuses, whatever they carry.
    pub fn refuse_next(&self, statuses: impl IntoIterator<Item = u16>) {
        self.memory().refusals.extend(statuses);
    }

    /// Takes over what a bot said, in a webhook's answer or in a call: the
    /// context that is echoed from now on, changes of the contact.
    pub fn take(&self, packets: &[Packet]) {
        let mut memory = self.memory();
        for packet in packets {
            if let Some(known) = memory.conversations.get_mut(&packet.cid) {
                take(known, packet);
            }
        }
    }

    /// Judges a call and notes it.
    pub(super) fn receive(&self, token: Option<&str>, body: &[u8]) -> (u16, String) {
        let (status, reason, packets) = match self.judge(token, body) {
            Ok(packets) => (200, String::new(), packets),
            Err((status, reason)) => (status, reason, Vec::new()),
        };
        if status == 200 {
            self.take(&packets);
        }
        let at = self.start.elapsed();
        self.memory().calls.push(Call { at, status, reason: reason.clone(), packets });
        (status, reason)
    }

    fn judge(&self, token: Option<&str>, body: &[u8]) -> Result<Vec<Packet>, (u16, String)> {
        if token != Some(&self.token) {
            return Err((401, "SECURITY-TOKEN is missing or wrong".to_owned()));
        }
        if let Some(status) = self.memory().refusals.pop_front() {
            return Err((status, "refused by the test".to_owned()));
        }
        let packets = rules::packets(body).map_err(|reason| (400, reason))?;
        let mut memory = self.memory();
        let mut cids: Vec<&str> = packets.iter().map(|packet| &*packet.cid).collect();
        cids.dedup();
        for cid in cids {
            let known = memory
                .conversations
                .get_mut(cid)
                .ok_or_else(|| (404, format!("no conversation {cid}")))?;
            if !may_send(&mut known.requests, self.window, Instant::now()) {
                return Err((429, format!("more than {REQUESTS_PER_WINDOW} requests for {cid}")));
            }
        }
        Ok(packets)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take(known: &mut Conversation, packet: &Packet) {
    if let Some(context) = packet.context.as_ref().filter(|context| !context.is_empty()) {
        known.context = context.clone();
    }
    if packet.name == "contact_update" {
        let changes = packet.payload.as_object().into_iter().flatten();
        known.contact.extend(changes.map(|(key, value)| (key.clone(), value.clone())));
    }
}

/// Refused requests do not count, so that a sender who waits gets through.
fn may_send(requests: &mut VecDeque<Instant>, window: Duration, now: Instant) -> bool {
    while requests.front().is_some_and(|at| now.duration_since(*at) >= window) {
        requests.pop_front();
    }
    let free = requests.len() < REQUESTS_PER_WINDOW;
    if free {
        requests.push_back(now);
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_let_through_a_window_after_the_one_that_filled_it() {
        let window = Duration::from_secs(60);
        let start = Instant::now();
        let mut requests = VecDeque::new();
        for second in 0..20 {
            assert!(may_send(&mut requests, window, start + Duration::from_secs(second)));
        }
        assert!(!may_send(&mut requests, window, start + Duration::from_secs(59)));
        assert!(may_send(&mut requests, window, start + Duration::from_secs(60)));
        assert!(!may_send(&mut requests, window, start + Duration::from_secs(60)));
        assert!(may_send(&mut requests, window, start + Duration::from_secs(61)));
    }
}
