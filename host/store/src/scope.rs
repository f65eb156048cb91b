//! What a caller may see of the store: one tenant, or the host's own view.

use std::sync::Arc;

use botyard_kernel::id::{BotId, ChannelId, ConversationKey, Digest, PartId, TenantId};
use botyard_kernel::log::{Arrival, Call, Entry, Seq, Settled, Turn};
use botyard_kernel::time::Millis;
use serde_json::Value;

use crate::catalog::verify;
use crate::{
    AuditRow, Blobs, Catalog, Commit, DeadLetter, DuePlace, Lease, Loaded, Log, Record, Stamp,
    StoreError,
};

/// How many rows of an audit are checked at a time.
const AUDIT_PAGE: usize = 256;

/// All durable state. By itself it answers nothing: choose a view.
#[derive(Clone)]
pub struct Store {
    log: Arc<dyn Log>,
    catalog: Arc<dyn Catalog>,
    blobs: Arc<dyn Blobs>,
}

impl Store {
    /// Puts the three parts together.
    pub fn new(log: Arc<dyn Log>, catalog: Arc<dyn Catalog>, blobs: Arc<dyn Blobs>) -> Self {
        Self { log, catalog, blobs }
    }

    /// What a tenant owns; all that a request may see.
    pub fn tenant(&self, tenant: &TenantId) -> TenantStore {
        TenantStore { tenant: tenant.clone(), store: self.clone() }
    }

    /// What belongs to the host itself and reaches over tenants.
    pub fn host(&self) -> HostStore {
        HostStore { store: self.clone() }
    }
}

/// The store of one tenant. Every other tenant's object is
/// [`StoreError::NotFound`], as if it did not exist.
#[derive(Clone)]
pub struct TenantStore {
    tenant: TenantId,
    store: Store,
}

impl TenantStore {
    /// Whose store this is.
    pub fn id(&self) -> &TenantId {
        &self.tenant
    }

    /// See [`Log::accept`].
    pub async fn accept(
        &self,
        key: &ConversationKey,
        arrivals: Vec<Arrival>,
    ) -> Result<Vec<Seq>, StoreError> {
        self.log(key)?.accept(key, arrivals).await
    }

    /// See [`Log::load`].
    pub async fn load(&self, key: &ConversationKey, limit: usize) -> Result<Loaded, StoreError> {
        self.log(key)?.load(key, limit).await
    }

    /// See [`Log::record_call`].
    pub async fn record_call(&self, key: &ConversationKey, call: &Call) -> Result<Seq, StoreError> {
        self.log(key)?.record_call(key, call).await
    }

    /// See [`Log::commit`].
    pub async fn commit(&self, key: &ConversationKey, turn: &Turn) -> Result<Commit, StoreError> {
        self.log(key)?.commit(key, turn).await
    }

    /// See [`Log::settle`].
    pub async fn settle(
        &self,
        key: &ConversationKey,
        settled: &Settled,
    ) -> Result<Vec<Seq>, StoreError> {
        self.log(key)?.settle(key, settled).await
    }

    /// See [`Log::read`].
    pub async fn read(
        &self,
        key: &ConversationKey,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<(Seq, Entry)>, StoreError> {
        self.log(key)?.read(key, after, limit).await
    }

    /// See [`Log::with_human`].
    pub async fn with_human(
        &self,
        channel: &ChannelId,
        after: Option<DuePlace>,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, DuePlace)>, StoreError> {
        self.store.log.with_human(&self.tenant, channel, after, limit).await
    }

    /// See [`Log::with_email`].
    pub async fn with_email(
        &self,
        channel: &ChannelId,
        email: &str,
        limit: usize,
    ) -> Result<Vec<ConversationKey>, StoreError> {
        self.store.log.with_email(&self.tenant, channel, email, limit).await
    }

    /// See [`Log::bot_value`].
    pub async fn bot_value(&self, bot: &BotId, key: &str) -> Result<Option<String>, StoreError> {
        self.store.log.bot_value(&self.tenant, bot, key).await
    }

    /// See [`Log::dead_letters`].
    pub async fn dead_letters(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        self.store.log.dead_letters(&self.tenant, after, limit).await
    }

    /// See [`Log::dead_letter`].
    pub async fn dead_letter(&self, part: &PartId) -> Result<Option<DeadLetter>, StoreError> {
        self.store.log.dead_letter(&self.tenant, part).await
    }

    /// See [`Catalog::put`].
    pub async fn put(
        &self,
        kind: &str,
        name: &str,
        value: &Value,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        self.store.catalog.put(&self.tenant, kind, name, value, stamp).await
    }

    /// See [`Catalog::replace`].
    pub async fn replace(
        &self,
        kind: &str,
        name: &str,
        old: Option<&Value>,
        new: &Value,
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        self.store.catalog.replace(&self.tenant, kind, name, old, new, stamp).await
    }

    /// See [`Catalog::get`].
    pub async fn get(&self, kind: &str, name: &str) -> Result<Option<Value>, StoreError> {
        self.store.catalog.get(&self.tenant, kind, name).await
    }

    /// See [`Catalog::list`].
    pub async fn list(&self, kind: &str) -> Result<Vec<Record>, StoreError> {
        self.store.catalog.list(&self.tenant, kind).await
    }

    /// See [`Catalog::delete`].
    pub async fn delete(&self, kind: &str, name: &str, stamp: &Stamp) -> Result<(), StoreError> {
        self.store.catalog.delete(&self.tenant, kind, name, stamp).await
    }

    /// See [`Catalog::audit`].
    pub async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.store.catalog.audit(&self.tenant, after, limit).await
    }

    /// Checks the whole audit and answers how many rows it has. Fails with
    /// [`StoreError::Corrupt`], naming the first row that does not follow.
    pub async fn verify_audit(&self) -> Result<u64, StoreError> {
        let mut last = None;
        loop {
            let seq = last.map_or(0, |(seq, _)| seq);
            let rows = self.audit(seq, AUDIT_PAGE).await?;
            if rows.is_empty() {
                return Ok(seq);
            }
            last = verify(&self.tenant, last, &rows)?;
        }
    }

    fn log(&self, key: &ConversationKey) -> Result<&dyn Log, StoreError> {
        if key.tenant == self.tenant {
            Ok(self.store.log.as_ref())
        } else {
            Err(StoreError::NotFound)
        }
    }
}

/// What reaches over tenants. Requests of tenants never get it.
#[derive(Clone)]
pub struct HostStore {
    store: Store,
}

impl HostStore {
    /// See [`Log::due`].
    pub async fn due(
        &self,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, Millis)>, StoreError> {
        self.store.log.due(now, limit).await
    }

    /// See [`Log::due_channels`].
    pub async fn due_channels(
        &self,
        now: Millis,
    ) -> Result<Vec<(TenantId, ChannelId)>, StoreError> {
        self.store.log.due_channels(now).await
    }

    /// See [`Log::due_in`].
    pub async fn due_in(
        &self,
        tenant: &TenantId,
        channel: &ChannelId,
        after: Option<DuePlace>,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, DuePlace)>, StoreError> {
        self.store.log.due_in(tenant, channel, after, now, limit).await
    }

    /// See [`Log::lease`].
    pub async fn lease(
        &self,
        key: &ConversationKey,
        holder: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Lease, StoreError> {
        self.store.log.lease(key, holder, now, until).await
    }

    /// See [`Catalog::list_all`].
    pub async fn list_all(&self, kind: &str) -> Result<Vec<(TenantId, Record)>, StoreError> {
        self.store.catalog.list_all(kind).await
    }

    /// See [`Blobs::put`]. Blobs have no owner: check in a tenant's records that
    /// a hash is the tenant's before reading it on the tenant's behalf.
    pub async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, StoreError> {
        self.store.blobs.put(bytes).await
    }

    /// See [`Blobs::get`] and the warning at [`HostStore::put_blob`].
    pub async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.blobs.get(digest).await
    }

    /// See [`Blobs::has`] and the warning at [`HostStore::put_blob`].
    pub async fn has_blob(&self, digest: &Digest) -> Result<bool, StoreError> {
        self.store.blobs.has(digest).await
    }
}
