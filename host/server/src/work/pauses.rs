//! Bots and channels that an operator, or their tenant, has stopped.
//!
//! A pause is a record of the catalog, so that it holds over restarts and leaves
//! its row in the tenant's audit; what lanes ask is answered from memory.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use botyard_kernel::access::Scope;
use botyard_kernel::id::{ConversationKey, TenantId};
use botyard_kernel::lane::Input;
use botyard_kernel::outbox::Paused;
use botyard_kernel::time::Millis;
use botyard_store::{Record, Stamp, StoreError};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Message, Work};
use crate::registry::Channel;

/// The kind of the catalog's records.
const KIND: &str = "pause";
/// At most so many conversations are remembered as having nothing to do but wait;
/// more of them are looked at again and again, which costs time and nothing else.
const RESTING_MAX: usize = 100_000;

/// What can be paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Pausable {
    /// Events are accepted and no turns run; what was decided before is delivered.
    Bot,
    /// Events are accepted, no turns run, and no calls leave.
    Channel,
}

impl Pausable {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Channel => "channel",
        }
    }
}

/// A bot or a channel of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Which of the two.
    pub what: Pausable,
    /// Whose.
    pub tenant: TenantId,
    /// Its name.
    pub name: String,
}

impl Subject {
    fn record_name(&self) -> String {
        format!("{}/{}", self.what.name(), self.name)
    }

    fn from_record(tenant: TenantId, record: &Record) -> Option<Self> {
        let (what, name) = record.name.split_once('/')?;
        let all = [Pausable::Bot, Pausable::Channel];
        let what = all.into_iter().find(|known| known.name() == what)?;
        Some(Self { what, tenant, name: name.to_owned() })
    }
}

/// A pause, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when (Unix milliseconds).
    pub since_ms: Millis,
    /// Who paused it.
    pub by: String,
    /// It is the operator's, who alone changes or ends it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_operator: bool,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// All pauses.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    known: Mutex<BTreeMap<Subject, Pause>>,
    /// Conversations that are due and only wait for the end of a pause.
    resting: Mutex<HashSet<ConversationKey>>,
    /// Records and memory change together.
    changing: tokio::sync::Mutex<()>,
}

impl Pauses {
    /// Nothing of a tenant is paused any more.
    pub(super) fn forget(&self, tenant: &TenantId) {
        lock(&self.known).retain(|subject, _| subject.tenant != *tenant);
    }

    fn paused(&self, channel: &Channel) -> Paused {
        let bot = channel.bot();
        let known = lock(&self.known);
        let is = |what, name: &str| {
            let (tenant, name) = (channel.tenant.clone(), name.to_owned());
            known.contains_key(&Subject { what, tenant, name })
        };
        Paused {
            // What nobody answers yet waits.
            bot: bot.deployed.now().is_none() || is(Pausable::Bot, bot.id.as_str()),
            channel: channel.is_closed() || is(Pausable::Channel, channel.id.as_str()),
        }
    }

    /// A conversation needs no looking at until a pause ends.
    pub(super) fn rest(&self, key: &ConversationKey) {
        let mut resting = lock(&self.resting);
        if resting.len() < RESTING_MAX {
            resting.insert(key.clone());
        }
    }

    pub(super) fn wake(&self, key: &ConversationKey) {
        lock(&self.resting).remove(key);
    }

    pub(super) fn rests(&self, key: &ConversationKey) -> bool {
        lock(&self.resting).contains(key)
    }
}

impl Work {
    /// Takes over the pauses of an earlier host.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load_pauses(&self) -> Result<(), StoreError> {
        for (tenant, record) in self.store.host().list_all(KIND).await? {
            let pause = serde_json::from_value(record.value.clone()).ok();
            let (Some(subject), Some(pause)) = (Subject::from_record(tenant, &record), pause)
            else {
                return Err(StoreError::Corrupt(format!("the pause `{}`", record.name)));
            };
            let Subject { what, tenant, name } = &subject;
            let what = what.name();
            tracing::warn!(%tenant, "{what} {name} is paused: `botyard resume {what} {name}`");
            lock(&self.pauses.known).insert(subject, pause);
        }
        Ok(())
    }

    /// What is paused.
    pub fn pauses(&self) -> Vec<(Subject, Pause)> {
        let known = lock(&self.pauses.known);
        known.iter().map(|(subject, pause)| (subject.clone(), pause.clone())).collect()
    }

    /// The pause of a bot or a channel, if an operator or its tenant has stopped it.
    pub fn pause_of(&self, subject: &Subject) -> Option<Pause> {
        lock(&self.pauses.known).get(subject).cloned()
    }

    /// Pauses a bot or a channel from now on, and answers the pause that holds. One that is
    /// paused already stays so since then; another reason takes the place of the one before,
    /// with whoever gives it, and an operator makes a tenant's pause their own.
    ///
    /// # Errors
    /// When the record cannot be written: then nothing is paused.
    pub async fn pause(
        &self,
        subject: &Subject,
        reason: Option<String>,
        by: Scope,
        stamp: &Stamp,
    ) -> Result<Pause, StoreError> {
        let changing = self.pauses.changing.lock().await;
        let by_operator = by == Scope::Operator;
        let (since_ms, reason) = match self.pause_of(subject) {
            Some(known) => {
                let same = reason.is_none() || reason == known.reason;
                if same && known.by_operator >= by_operator {
                    return Ok(known);
                }
                (known.since_ms, reason.or(known.reason))
            }
            None => (stamp.at_ms, reason),
        };
        let pause = Pause { since_ms, by: stamp.actor.clone(), by_operator, reason };
        // A pause has texts and a number: it is a value in any case.
        let value = serde_json::to_value(&pause).unwrap_or_default();
        let store = self.store.tenant(&subject.tenant);
        store.put(KIND, &subject.record_name(), &value, stamp).await?;
        lock(&self.pauses.known).insert(subject.clone(), pause.clone());
        self.tell_paused(&subject.tenant);
        drop(changing);
        let Subject { what, tenant, name } = subject;
        tracing::warn!(%tenant, by = stamp.actor, "{} {name} is paused", what.name());
        Ok(pause)
    }

    /// Ends a pause; what waited goes on. `false` where there was none.
    ///
    /// # Errors
    /// When the record cannot be taken away: then the pause holds.
    pub async fn resume(&self, subject: &Subject, stamp: &Stamp) -> Result<bool, StoreError> {
        let changing = self.pauses.changing.lock().await;
        let store = self.store.tenant(&subject.tenant);
        match store.delete(KIND, &subject.record_name(), stamp).await {
            Ok(()) => {}
            Err(StoreError::NotFound) => return Ok(false),
            Err(error) => return Err(error),
        }
        lock(&self.pauses.known).remove(subject);
        self.tell_paused(&subject.tenant);
        drop(changing);
        let Subject { what, tenant, name } = subject;
        tracing::warn!(%tenant, by = stamp.actor, "{} {name} goes on", what.name());
        Ok(true)
    }

    /// What is stopped for the conversations of a channel.
    pub(super) fn paused(&self, channel: &Channel) -> Paused {
        let paused = self.pauses.paused(channel);
        Paused { channel: paused.channel || self.is_held(), ..paused }
    }

    /// Whether the store was made of a backup and nobody has let it deliver yet.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Nothing is decided or delivered from now on, or everything again. What its outbox
    /// holds may long have been said.
    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Release);
        let mut tenants: Vec<_> = self.channels().iter().map(|it| it.tenant.clone()).collect();
        tenants.dedup();
        tenants.iter().for_each(|tenant| self.tell_paused(tenant));
    }

    /// Tells the lanes in memory. One that is made meanwhile asks by itself. Where the
    /// channel is not there any more, nothing goes on.
    pub(crate) fn tell_paused(&self, tenant: &TenantId) {
        lock(&self.pauses.resting).clear();
        for (key, lane) in self.lanes().iter().filter(|(key, _)| key.tenant == *tenant) {
            let channel = self.channel(&key.channel).filter(|found| found.tenant == *tenant);
            let gone = Paused { bot: true, channel: true };
            let paused = channel.map_or(gone, |channel| self.paused(&channel));
            // A lane that has just ended has nothing to be paused.
            let _ = lane.send(Message::Input(Input::Pause(paused)));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
