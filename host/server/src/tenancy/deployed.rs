//! What answers, of all tenants: for whoever prepares an upgrade of the host.

use std::collections::BTreeMap;

use botyard_kernel::deployment::Deployment;
use botyard_kernel::id::{Digest, TenantId};
use botyard_store::{HostStore, StoreError};

use super::records::kind;
use super::stored::parsed;

/// The versions that answer or may answer by one call: the current ones, those on trial
/// and those before, each with one of the tenants that have it.
pub(super) async fn versions(store: &HostStore) -> Result<BTreeMap<Digest, TenantId>, StoreError> {
    let mut versions = BTreeMap::new();
    for (tenant, record) in store.list_all(kind::DEPLOYMENT).await? {
        let Deployment { current, previous, canary, withdrawn, .. } =
            parsed(&record.name, record.value)?;
        let all = [Some(current), previous, canary.map(|canary| canary.version)];
        let runs = all.into_iter().flatten().filter(|version| !withdrawn.contains(version));
        versions.extend(runs.map(|version| (version, tenant.clone())));
    }
    Ok(versions)
}
