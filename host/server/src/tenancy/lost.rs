//! Tenants that the settings file has lost: where the audit of each begins is kept while it
//! is away, as its own record is not.

use botyard_kernel::id::TenantId;
use botyard_store::{Stamp, StoreError, TenantStore};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Tenancy;
use super::records::{OPERATOR, kind};

/// What is kept of a tenant that the file names no more, among the operator's own records.
#[derive(Serialize, Deserialize)]
struct LostRecord {
    /// Rows of its audit up to here tell of an earlier tenant of its name.
    audit_after: u64,
}

impl Tenancy {
    /// Keeps where the audit of a tenant begins, before its own record goes.
    pub(super) async fn keep_lost(
        &self,
        tenant: &TenantId,
        audit_after: u64,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let lost = json!(LostRecord { audit_after });
        self.of_operator().put(kind::LOST, tenant.as_str(), &lost, stamp).await
    }

    /// Where the audit of a tenant began that the file had lost; absent where it had not.
    pub(super) async fn lost(&self, tenant: &TenantId) -> Result<Option<u64>, StoreError> {
        let Some(lost) = self.of_operator().get(kind::LOST, tenant.as_str()).await? else {
            return Ok(None);
        };
        let lost: Result<LostRecord, _> = serde_json::from_value(lost);
        let wrong = |_| StoreError::Corrupt(format!("what is kept of the lost tenant `{tenant}`"));
        lost.map(|lost| Some(lost.audit_after)).map_err(wrong)
    }

    /// Whoever has the name from now on is another tenant.
    pub(super) async fn forget_lost(
        &self,
        tenant: &TenantId,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        match self.of_operator().delete(kind::LOST, tenant.as_str(), stamp).await {
            Ok(()) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn of_operator(&self) -> TenantStore {
        self.store(&OPERATOR.into())
    }
}
