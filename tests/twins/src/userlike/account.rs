//! What Userlike remembers, and what one can ask it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::options::{Operators, Options};
use super::record::{By, Call, Change, Record, Seen, Sent};
use super::rules::{self, Packet};
use super::session::{Contact, Refusal, Session, State};
use super::webhook::Line;
use crate::faults::Faults;
use crate::record::Bounded;
use crate::wait;
use crate::wire::client;

/// A bot's account: its conversations, and what was sent and taken in them.
/// Clones are the same account.
#[derive(Clone, Debug)]
pub struct Account {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) options: Options,
    start: Instant,
    memory: Mutex<Memory>,
    webhooks: AtomicU64,
    http: reqwest::Client,
    due: mpsc::UnboundedSender<Due>,
}

/// A webhook that Userlike sends by itself.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) cid: String,
    pub(super) name: &'static str,
    pub(super) payload: Value,
}

type Watcher = Box<dyn Fn(&Record) + Send + Sync>;
type Fetches = Box<dyn Fn(&str) -> bool + Send + Sync>;

pub(super) struct Memory {
    pub(super) sessions: HashMap<String, Session>,
    pub(super) lines: HashMap<String, Line>,
    opened: usize,
    pub(super) refusals: VecDeque<u16>,
    pub(super) faults: Faults,
    operators: Operators,
    fetches: Fetches,
    records: Bounded<Record>,
    watchers: Vec<Watcher>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("sessions", &self.sessions.len()).finish_non_exhaustive()
    }
}

impl Account {
    pub(super) fn new(options: Options) -> Result<(Self, mpsc::UnboundedReceiver<Due>)> {
        let (due, receiver) = mpsc::unbounded_channel();
        let memory = Memory {
            sessions: HashMap::new(),
            lines: HashMap::new(),
            opened: 0,
            refusals: VecDeque::new(),
            faults: options.faults.clone(),
            operators: options.operators,
            fetches: Box::new(|_| true),
            records: Bounded::new(options.keep.records),
            watchers: Vec::new(),
        };
        let inner = Inner {
            options,
            start: Instant::now(),
            memory: Mutex::new(memory),
            webhooks: AtomicU64::new(0),
            http: client()?,
            due,
        };
        Ok((Self { inner: Arc::new(inner) }, receiver))
    }

    /// How it was made.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Opens a conversation; calls for others are refused.
    pub fn open(&self, cid: &str, contact: Contact) {
        let mut memory = self.memory();
        memory.opened += 1;
        let session = Session::new(memory.opened, contact, self.inner.options.keep.seen);
        memory.sessions.insert(cid.to_owned(), session);
    }

    /// The last context of a conversation that was not empty.
    pub fn context(&self, cid: &str) -> Value {
        let memory = self.memory();
        memory.sessions.get(cid).map_or_else(|| json!({}), |known| known.context.clone().into())
    }

    /// What is known of the person of a conversation.
    pub fn contact(&self, cid: &str) -> Contact {
        let memory = self.memory();
        memory.sessions.get(cid).map(|known| known.contact.clone()).unwrap_or_default()
    }

    /// Whether the bot has a conversation; absent for one that never was.
    pub fn state(&self, cid: &str) -> Option<State> {
        self.memory().sessions.get(cid).map(|known| known.state)
    }

    /// The session is over, as after its timeout.
    pub fn expire(&self, cid: &str) {
        self.change(&mut self.memory(), cid, State::Expired);
    }

    /// Whether somebody is free for the hand-offs from now on.
    pub fn set_operators(&self, operators: Operators) {
        self.memory().operators = operators;
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.memory().faults = faults;
    }

    /// Decides which links of media can be fetched; all can until then. Nothing is
    /// ever really fetched.
    pub fn set_fetches(&self, fetches: impl Fn(&str) -> bool + Send + Sync + 'static) {
        self.memory().fetches = Box::new(fetches);
    }

    /// Answers the next calls with these statuses, whatever they carry.
    pub fn refuse_next(&self, statuses: impl IntoIterator<Item = u16>) {
        self.memory().refusals.extend(statuses);
    }

    /// Shows every record from now on, in the order in which things happen. The
    /// account is locked meanwhile: a watcher must not ask it anything.
    pub fn watch(&self, watcher: impl Fn(&Record) + Send + Sync + 'static) {
        self.memory().watchers.push(Box::new(watcher));
    }

    /// What happened, as far as it is remembered; what persons saw is in
    /// [`Account::seen`].
    pub fn records(&self) -> Vec<Record> {
        self.memory().records.iter().cloned().collect()
    }

    /// The calls so far, refused ones included.
    pub fn calls(&self) -> Vec<Call> {
        let memory = self.memory();
        let call = |record: &Record| match record {
            Record::Call(call) => Some(Call::clone(call)),
            Record::Webhook(_) | Record::Seen(_) | Record::Session(_) => None,
        };
        memory.records.iter().filter_map(call).collect()
    }

    /// The webhooks so far, one for each sending.
    pub fn sent(&self) -> Vec<Arc<Sent>> {
        let memory = self.memory();
        let sent = |record: &Record| match record {
            Record::Webhook(sent) => Some(Arc::clone(sent)),
            Record::Call(_) | Record::Seen(_) | Record::Session(_) => None,
        };
        memory.records.iter().filter_map(sent).collect()
    }

    /// What the person of a conversation saw, in the order in which it was shown:
    /// a delay holds back what follows in its own list, and nothing else.
    pub fn seen(&self, cid: &str) -> Vec<Arc<Seen>> {
        let memory = self.memory();
        let session = memory.sessions.get(cid);
        let mut seen: Vec<_> = session.into_iter().flat_map(|it| it.seen.iter().cloned()).collect();
        seen.sort_by_key(|seen| (seen.at, seen.number));
        seen
    }

    /// The packets of all calls that were carried out for a conversation, in order.
    pub fn delivered(&self, cid: &str) -> Vec<Packet> {
        let memory = self.memory();
        let seen = memory.sessions.get(cid).into_iter().flat_map(|known| known.seen.iter());
        seen.filter(|seen| seen.by == By::Call).map(|seen| seen.packet.clone()).collect()
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

    /// Takes what a bot said in a webhook's answer, unjudged.
    pub fn take(&self, packets: &[Packet]) {
        self.carry_out(&mut self.memory(), packets, By::Answer);
    }

    /// Judges the answer of a webhook as a call would be, and takes it.
    ///
    /// # Errors
    ///
    /// Says what Userlike refuses; then nothing of the answer is taken.
    pub(super) fn answer(&self, cid: &str, body: &[u8]) -> Result<Vec<Packet>, String> {
        if body.is_empty() {
            return Ok(Vec::new());
        }
        let packets = rules::packets(body)?;
        let mut memory = self.memory();
        if let Some(other) = packets.iter().find(|packet| packet.cid != cid) {
            return Err(format!("an answer for {}, where {cid} was told of", other.cid));
        }
        if let Some(session) = memory.sessions.get(cid) {
            session.judge(packets.iter(), &memory.fetches).map_err(|refusal| match refusal {
                Refusal::Over(why) | Refusal::Rule(why) | Refusal::Media(why) => why,
            })?;
        }
        self.carry_out(&mut memory, &packets, By::Answer);
        Ok(packets)
    }

    /// Whether all sessions take their packets.
    pub(super) fn judge(&self, memory: &Memory, packets: &[Packet]) -> Result<(), Refusal> {
        for cid in cids(packets) {
            if let Some(session) = memory.sessions.get(cid) {
                let own = packets.iter().filter(|packet| packet.cid == cid);
                session.judge(own, &memory.fetches)?;
            }
        }
        Ok(())
    }

    /// What was judged good happens.
    pub(super) fn carry_out(&self, memory: &mut Memory, packets: &[Packet], by: By) {
        let now = self.now();
        for cid in cids(packets) {
            let own: Vec<_> = packets.iter().filter(|packet| packet.cid == cid).collect();
            let Some(session) = memory.sessions.get_mut(cid) else { continue };
            let before = session.state;
            let seen = session.take(&own, by, now).into_iter().map(Arc::new).collect::<Vec<_>>();
            let after = session.state;
            for seen in &seen {
                session.seen.push(Arc::clone(seen));
            }
            for seen in seen {
                memory.show(&Record::Seen(seen));
            }
            if after != before {
                let last = own.iter().rev().find(|packet| packet.is_last_word());
                self.ended(memory, cid, after, last.is_some_and(|it| it.wants_feedback()));
            }
        }
    }

    fn ended(&self, memory: &mut Memory, cid: &str, state: State, wants_feedback: bool) {
        let state = match (state, memory.operators) {
            // "forward_failed": told where it was asked for; the session goes on.
            (State::Forwarded, Operators::Away) if wants_feedback => {
                let due = Due { cid: cid.to_owned(), name: "forward_failed", payload: json!({}) };
                // Nobody sends for an account that is gone.
                let _ = self.inner.due.send(due);
                State::Open
            }
            (State::Forwarded, Operators::Away) => State::Unassigned,
            (state, _) => state,
        };
        self.change(memory, cid, state);
    }

    pub(super) fn change(&self, memory: &mut Memory, cid: &str, state: State) {
        if let Some(session) = memory.sessions.get_mut(cid) {
            session.state = state;
            let change = Change { at: self.now(), cid: cid.to_owned(), state: state.name() };
            memory.note(Record::Session(Arc::new(change)));
        }
    }

    /// A number for the next webhook.
    pub(super) fn next_webhook(&self) -> u64 {
        self.inner.webhooks.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What calls the host.
    pub(super) fn http(&self) -> reqwest::Client {
        self.inner.http.clone()
    }

    /// The time of the account.
    pub(super) fn now(&self) -> Duration {
        self.inner.start.elapsed()
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// Remembers a record and shows it.
    pub(super) fn note(&mut self, record: Record) {
        self.show(&record);
        self.records.push(record);
    }

    fn show(&self, record: &Record) {
        for watcher in &self.watchers {
            watcher(record);
        }
    }
}

/// Each conversation once, in the order of the list.
pub(super) fn cids(packets: &[Packet]) -> Vec<&str> {
    let mut known = HashSet::new();
    packets.iter().map(|packet| &*packet.cid).filter(|cid| known.insert(*cid)).collect()
}
