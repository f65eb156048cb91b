//! Calls that are open: so many of a tenant at once, that its services which do not answer
//! take neither the connections of others nor those of its other services.
//!
//! Those of vendors and those of bots are counted apart, so that what a bot calls never
//! keeps its tenant's deliveries. Within each, services share the places as tenants share
//! turns: one that holds less than a quarter gets the next free one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::TenantId;
use botyard_kernel::limits::{Exceeded, Limit, Limits};
use botyard_runtime::{Gate, Permit};
use tokio::time::Instant;

use super::destinations::VendorService;

/// A place for a call of a vendor.
pub(super) type VendorPlace = Permit<VendorService>;

/// A place for a call of a bot, by the host that it goes to.
pub(super) type ServicePlace = Permit<String>;

/// The places of all tenants.
#[derive(Debug, Default)]
pub(crate) struct OpenCalls(Mutex<HashMap<TenantId, Gates>>);

#[derive(Clone, Debug)]
struct Gates {
    vendors: Gate<VendorService>,
    services: Gate<String>,
}

impl OpenCalls {
    /// A tenant has so many places from now on.
    pub(super) fn set(&self, tenant: &TenantId, limits: &Limits) {
        let most = limits.value(Limit::CallsAtOnce).unwrap_or(u64::MAX);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let gates = self.of(tenant);
        gates.vendors.set_total(most);
        gates.services.set_total(most);
    }

    /// Nothing is known of a tenant any more. Calls that are open end by themselves.
    pub(super) fn forget(&self, tenant: &TenantId) {
        self.tenants().remove(tenant);
    }

    /// A place for a call of a vendor, if there is one now.
    pub(super) fn try_vendor(
        &self,
        tenant: &TenantId,
        service: &VendorService,
    ) -> Option<VendorPlace> {
        self.of(tenant).vendors.try_permit(service)
    }

    /// A place for a call of a vendor, as soon as there is one.
    pub(super) fn vendor(
        &self,
        tenant: &TenantId,
        service: VendorService,
    ) -> impl Future<Output = VendorPlace> + Send + 'static {
        let gate = self.of(tenant).vendors;
        async move { gate.permit(&service).await }
    }

    /// A place for a call of a bot, as soon as there is one.
    ///
    /// # Errors
    /// There was none until the deadline.
    pub(super) async fn service(
        &self,
        tenant: &TenantId,
        host: &String,
        deadline: Option<Instant>,
    ) -> Result<ServicePlace, Exceeded> {
        let gate = self.of(tenant).services;
        if let Some(place) = gate.try_permit(host) {
            return Ok(place);
        }
        let Some(deadline) = deadline else { return Ok(gate.permit(host).await) };
        tokio::time::timeout_at(deadline, gate.permit(host)).await.map_err(|_| {
            let most = gate.occupancy().total as u64;
            let limit = Limit::CallsAtOnce;
            let used = gate.held() as u64;
            Exceeded { limit, most, used, wanted: most + 1, retry_after_s: None }
        })
    }

    /// How many calls of a tenant are open: of those of vendors and those of bots, whichever
    /// are more.
    pub(crate) fn open(&self, tenant: &TenantId) -> u64 {
        let gates = self.of(tenant);
        gates.vendors.held().max(gates.services.held()) as u64
    }

    fn of(&self, tenant: &TenantId) -> Gates {
        let mut tenants = self.tenants();
        if let Some(gates) = tenants.get(tenant) {
            return gates.clone();
        }
        let most = Limit::CallsAtOnce.preset_size();
        let gates = Gates { vendors: Gate::new(most), services: Gate::new(most) };
        tenants.insert(tenant.clone(), gates.clone());
        gates
    }

    fn tenants(&self) -> MutexGuard<'_, HashMap<TenantId, Gates>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use botyard_kernel::limits::Values;

    use super::*;

    fn open_calls(most: u64) -> OpenCalls {
        let calls = OpenCalls::default();
        let host = Values::from([(Limit::CallsAtOnce, most)]);
        calls.set(&acme(), &Limits { host, ..Limits::default() });
        calls
    }

    fn acme() -> TenantId {
        TenantId::from("acme")
    }

    async fn soon(
        calls: &OpenCalls,
        tenant: &TenantId,
        host: &str,
    ) -> Result<ServicePlace, Exceeded> {
        let deadline = Instant::now() + Duration::from_millis(20);
        calls.service(tenant, &host.to_owned(), Some(deadline)).await
    }

    #[tokio::test]
    async fn what_hangs_takes_the_places_of_nothing_else() {
        let calls = open_calls(8);
        let mut hang = Vec::new();
        while let Ok(place) = soon(&calls, &acme(), "hangs.example").await {
            hang.push(place);
        }
        assert_eq!(hang.len(), 6, "the last quarter is not for it");
        let one = soon(&calls, &acme(), "answers.example").await.unwrap();
        let two = soon(&calls, &acme(), "answers.example").await.unwrap();
        assert_eq!(calls.open(&acme()), 8);
        let refused = soon(&calls, &acme(), "answers.example").await.unwrap_err().to_string();
        assert!(refused.starts_with("the limit `calls-at-once` is 8"), "{refused}");
        assert!(refused.contains("`timeout-ms`"), "it says what helps: {refused}");
        // Another tenant, and the tenant's own deliveries, know nothing of it.
        assert!(soon(&calls, &TenantId::from("other"), "hangs.example").await.is_ok());
        // Whoever may wait goes on as soon as something has ended.
        drop((one, two));
        let (tenant, host) = (acme(), "answers.example".to_owned());
        let waits = calls.service(&tenant, &host, None);
        assert!(tokio::time::timeout(Duration::from_secs(10), waits).await.is_ok());
        drop(hang);
        assert_eq!(calls.open(&acme()), 0);
    }

    #[tokio::test]
    async fn a_lowered_limit_holds_for_the_next_calls_and_a_raised_one_at_once() {
        let calls = open_calls(1);
        let held = soon(&calls, &acme(), "a.example").await.unwrap();
        assert!(soon(&calls, &acme(), "b.example").await.is_err(), "there is one place");
        let host = "b.example".to_owned();
        let (tenant, mut waits) = (acme(), None);
        let raised = async {
            tokio::task::yield_now().await;
            let host = Values::from([(Limit::CallsAtOnce, 2)]);
            calls.set(&tenant, &Limits { host, ..Limits::default() });
        };
        let waiting = async { waits = calls.service(&tenant, &host, None).await.ok() };
        let both = async { tokio::join!(waiting, raised) };
        assert!(tokio::time::timeout(Duration::from_secs(10), both).await.is_ok());
        assert!(waits.is_some());
        drop(held);
    }
}
