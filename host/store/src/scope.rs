//! What a caller may see of the store: one tenant, or the host's own view.

mod archive;
mod host;
mod notes;
mod records;

use std::sync::Arc;

pub use botyard_kernel::access::OPERATOR;
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, PartId, TenantId};
use botyard_kernel::log::{Arrival, Call, Entry, Seq, Settled, Turn};

pub use self::archive::Person;
pub use self::host::HostStore;

use crate::{Blobs, Catalog, Commit, DeadLetter, DuePlace, Loaded, Log, Notes, StoreError, Weight};

/// All durable state. By itself it answers nothing: choose a view.
#[derive(Clone)]
pub struct Store {
    log: Arc<dyn Log>,
    catalog: Arc<dyn Catalog>,
    notes: Arc<dyn Notes>,
    blobs: Arc<dyn Blobs>,
}

impl Store {
    /// Puts the parts together.
    pub fn new(
        log: Arc<dyn Log>,
        catalog: Arc<dyn Catalog>,
        notes: Arc<dyn Notes>,
        blobs: Arc<dyn Blobs>,
    ) -> Self {
        Self { log, catalog, notes, blobs }
    }

    /// What a tenant owns; all that a request may see.
    pub fn tenant(&self, tenant: &TenantId) -> TenantStore {
        TenantStore { tenant: tenant.clone(), store: self.clone() }
    }

    /// What belongs to the host itself and reaches over tenants.
    pub fn host(&self) -> HostStore {
        HostStore::new(self)
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

    /// What the tenant takes. Nothing is counted for it.
    pub async fn weigh(&self) -> Result<Weight, StoreError> {
        let Store { log, catalog, notes, .. } = &self.store;
        let (records, audit) = catalog.weigh(&self.tenant).await?;
        Ok(Weight {
            conversations: log.weigh(&self.tenant).await?,
            values: log.weigh_values(&self.tenant).await?,
            records,
            audit,
            notes: notes.weigh(&self.tenant).await?,
        })
    }

    fn log(&self, key: &ConversationKey) -> Result<&dyn Log, StoreError> {
        if key.tenant == self.tenant {
            Ok(self.store.log.as_ref())
        } else {
            Err(StoreError::NotFound)
        }
    }
}
