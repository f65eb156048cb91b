//! The memory that every twin has.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::mpsc;

use super::deliver::Outgoing;
use crate::faults::Faults;
use crate::record::{Bounded, Change, Keep, Record, Seen};

type Watcher = Box<dyn Fn(&Record) + Send + Sync>;

/// What happened, what is to go wrong, and what is still to be sent.
pub struct Ledger {
    start: Instant,
    pub(super) faults: Faults,
    pub(super) refusals: VecDeque<u16>,
    hooks: HashMap<String, String>,
    known: HashMap<String, Known>,
    keep: Keep,
    records: Bounded<Record>,
    watchers: Vec<Watcher>,
    due: mpsc::UnboundedSender<Due>,
}

/// What the vendor does by itself.
#[derive(Debug)]
pub(super) enum Due {
    /// It sends a webhook.
    Webhook(Outgoing),
    /// It shows something later: for whom, what, and what that carries.
    Show(Duration, String, String, Value),
}

/// A conversation, as far as every vendor has it.
#[derive(Debug)]
pub(super) struct Known {
    /// Which conversation of its account it is: keys differ from run to run, and the
    /// plan of faults must not.
    pub(super) ordinal: String,
    pub(super) calls: u64,
    pub(super) sendings: u64,
    pub(super) pairs: u64,
    taken: u64,
    seen: Bounded<Arc<Seen>>,
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("conversations", &self.known.len()).finish_non_exhaustive()
    }
}

impl Ledger {
    pub(super) fn new(faults: Faults, keep: Keep, due: mpsc::UnboundedSender<Due>) -> Self {
        Self {
            start: Instant::now(),
            faults,
            refusals: VecDeque::new(),
            hooks: HashMap::new(),
            known: HashMap::new(),
            keep,
            records: Bounded::new(keep.records),
            watchers: Vec::new(),
            due,
        }
    }

    /// The time of the account.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Counts a conversation; those that come by themselves are counted as they come.
    pub fn open(&mut self, conversation: &str) {
        self.known(conversation);
    }

    /// Something reached the person of a conversation, or was done for them.
    pub fn show(&mut self, conversation: &str, name: &str, value: Value) {
        let at = self.now();
        let known = self.known(conversation);
        let seen = Arc::new(Seen {
            at,
            conversation: conversation.to_owned(),
            number: known.taken,
            name: name.to_owned(),
            value,
        });
        known.taken += 1;
        known.seen.push(Arc::clone(&seen));
        self.tell(&Record::Seen(seen));
    }

    /// A conversation came into another state.
    pub fn change(&mut self, conversation: &str, state: &str) {
        let at = self.now();
        let (conversation, state) = (conversation.to_owned(), state.to_owned());
        self.note(Record::Change(Arc::new(Change { at, conversation, state })));
    }

    /// The vendor sends a webhook by itself, as soon as it can.
    pub fn send(&self, webhook: Outgoing) {
        // Nobody sends for an account that is gone.
        let _ = self.due.send(Due::Webhook(webhook));
    }

    /// As [`Ledger::show`], but only after a while; what follows may come before.
    pub fn show_later(&self, after: Duration, conversation: &str, name: &str, value: Value) {
        let due = Due::Show(after, conversation.to_owned(), name.to_owned(), value);
        let _ = self.due.send(due);
    }

    /// Says where the webhook `hook` is now.
    pub fn point(&mut self, hook: &str, url: &str) {
        self.hooks.insert(hook.to_owned(), url.to_owned());
    }

    /// Where the webhook `hook` is, if somebody said so.
    pub fn hook(&self, hook: &str) -> Option<String> {
        self.hooks.get(hook).cloned()
    }

    pub(super) fn known(&mut self, conversation: &str) -> &mut Known {
        let ordinal = self.known.len() + 1;
        let seen = self.keep.seen;
        self.known.entry(conversation.to_owned()).or_insert_with(|| Known {
            ordinal: ordinal.to_string(),
            calls: 0,
            sendings: 0,
            pairs: 0,
            taken: 0,
            seen: Bounded::new(seen),
        })
    }

    pub(super) fn seen(&self, conversation: &str) -> Vec<Arc<Seen>> {
        self.known.get(conversation).into_iter().flat_map(|it| it.seen.iter().cloned()).collect()
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.iter()
    }

    pub(super) fn watch(&mut self, watcher: Watcher) {
        self.watchers.push(watcher);
    }

    /// Remembers a record and shows it.
    pub(super) fn note(&mut self, record: Record) {
        self.tell(&record);
        self.records.push(record);
    }

    fn tell(&self, record: &Record) {
        for watcher in &self.watchers {
            watcher(record);
        }
    }
}
