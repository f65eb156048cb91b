//! What tenants keep. The store knows what it holds of each; what their components take is
//! remembered here, so that nothing is counted when somebody asks.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::{BotId, TenantId};
use botyard_store::{StoreError, Weight};

use super::Tenancy;
use super::records::{VersionRecord, kind};
use super::stored::parsed;

/// What a tenant keeps, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// What the store holds of it.
    pub stored: Weight,
    /// The uploaded components of each of its bots.
    pub components: BTreeMap<BotId, u64>,
    /// Webhooks that are kept as they came.
    pub captures: u64,
}

impl Storage {
    /// All of it: what the limit `storage-bytes` counts.
    pub fn sum(&self) -> u64 {
        self.stored.sum() + self.components.values().sum::<u64>() + self.captures
    }
}

/// What the components of tenants take, as far as somebody has asked since it changed.
#[derive(Default)]
pub(super) struct Components(Mutex<HashMap<TenantId, Known>>);

#[derive(Default)]
struct Known {
    /// Whoever reads while something changes keeps nothing.
    changes: u64,
    bytes: Option<Arc<BTreeMap<BotId, u64>>>,
}

impl Components {
    /// Versions of a tenant have come or gone.
    pub(super) fn changed(&self, tenant: &TenantId) {
        let mut all = self.all();
        let known = all.entry(tenant.clone()).or_default();
        known.changes += 1;
        known.bytes = None;
    }

    fn known(&self, tenant: &TenantId) -> Result<Arc<BTreeMap<BotId, u64>>, u64> {
        let mut all = self.all();
        let known = all.entry(tenant.clone()).or_default();
        known.bytes.clone().ok_or(known.changes)
    }

    fn keep(&self, tenant: &TenantId, bytes: &Arc<BTreeMap<BotId, u64>>, changes: u64) {
        let mut all = self.all();
        let known = all.entry(tenant.clone()).or_default();
        if known.changes == changes {
            known.bytes = Some(Arc::clone(bytes));
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<TenantId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenancy {
    /// What a tenant keeps now. Its quota goes by that from then on.
    ///
    /// # Errors
    /// When the store or the captures cannot be read.
    pub async fn storage(&self, tenant: &TenantId) -> Result<Storage, StoreError> {
        let captured = self.captured().await?.remove(tenant).unwrap_or_default();
        self.weighed(tenant, captured).await
    }

    /// Weighs all tenants, so that their quotas go by what they keep.
    pub(super) async fn weigh_all(&self) -> Result<(), StoreError> {
        let mut captured = self.captured().await?;
        for tenant in self.host_store().tenants().await? {
            let captured = captured.remove(&tenant).unwrap_or_default();
            if let Err(error) = self.weighed(&tenant, captured).await {
                tracing::warn!(%tenant, %error, "what a tenant keeps is not known anew");
            }
        }
        Ok(())
    }

    async fn weighed(&self, tenant: &TenantId, captures: u64) -> Result<Storage, StoreError> {
        let stored = self.store(tenant).weigh().await?;
        let components = self.weigh_components(tenant).await?.as_ref().clone();
        let storage = Storage { stored, components, captures };
        self.work.quotas().weighed(tenant, storage.sum());
        Ok(storage)
    }

    async fn weigh_components(
        &self,
        tenant: &TenantId,
    ) -> Result<Arc<BTreeMap<BotId, u64>>, StoreError> {
        let changes = match self.components.known(tenant) {
            Ok(known) => return Ok(known),
            Err(changes) => changes,
        };
        let mut bytes = BTreeMap::<BotId, u64>::new();
        for record in self.store(tenant).list(kind::VERSION).await? {
            let version: VersionRecord = parsed(&record.name, record.value)?;
            *bytes.entry(version.bot).or_default() += version.bytes as u64;
        }
        let bytes = Arc::new(bytes);
        self.components.keep(tenant, &bytes, changes);
        Ok(bytes)
    }

    /// What is captured of the channels of each tenant, in bytes.
    async fn captured(&self) -> Result<HashMap<TenantId, u64>, StoreError> {
        let captures = Arc::clone(&self.captures);
        let sizes = tokio::task::spawn_blocking(move || captures.sizes());
        let stopping = |_| StoreError::Unavailable("the host is stopping".to_owned());
        let unreadable = |error: std::io::Error| {
            StoreError::Unavailable(format!("captured webhooks cannot be looked at: {error}"))
        };
        let mut of = HashMap::<TenantId, u64>::new();
        for (channel, bytes) in sizes.await.map_err(stopping)?.map_err(unreadable)? {
            if let Some(channel) = self.work.channel(&channel) {
                *of.entry(channel.tenant.clone()).or_default() += bytes;
            }
        }
        Ok(of)
    }
}

#[cfg(test)]
mod tests;
