//! How much a tenant may have: counted where it is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_kernel::access::Scope;
use botyard_kernel::id::TenantId;
use botyard_kernel::limits::{Limit, Limits};
use botyard_store::Stamp;
use serde_json::json;

use super::records::{SELF, TenantRecord, kind};
use super::{Change, ChangeError, Tenancy};

/// The limits that are counted here, and what they count.
const COUNTED: [(Limit, &str); 6] = [
    (Limit::Bots, kind::BOT),
    (Limit::Components, kind::VERSION),
    (Limit::Channels, kind::CHANNEL),
    (Limit::Relays, kind::RELAY),
    (Limit::Secrets, kind::SECRET),
    (Limit::Tokens, kind::TOKEN),
];

/// The limits of a tenant.
#[derive(Clone, Debug)]
pub struct Used {
    /// What holds.
    pub limits: Arc<Limits>,
    /// How much there is, of what is counted at any time.
    pub used: BTreeMap<Limit, u64>,
}

impl Tenancy {
    /// Sets a limit of a tenant, or takes back what was set, by somebody with this scope.
    ///
    /// # Errors
    /// It is not one of a tenant's, or not theirs to set.
    pub async fn set_limit(
        &self,
        tenant: &TenantId,
        limit: Limit,
        value: Option<u64>,
        by: Scope,
        stamp: &Stamp,
    ) -> Change<()> {
        let _turn = self.change(tenant).await;
        let mut record = self.tenant(tenant).await?;
        // What the host's settings say is looked at, and not kept with the tenant.
        record.limits.host = self.work.quotas().of_host().host;
        record
            .limits
            .set(limit, value, by)
            .map_err(|refused| ChangeError::TooMany(refused.to_string()))?;
        record.limits.host.clear();
        let TenantRecord { limits, .. } = &record;
        self.store(tenant).put(kind::TENANT, SELF, &json!(record), stamp).await?;
        self.work.set_limits(tenant, limits, None);
        Ok(())
    }

    /// The limits that hold for a tenant, and how much of each is used where that is
    /// counted.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn used(&self, tenant: &TenantId) -> Change<Used> {
        let backlog = self.work.backlog().of(tenant);
        let mut used = BTreeMap::from([
            (Limit::BacklogRequests, backlog.requests as u64),
            (Limit::BacklogEvents, backlog.events as u64),
            (Limit::BacklogBytes, backlog.bytes as u64),
            (Limit::CallsAtOnce, self.work.open_calls(tenant)),
            (Limit::StorageBytes, self.storage(tenant).await?.sum()),
        ]);
        for (limit, kind) in COUNTED {
            used.insert(limit, self.store(tenant).count(kind).await?);
        }
        Ok(Used { limits: self.work.quotas().limits(tenant), used })
    }

    /// Whether there is room for so many bytes more of components.
    pub(super) async fn room_for_bytes(&self, tenant: &TenantId, bytes: usize) -> Change<()> {
        // What was taken away just now makes room at once.
        self.storage(tenant).await?;
        let enough = self.work.quotas().room(tenant, bytes as u64);
        enough.map_err(|exceeded| ChangeError::TooMany(exceeded.to_string()))
    }

    /// Whether there is room for one more of a kind. Who has the tenant's lock knows so for
    /// as long.
    pub(super) async fn room_for(&self, tenant: &TenantId, kind: &str) -> Change<()> {
        let Some((limit, _)) = COUNTED.iter().find(|(_, counted)| *counted == kind) else {
            return Ok(());
        };
        let known = self.store(tenant).count(kind).await?;
        let enough = self.work.quotas().limits(tenant).check(*limit, (known, 1), None);
        enough.map_err(|exceeded| ChangeError::TooMany(exceeded.to_string()))
    }
}
