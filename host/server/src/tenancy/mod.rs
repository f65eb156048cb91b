//! Tenants and what they have: kept in the catalog, running in the registry. Every
//! change goes through here: checked first, then written with its row in the audit, then
//! in force.

mod change;
mod definition;
mod from_settings;
mod grants;
mod limits;
mod objects;
mod records;
mod running;
mod stored;
mod tokens;
mod versions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use botyard_kernel::id::TenantId;
use botyard_store::{HostStore, TenantStore};
use tokio::sync::OwnedMutexGuard;

use crate::work::Work;
pub use change::{Change, ChangeError};
pub use definition::{Connected, DefinedBot, Definition, Unfit};
pub use from_settings::SettingsBot;
pub use grants::{Approved, Standing};
pub use limits::COUNTED;
pub use records::*;
pub use tokens::{Before, Holder, TokenRecord};
pub use versions::Step;

/// Tenants and what they have.
pub struct Tenancy {
    work: Arc<Work>,
    /// One change of a tenant at a time.
    changing: Mutex<HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>>,
    tokens: tokens::Tokens,
}

impl Tenancy {
    /// Nobody has anything yet.
    pub fn new(work: Arc<Work>) -> Self {
        Self { work, changing: Mutex::default(), tokens: tokens::Tokens::default() }
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
