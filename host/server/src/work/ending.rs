//! Work that ends: all of it when the host stops, a tenant's when the tenant goes.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use botyard_kernel::id::{ConversationKey, TenantId};
use botyard_kernel::lane::Input;
use botyard_kernel::limits::TurnBounds;
use botyard_kernel::share::TenantRate;

use super::{Message, Work};

impl Work {
    /// Lets turns and deliveries that are under way end, for at most so long.
    /// What waits is on stable storage and goes on after the next start.
    pub async fn drain(&self, grace: Duration) -> bool {
        self.draining.store(true, Ordering::Release);
        self.ended_within(grace, |_| true).await
    }

    /// Lets turns and deliveries of a tenant that are under way end, for at most so long,
    /// and everything else of it stop. It stays so until [`Work::forget_tenant`].
    pub(crate) async fn end_lanes_of(&self, tenant: &TenantId, grace: Duration) -> bool {
        self.ending().insert(tenant.clone());
        self.ended_within(grace, |key| key.tenant == *tenant).await
    }

    /// Nothing is known of a tenant any more.
    pub(crate) fn forget_tenant(&self, tenant: &TenantId) {
        self.quotas.forget(tenant);
        self.runtime.set_rate(tenant, TenantRate::default());
        self.runtime.set_turns(tenant, None, TurnBounds::default());
        self.open_calls.forget(tenant);
        self.meters.forget(tenant);
        self.pauses.forget(tenant);
        self.backlog.forget(tenant);
        self.redactors.set(tenant, []);
        self.ending().remove(tenant);
    }

    /// Wakes lanes that have nothing more to do, and waits until all of them have ended.
    async fn ended_within(
        &self,
        grace: Duration,
        which: impl Fn(&ConversationKey) -> bool,
    ) -> bool {
        for (_, lane) in self.lanes().iter().filter(|(key, _)| which(key)) {
            // A lane that has just ended needs no waking.
            let _ = lane.send(Message::Input(Input::Wake));
        }
        let ended = async {
            loop {
                let ended = self.lane_ended.notified();
                if !self.lanes().keys().any(&which) {
                    return;
                }
                ended.await;
            }
        };
        tokio::time::timeout(grace, ended).await.is_ok()
    }

    /// Whether nothing new is begun for a tenant.
    pub(super) fn is_ending(&self, tenant: &TenantId) -> bool {
        self.draining.load(Ordering::Acquire) || self.is_gone(tenant)
    }

    /// Whether a tenant is being taken away.
    pub(super) fn is_gone(&self, tenant: &TenantId) -> bool {
        self.ending().contains(tenant)
    }

    fn ending(&self) -> MutexGuard<'_, HashSet<TenantId>> {
        self.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
