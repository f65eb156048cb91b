//! What the twins of all vendors have in common: an account that takes calls, sends
//! webhooks, meets faults and remembers. What is a vendor's own is a [`Vendor`].

mod deliver;
mod front;
mod ledger;
mod twin;

pub use deliver::{Delivery, Outgoing};
pub use front::{Incoming, Reply};
pub use ledger::Ledger;
pub use twin::Twin;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::sync::mpsc;

use ledger::Due;

use crate::faults::Faults;
use crate::record::{Call, Keep, Record, Seen, Sent};
use crate::wait;
use crate::wire::{ANSWER_WITHIN, client};

/// A vendor's own rules. All of it happens with the account locked.
pub trait Vendor: fmt::Debug + Send + 'static {
    /// Whether a call is let in at all: its address, its method, its token.
    ///
    /// # Errors
    ///
    /// The answer that turns it away.
    fn admit(&self, call: &Incoming, ledger: &Ledger) -> Result<(), Reply>;

    /// The conversation of a call; the plan of faults spares calls without one.
    fn conversation(&self, call: &Incoming) -> Option<String>;

    /// Judges a call, does what it says if nothing stands against it, and answers.
    fn answer(&mut self, call: &Incoming, ledger: &mut Ledger) -> Reply;

    /// How the vendor says that there were too many calls; with the seconds until
    /// there is room, if it is to tell them.
    fn limited(&self, seconds: Option<u64>) -> Reply;

    /// How the vendor says that it failed.
    fn broken(&self) -> Reply;

    /// What the bot may still say in a conversation is over.
    fn expire(&mut self, conversation: &str, ledger: &mut Ledger);

    /// Whether a webhook with this answer counts as delivered.
    fn is_delivered(&self, status: u16) -> bool {
        (200..300).contains(&status)
    }

    /// One sending of a webhook is over.
    fn sent(&mut self, webhook: &Outgoing, delivered: bool, ledger: &mut Ledger) {
        let _ = (webhook, delivered, ledger);
    }

    /// Takes the answer of a webhook that was delivered.
    ///
    /// # Errors
    ///
    /// Says why the vendor can make nothing of it.
    fn answered(
        &mut self,
        webhook: &Outgoing,
        body: &str,
        ledger: &mut Ledger,
    ) -> Result<(), String> {
        let _ = (webhook, body, ledger);
        Ok(())
    }
}

/// How a twin behaves, whatever its vendor.
#[derive(Clone, Debug)]
pub struct Conduct {
    /// What goes wrong.
    pub faults: Faults,
    /// How much is remembered.
    pub keep: Keep,
    /// How long after each failed sending the same webhook comes again; the last
    /// failure is for good.
    pub redeliver: Vec<Duration>,
    /// How long a webhook's answer may take.
    pub answer_within: Duration,
}

impl Default for Conduct {
    /// Nothing goes wrong, nothing comes again.
    fn default() -> Self {
        Self {
            faults: Faults::none(),
            keep: Keep::ALL,
            redeliver: Vec::new(),
            answer_within: ANSWER_WITHIN,
        }
    }
}

/// An account at a vendor: what was sent and taken in it. Clones are the same account.
pub struct Account<V> {
    inner: Arc<Inner<V>>,
}

struct Inner<V> {
    memory: Mutex<Memory<V>>,
    webhooks: AtomicU64,
    http: reqwest::Client,
    redeliver: Vec<Duration>,
    answer_within: Duration,
}

/// What is locked together, so that records stand in the order in which things
/// happened.
#[derive(Debug)]
pub(crate) struct Memory<V> {
    pub(crate) vendor: V,
    pub(crate) ledger: Ledger,
}

impl<V> Clone for Account<V> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<V> fmt::Debug for Account<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").finish_non_exhaustive()
    }
}

impl<V: Vendor> Account<V> {
    fn new(vendor: V, conduct: Conduct) -> Result<(Self, mpsc::UnboundedReceiver<Due>)> {
        let (due, receiver) = mpsc::unbounded_channel();
        let Conduct { faults, keep, redeliver, answer_within } = conduct;
        let inner = Inner {
            memory: Mutex::new(Memory { vendor, ledger: Ledger::new(faults, keep, due) }),
            webhooks: AtomicU64::new(0),
            http: client()?,
            redeliver,
            answer_within,
        };
        Ok((Self { inner: Arc::new(inner) }, receiver))
    }

    /// Says where the webhook `hook` is now. A host that was started again has moved.
    pub fn point(&self, hook: &str, url: &str) {
        self.memory().ledger.point(hook, url);
    }

    /// What goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.memory().ledger.faults = faults;
    }

    /// Answers the next calls with these statuses, whatever they carry.
    pub fn refuse_next(&self, statuses: impl IntoIterator<Item = u16>) {
        self.memory().ledger.refusals.extend(statuses);
    }

    /// Shows every record from now on, in the order in which things happen. The
    /// account is locked meanwhile: a watcher must not ask it anything.
    pub fn watch(&self, watcher: impl Fn(&Record) + Send + Sync + 'static) {
        self.memory().ledger.watch(Box::new(watcher));
    }

    /// What happened, as far as it is remembered, but for what persons saw.
    pub fn records(&self) -> Vec<Record> {
        self.memory().ledger.records().cloned().collect()
    }

    /// The calls so far, refused ones included.
    pub fn calls(&self) -> Vec<Arc<Call>> {
        let memory = self.memory();
        let call = |record: &Record| match record {
            Record::Call(call) => Some(Arc::clone(call)),
            Record::Webhook(_) | Record::Seen(_) | Record::Change(_) => None,
        };
        memory.ledger.records().filter_map(call).collect()
    }

    /// The webhooks so far, one for each sending.
    pub fn sent(&self) -> Vec<Arc<Sent>> {
        let memory = self.memory();
        let sent = |record: &Record| match record {
            Record::Webhook(sent) => Some(Arc::clone(sent)),
            Record::Call(_) | Record::Seen(_) | Record::Change(_) => None,
        };
        memory.ledger.records().filter_map(sent).collect()
    }

    /// What happened in a conversation by calls, in order.
    pub fn seen(&self, conversation: &str) -> Vec<Arc<Seen>> {
        self.memory().ledger.seen(conversation)
    }

    /// The texts that reached the person of a conversation, in order.
    pub fn texts(&self, conversation: &str) -> Vec<String> {
        let seen = self.seen(conversation);
        seen.iter().filter_map(|seen| seen.text().map(str::to_owned)).collect()
    }

    /// Takes the answer of a webhook that somebody else has sent, and has read to its end.
    ///
    /// # Errors
    ///
    /// Says why the vendor can make nothing of it.
    pub fn take(&self, webhook: &Outgoing, answer: &str) -> Result<(), String> {
        let mut memory = self.memory();
        let Memory { vendor, ledger } = &mut *memory;
        vendor.answered(webhook, answer, ledger)
    }

    /// What the bot may still say in a conversation is over.
    pub fn expire(&self, conversation: &str) {
        let mut memory = self.memory();
        let Memory { vendor, ledger } = &mut *memory;
        vendor.expire(conversation, ledger);
    }

    /// Waits until this much happened in a conversation.
    ///
    /// # Errors
    ///
    /// There was less within the time.
    pub async fn wait_seen(
        &self,
        conversation: &str,
        count: usize,
        within: Duration,
    ) -> Result<Vec<Arc<Seen>>> {
        let what = format!("{count} things that happen in {conversation}");
        wait::until(&what, within, || {
            let seen = self.seen(conversation);
            (seen.len() >= count).then_some(seen)
        })
        .await
    }

    /// The time of the account.
    pub fn now(&self) -> Duration {
        self.memory().ledger.now()
    }

    pub(crate) fn http(&self) -> reqwest::Client {
        self.inner.http.clone()
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory<V>> {
        self.inner.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_webhook(&self) -> u64 {
        self.inner.webhooks.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[cfg(test)]
mod tests;
