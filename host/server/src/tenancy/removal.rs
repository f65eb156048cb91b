//! The end of a tenant: everything stops, then nothing is left of it but its audit.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use botyard_kernel::id::{ChannelId, TenantId};
use botyard_kernel::limits::Limits;
use botyard_kernel::time::Millis;
use botyard_store::Stamp;

use super::records::{Managed, OPERATOR, SELF, TenantRecord, kind};
use super::stored::parsed;
use super::{Change, ChangeError, Definition, Tenancy};

/// Turns that are under way end within so long, or it is tried again.
const GRACE: Duration = Duration::from_secs(30);

/// How far the end of a tenant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleting {
    /// What is under way ends.
    Stopping,
    /// So many rows are gone.
    Rows(u64),
}

impl Tenancy {
    /// Whether a tenant may be taken away: also what is left of an earlier one.
    ///
    /// # Errors
    /// There is none, it is the operator's or in the settings file.
    pub async fn may_delete(&self, tenant: &TenantId, now: Millis) -> Change<()> {
        if tenant.as_str() == OPERATOR {
            let what = "the operator's own tenant stays: take away what it has, one by one";
            return Err(ChangeError::InUse(what.to_owned()));
        }
        let left = async || -> Change<bool> {
            let keeps = self.host_store().keeps_any(tenant, now).await?;
            Ok(keeps || self.lost(tenant).await?.is_some())
        };
        match self.record(tenant).await? {
            Some(record) if record.managed == Managed::Settings => {
                Err(ChangeError::InSettings(tenant.to_string()))
            }
            Some(_) => Ok(()),
            None if left().await? => Ok(()),
            None => Err(ChangeError::NotFound),
        }
    }

    /// From now on a tenant is not there for anybody, and has no new one of its name: it is
    /// being taken away.
    pub fn begin_deleting(&self, tenant: &TenantId) {
        self.deleting().insert(tenant.clone());
    }

    /// Its name may be taken again.
    pub fn end_deleting(&self, tenant: &TenantId) {
        self.deleting().remove(tenant);
    }

    pub(super) fn is_deleted(&self, tenant: &TenantId) -> bool {
        self.deleting().contains(tenant)
    }

    /// Takes a tenant away with everything that it has. Cut off in the middle, it is done
    /// again, also of what a tenant of an earlier time has left behind.
    ///
    /// # Errors
    /// The settings file has it meanwhile; turns of it go on, or the store does not do it:
    /// then it is tried again.
    pub async fn delete_tenant(
        &self,
        tenant: &TenantId,
        stamp: &Stamp,
        told: impl Fn(Deleting) + Send + Sync,
    ) -> Change<()> {
        self.begin_deleting(tenant);
        let _turn = self.change(tenant).await;
        if self.record(tenant).await?.is_some_and(|it| it.managed == Managed::Settings) {
            return Err(ChangeError::InSettings(tenant.to_string()));
        }
        told(Deleting::Stopping);
        let mut channels: BTreeSet<_> = self.store(tenant).channels().await?.into_iter().collect();
        let running = self.work.channels().into_iter();
        let own = running.filter(|channel| channel.tenant == *tenant);
        channels.extend(own.map(|channel| channel.id.clone()));
        // Those of which nobody has written yet may have captures all the same.
        let recorded = self.store(tenant).list(kind::CHANNEL).await?.into_iter();
        channels.extend(recorded.map(|record| record.name.as_str().into()));
        self.keep_own(tenant, &mut channels);
        self.forget_tokens(tenant);
        self.run(tenant, &Definition::default(), &Limits::default());
        if !self.work.end_lanes_of(tenant, GRACE).await {
            let what = "turns of the tenant are still under way, and nothing new is taken";
            return Err(ChangeError::InUse(what.to_owned()));
        }
        self.work.forget_used_by(tenant).await;
        // Before, as the channels are not known any more afterwards.
        self.end_captures(channels).await?;
        // Where this is cut off, the next one of its name is not told of this one.
        self.keep_lost(tenant, self.told_before(tenant).await?, stamp).await?;
        self.host_store().delete_tenant(tenant, stamp, |rows| told(Deleting::Rows(rows))).await?;
        self.forget_lost(tenant, stamp).await?;
        self.components.changed(tenant);
        self.work.forget_tenant(tenant);
        self.work.registry().forget_all(tenant);
        self.retention().remove(tenant);
        Ok(())
    }

    /// What is written down of a tenant, also while it is being taken away.
    async fn record(&self, tenant: &TenantId) -> Change<Option<TenantRecord>> {
        let found = self.store(tenant).get(kind::TENANT, SELF).await?;
        Ok(found.map(|found| parsed(SELF, found)).transpose()?)
    }

    async fn end_captures(&self, channels: BTreeSet<ChannelId>) -> Change<()> {
        let captures = Arc::clone(&self.captures);
        let end = move || channels.iter().try_for_each(|channel| captures.end(channel));
        let done = tokio::task::spawn_blocking(end).await.map_err(anyhow::Error::from);
        done.and_then(|done| done).map_err(ChangeError::Captured)
    }

    fn deleting(&self) -> MutexGuard<'_, BTreeSet<TenantId>> {
        self.deleting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
