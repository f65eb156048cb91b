//! How much a tenant may have: counted where it is made.

use botyard_kernel::access::Scope;
use botyard_kernel::id::TenantId;
use botyard_kernel::limits::{Limit, Limits};
use botyard_store::Stamp;
use serde_json::json;

use super::records::{SELF, TenantRecord, kind};
use super::{Change, ChangeError, Tenancy};

/// The limits that are counted here, and what they count.
pub const COUNTED: [(Limit, &str); 5] = [
    (Limit::Bots, kind::BOT),
    (Limit::Components, kind::VERSION),
    (Limit::Channels, kind::CHANNEL),
    (Limit::Secrets, kind::SECRET),
    (Limit::Tokens, kind::TOKEN),
];

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
    ) -> Change<Limits> {
        let _turn = self.change(tenant).await;
        let mut record = self.tenant(tenant).await?;
        record
            .limits
            .set(limit, value, by)
            .map_err(|refused| ChangeError::TooMany(refused.to_string()))?;
        let TenantRecord { limits, .. } = &record;
        self.store(tenant).put(kind::TENANT, SELF, &json!(record), stamp).await?;
        Ok(limits.clone())
    }

    /// Whether there is room for one more of a kind. Who has the tenant's lock knows so for
    /// as long.
    pub(super) async fn room_for(&self, tenant: &TenantId, kind: &str) -> Change<()> {
        let Some((limit, _)) = COUNTED.iter().find(|(_, counted)| *counted == kind) else {
            return Ok(());
        };
        let known = self.store(tenant).count(kind).await?;
        let record = self.tenant(tenant).await?;
        let enough = record.limits.check(*limit, known + 1, None);
        enough.map_err(|exceeded| ChangeError::TooMany(exceeded.to_string()))
    }
}
