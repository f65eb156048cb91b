//! Tenants and what they have: kept in the catalog, running in the registry. Every
//! change goes through here: checked first, then written with its row in the audit, then
//! in force.

mod change;
mod definition;
mod deployed;
mod fitting;
mod forgetting;
mod from_settings;
mod grants;
mod housekeeping;
mod limits;
mod lost;
mod objects;
mod pauses;
mod people;
mod records;
mod removal;
mod running;
mod sealing;
mod secrets;
mod storage;
mod stored;
mod tokens;
mod versions;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::{Digest, TenantId};
use botyard_store::{HostStore, Store, StoreError, TenantStore};
use tokio::sync::OwnedMutexGuard;

use crate::captures::Captures;
use crate::config::Retention;
use crate::work::Work;
pub use change::{Change, ChangeError};
pub use definition::{Connected, DefinedBot, Definition, Unfit};
pub use from_settings::SettingsBot;
pub use grants::{Approved, Standing};
pub use housekeeping::Kept;
pub use limits::Used;
pub use people::Who;
pub use records::*;
pub use removal::Deleting;
pub use sealing::Resealed;
pub use secrets::PutSecret;
pub use storage::Storage;
pub use tokens::{Before, Holder, TokenRecord};
pub use versions::Step;

/// The versions in a store that answer, with one of the tenants that have each.
///
/// # Errors
/// When the store cannot be read.
pub async fn deployed_versions(store: &Store) -> Result<BTreeMap<Digest, TenantId>, StoreError> {
    deployed::versions(&store.host()).await
}

/// Tenants and what they have.
pub struct Tenancy {
    work: Arc<Work>,
    /// One change of a tenant at a time.
    changing: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>,
    tokens: tokens::Tokens,
    /// How long the conversations of a tenant are kept.
    retention: Mutex<HashMap<TenantId, Retention>>,
    components: storage::Components,
    captures: Arc<Captures>,
    /// Tenants that are being taken away.
    deleting: Mutex<BTreeSet<TenantId>>,
}

impl Tenancy {
    /// Nobody has anything yet.
    pub fn new(work: Arc<Work>, captures: Arc<Captures>) -> Self {
        Self {
            work,
            changing: Mutex::default(),
            tokens: tokens::Tokens::default(),
            retention: Mutex::default(),
            components: storage::Components::default(),
            captures,
            deleting: Mutex::default(),
        }
    }

    fn retention(&self) -> MutexGuard<'_, HashMap<TenantId, Retention>> {
        self.retention.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, tenant: &TenantId) -> TenantStore {
        self.work.store().tenant(tenant)
    }

    fn host_store(&self) -> HostStore {
        self.work.store().host()
    }

    /// Nobody else changes what the tenant has until this is dropped.
    async fn change(&self, tenant: &TenantId) -> OwnedMutexGuard<()> {
        let mutex = {
            let mut all = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(tenant.clone()).or_default())
        };
        mutex.lock_owned().await
    }
}
