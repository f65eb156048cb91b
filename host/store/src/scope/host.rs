//! The host's own view.

use std::collections::BTreeSet;
use std::time::Duration;

use botyard_kernel::id::{ChannelId, ConversationKey, Digest, TenantId};
use botyard_kernel::time::Millis;

use super::{OPERATOR, Store};
use crate::{DuePlace, Lease, Record, Stamp, StoreError};

/// What reaches over tenants. Requests of tenants never get it.
#[derive(Clone)]
pub struct HostStore {
    store: Store,
}

impl HostStore {
    pub(super) fn new(store: &Store) -> Self {
        Self { store: store.clone() }
    }

    /// See [`crate::Log::due`].
    pub async fn due(
        &self,
        now: Millis,
        limit: usize,
    ) -> Result<Vec<(ConversationKey, Millis)>, StoreError> {
        self.store.log.due(now, limit).await
    }

    /// See [`crate::Log::due_channels`].
    pub async fn due_channels(
        &self,
        now: Millis,
    ) -> Result<Vec<(TenantId, ChannelId)>, StoreError> {
        self.store.log.due_channels(now).await
    }

    /// See [`crate::Log::due_in`].
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

    /// See [`crate::Log::lease`].
    pub async fn lease(
        &self,
        key: &ConversationKey,
        holder: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Lease, StoreError> {
        self.store.log.lease(key, holder, now, until).await
    }

    /// See [`crate::Catalog::list_all`].
    pub async fn list_all(&self, kind: &str) -> Result<Vec<(TenantId, Record)>, StoreError> {
        self.store.catalog.list_all(kind).await
    }

    /// See [`crate::Catalog::tenants`].
    pub async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.store.catalog.tenants().await
    }

    /// See [`crate::Notes::list_all`].
    pub async fn notes(
        &self,
        kind: &str,
        after: Option<(&TenantId, &str)>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(TenantId, Record)>, StoreError> {
        self.store.notes.list_all(kind, after, limit, now).await
    }

    /// See [`crate::Notes::sweep`].
    pub async fn sweep_notes(&self, now: Millis) -> Result<usize, StoreError> {
        self.store.notes.sweep(now).await
    }

    /// See [`crate::Blobs::sweep`].
    pub async fn sweep_blobs(
        &self,
        keep: BTreeSet<Digest>,
        unused_for: Duration,
    ) -> Result<usize, StoreError> {
        self.store.blobs.sweep(keep, unused_for).await
    }

    /// Takes away all that a tenant has, in small steps: records, conversations, values
    /// of bots, notes. Only its audit stays, and says so, as the operator's does.
    ///
    /// Stop what works for the tenant first. Cut off, it is done again from the start.
    /// Blobs have no owner and stay.
    ///
    /// Says after each step how many rows are gone.
    pub async fn delete_tenant(
        &self,
        tenant: &TenantId,
        stamp: &Stamp,
        told: impl Fn(u64) + Send + Sync,
    ) -> Result<(), StoreError> {
        let Store { log, catalog, notes, .. } = &self.store;
        let mut gone = 0;
        let mut more = |rows: usize| {
            gone += rows as u64;
            told(gone);
            rows > 0
        };
        while more(catalog.forget(tenant, stamp).await?) {}
        while more(log.forget(tenant).await?) {}
        while more(notes.forget(tenant).await?) {}
        catalog.witness(&OPERATOR.into(), "delete", "tenant", tenant.as_str(), stamp).await
    }

    /// Takes away what is written down of a tenant, and its notes: as
    /// [`HostStore::delete_tenant`], but its conversations and values of bots stay.
    pub async fn drop_records(&self, tenant: &TenantId, stamp: &Stamp) -> Result<(), StoreError> {
        let Store { catalog, notes, .. } = &self.store;
        while catalog.forget(tenant, stamp).await? > 0 {}
        while notes.forget(tenant).await? > 0 {}
        Ok(())
    }

    /// Whether anything is here of a tenant: whoever gets its name would get that, too.
    pub async fn keeps_any(&self, tenant: &TenantId, now: Millis) -> Result<bool, StoreError> {
        let Store { log, catalog, notes, .. } = &self.store;
        let any = log.has_any(tenant).await? || notes.has_any(tenant, now).await?;
        Ok(any || catalog.tenants().await?.contains(tenant))
    }

    /// See [`crate::Blobs::put`]. Blobs have no owner: check in a tenant's records that
    /// a hash is the tenant's before reading it on the tenant's behalf.
    pub async fn put_blob(&self, bytes: Vec<u8>) -> Result<Digest, StoreError> {
        self.store.blobs.put(bytes).await
    }

    /// See [`crate::Blobs::get`] and the warning at [`HostStore::put_blob`].
    pub async fn blob(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.blobs.get(digest).await
    }

    /// See [`crate::Blobs::has`] and the warning at [`HostStore::put_blob`].
    pub async fn has_blob(&self, digest: &Digest) -> Result<bool, StoreError> {
        self.store.blobs.has(digest).await
    }
}
