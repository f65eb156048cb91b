//! What bots use of what they are granted: kept for whoever asks what can be taken away.
//! It is counted in memory and added to the store once a minute, so a crash loses a
//! minute of it and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use botyard_kernel::grants::{HTTP, Use};
use botyard_kernel::id::{BotId, TenantId};
use botyard_kernel::time::{DAY, Millis};
use botyard_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Work;
use crate::clock;
use crate::send::HostPattern;

/// The kind of the notes in which it is kept, by the names of bots.
const KIND: &str = "used";
/// How often it is added to the store.
const EVERY: Duration = Duration::from_secs(60);
/// What was not used for so long is forgotten.
const KEPT_MS: Millis = 90 * DAY;
/// So many hosts of a bot are told apart; of more the ones used last are.
const HOSTS_MAX: usize = 200;

/// What a bot has used, and what it was denied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UsedRecord {
    /// It was counted from then on.
    pub since_ms: Millis,
    /// Hosts that it called.
    pub hosts: BTreeMap<HostPattern, Use>,
    /// Imports that reach beyond it.
    pub imports: BTreeMap<String, Use>,
    /// Hosts that it wanted to call and might not.
    pub denied: BTreeMap<HostPattern, Use>,
}

impl UsedRecord {
    fn beginning(now: Millis) -> Self {
        Self { since_ms: now, ..Self::default() }
    }

    /// What both say.
    fn and(mut self, other: Self) -> Self {
        self.since_ms = match (self.since_ms, other.since_ms) {
            (0, since) | (since, 0) => since,
            (one, two) => one.min(two),
        };
        for (host, used) in other.hosts {
            add(&mut self.hosts, host, used);
        }
        for (host, used) in other.denied {
            add(&mut self.denied, host, used);
        }
        for (import, used) in other.imports {
            let sum = self.imports.entry(import).or_default();
            *sum = sum.and(used);
        }
        self
    }

    /// Without what nobody has used for long.
    fn lately(mut self, now: Millis) -> Self {
        let late = |used: &Use| used.last_ms + KEPT_MS > now;
        self.hosts.retain(|_, used| late(used));
        self.denied.retain(|_, used| late(used));
        self.imports.retain(|_, used| late(used));
        self
    }
}

fn add(all: &mut BTreeMap<HostPattern, Use>, host: HostPattern, used: Use) {
    let sum = all.entry(host).or_default();
    *sum = sum.and(used);
    if all.len() > HOSTS_MAX
        && let Some(oldest) = all.iter().min_by_key(|(_, used)| used.last_ms)
    {
        let oldest = oldest.0.clone();
        all.remove(&oldest);
    }
}

type Counted = HashMap<(TenantId, BotId), UsedRecord>;

/// What was used since it was last written down.
#[derive(Default)]
pub(super) struct Used {
    counted: Mutex<Counted>,
    /// One at a time reads, adds and writes.
    writing: tokio::sync::Mutex<()>,
}

impl Used {
    /// A bot calls a host, by the import or by a `request`.
    pub(super) fn called(
        &self,
        (tenant, bot): (&TenantId, &BotId),
        host: HostPattern,
        by_import: bool,
        now: Millis,
    ) {
        let mut counted = self.counted();
        let record = of(&mut counted, tenant, bot, now);
        let once = Use { count: 1, last_ms: now };
        add(&mut record.hosts, host, once);
        if by_import {
            let sum = record.imports.entry(HTTP.to_owned()).or_default();
            *sum = sum.and(once);
        }
    }

    /// A bot wants to call a host and may not.
    pub(super) fn denied(&self, tenant: &TenantId, bot: &BotId, host: HostPattern, now: Millis) {
        let mut counted = self.counted();
        add(&mut of(&mut counted, tenant, bot, now).denied, host, Use { count: 1, last_ms: now });
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(
        store: &Store,
        tenant: &TenantId,
        bot: &BotId,
        now: Millis,
    ) -> Result<UsedRecord, StoreError> {
        let note = store.tenant(tenant).note_get(KIND, bot.as_str(), now).await?;
        Ok(note.and_then(|note| serde_json::from_value(note).ok()).unwrap_or_default())
    }

    async fn write(&self, store: &Store, now: Millis) -> Result<(), StoreError> {
        let _one = self.writing.lock().await;
        let counted = std::mem::take(&mut *self.counted());
        let mut left = counted.into_iter();
        while let Some(((tenant, bot), more)) = left.next() {
            let written = write_one(store, (&tenant, &bot), more.clone(), now).await;
            if let Err(error) = written {
                let rest = std::iter::once(((tenant, bot), more)).chain(left);
                self.put_back(rest);
                return Err(error);
            }
        }
        Ok(())
    }

    /// What a tenant has used is not written down any more, also by whoever has begun to.
    async fn forget(&self, tenant: &TenantId) {
        let _one = self.writing.lock().await;
        self.counted().retain(|(owner, _), _| owner != tenant);
    }

    /// What could not be written is written the next time.
    fn put_back(&self, rest: impl Iterator<Item = ((TenantId, BotId), UsedRecord)>) {
        let mut counted = self.counted();
        for (whose, more) in rest {
            let newer = counted.remove(&whose).unwrap_or_default();
            counted.insert(whose, newer.and(more));
        }
    }
}

async fn write_one(
    store: &Store,
    (tenant, bot): (&TenantId, &BotId),
    more: UsedRecord,
    now: Millis,
) -> Result<(), StoreError> {
    let all = Used::read(store, tenant, bot, now).await?.and(more).lately(now);
    let expires = Some(now + KEPT_MS);
    store.tenant(tenant).note_put(KIND, bot.as_str(), &json!(all), expires).await
}

fn of<'a>(
    counted: &'a mut Counted,
    tenant: &TenantId,
    bot: &BotId,
    now: Millis,
) -> &'a mut UsedRecord {
    let beginning = || UsedRecord::beginning(now);
    counted.entry((tenant.clone(), bot.clone())).or_insert_with(beginning)
}

impl Work {
    /// What a bot has used and was denied.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn used(&self, tenant: &TenantId, bot: &BotId) -> Result<UsedRecord, StoreError> {
        let _one = self.used.writing.lock().await;
        let now = clock::now();
        let kept = Used::read(&self.store, tenant, bot, now).await?;
        let counted = self.used.counted().get(&(tenant.clone(), bot.clone())).cloned();
        Ok(kept.and(counted.unwrap_or_default()).lately(now))
    }

    /// A bot that is gone has used nothing.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn forget_used(&self, tenant: &TenantId, bot: &BotId) -> Result<(), StoreError> {
        let _one = self.used.writing.lock().await;
        self.used.counted().remove(&(tenant.clone(), bot.clone()));
        self.store.tenant(tenant).note_delete(KIND, bot.as_str()).await.map(drop)
    }

    /// What the bots of a tenant have used is written down no more. None of them runs.
    pub(crate) async fn forget_used_by(&self, tenant: &TenantId) {
        self.used.forget(tenant).await;
    }

    /// Writes down what bots have used.
    pub async fn write_used(&self) {
        if let Err(error) = self.used.write(&self.store, clock::now()).await {
            tracing::warn!(%error, "what bots use is not written down: it is tried again");
        }
    }

    /// Writes it down from now on.
    pub fn start_writing_used(self: &Arc<Self>) {
        let work = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let Some(work) = work.upgrade() else { return };
                work.write_used().await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use botyard_store::MemoryStore;

    use super::*;

    fn host(number: usize) -> HostPattern {
        HostPattern::read(&format!("h{number}.example")).unwrap()
    }

    fn of(count: u64, last_ms: Millis) -> Use {
        Use { count, last_ms }
    }

    #[tokio::test]
    async fn what_is_used_is_added_up_and_forgotten_in_the_end() {
        let (store, used) = (MemoryStore::new().store(), Used::default());
        let (tenant, bot) = (TenantId::from("acme"), BotId::from("bot"));
        used.called((&tenant, &bot), host(1), true, 10);
        used.denied(&tenant, &bot, host(2), 11);
        used.write(&store, 12).await.unwrap();
        used.called((&tenant, &bot), host(1), false, 20);
        used.write(&store, 21).await.unwrap();
        let kept = Used::read(&store, &tenant, &bot, 21).await.unwrap();
        let expected = UsedRecord {
            since_ms: 10,
            hosts: [(host(1), of(2, 20))].into(),
            imports: [(HTTP.to_owned(), of(1, 10))].into(),
            denied: [(host(2), of(1, 11))].into(),
        };
        assert_eq!(kept, expected);
        let later = kept.lately(KEPT_MS + 15);
        assert_eq!((later.hosts.len(), later.imports.len(), later.denied.len()), (1, 0, 0));
        let other = Used::read(&store, &TenantId::from("other"), &bot, 21).await.unwrap();
        assert_eq!(other, UsedRecord::default(), "another tenant's bot of the same name");
    }

    #[tokio::test]
    async fn what_a_tenant_that_is_gone_used_is_not_written_down() {
        let (store, used) = (MemoryStore::new().store(), Used::default());
        let bot = BotId::from("bot");
        let tenants = ["acme", "other"].map(TenantId::from);
        for tenant in &tenants {
            used.called((tenant, &bot), host(1), true, 10);
        }
        used.forget(&tenants[0]).await;
        used.write(&store, 12).await.unwrap();
        let mut kept = Vec::new();
        for tenant in &tenants {
            kept.push(Used::read(&store, tenant, &bot, 12).await.unwrap().hosts.len());
        }
        assert_eq!(kept, [0, 1]);
    }

    #[test]
    fn of_too_many_hosts_those_that_were_used_last_are_told_apart() {
        let used = Used::default();
        let (tenant, bot) = (TenantId::from("acme"), BotId::from("bot"));
        for number in 0..HOSTS_MAX + 50 {
            used.called((&tenant, &bot), host(number), false, number as u64);
            used.denied(&tenant, &bot, host(number), number as u64);
        }
        let counted = used.counted()[&(tenant, bot)].clone();
        assert_eq!((counted.hosts.len(), counted.denied.len()), (HOSTS_MAX, HOSTS_MAX));
        assert!(!counted.hosts.contains_key(&host(0)) && counted.hosts.contains_key(&host(249)));
    }
}
