//! The end of a tenant: everything stops, then nothing is left of it but its audit.

use std::collections::BTreeSet;
use std::time::Duration;

use botyard_kernel::id::{ChannelId, TenantId};
use botyard_kernel::limits::Limits;
use botyard_store::Stamp;

use super::records::{Managed, OPERATOR};
use super::{Change, ChangeError, Definition, Tenancy};

/// Turns that are under way end within so long.
const GRACE: Duration = Duration::from_secs(30);

impl Tenancy {
    /// Takes a tenant away with everything that it has, and answers in which channels it
    /// had anything. Cut off in the middle, it is done again, also of what a tenant of an
    /// earlier time has left behind.
    ///
    /// # Errors
    /// There is none, it is the operator's or in the settings file, or turns of it go on.
    pub async fn delete_tenant(&self, tenant: &TenantId, stamp: &Stamp) -> Change<Vec<ChannelId>> {
        let _turn = self.change(tenant).await;
        if tenant.as_str() == OPERATOR {
            let what = "the operator's own tenant stays: take away what it has, one by one";
            return Err(ChangeError::InUse(what.to_owned()));
        }
        match self.tenant(tenant).await {
            Ok(record) if record.managed == Managed::Settings => {
                return Err(ChangeError::InSettings(tenant.to_string()));
            }
            Ok(_) => {}
            Err(ChangeError::NotFound)
                if self.host_store().keeps_any(tenant, stamp.at_ms).await?
                    || self.lost(tenant).await?.is_some() => {}
            Err(error) => return Err(error),
        }
        let mut channels: BTreeSet<_> = self.store(tenant).channels().await?.into_iter().collect();
        let running = self.work.channels().into_iter();
        let own = running.filter(|channel| channel.tenant == *tenant);
        channels.extend(own.map(|channel| channel.id.clone()));
        self.forget_tokens(tenant);
        self.run(tenant, &Definition::default(), &Limits::default());
        if !self.work.end_lanes_of(tenant, GRACE).await {
            let what = "turns of the tenant are still under way, and nothing new is taken: do the \
                        same again in a minute";
            return Err(ChangeError::InUse(what.to_owned()));
        }
        self.work.forget_used_by(tenant).await;
        // Where this is cut off, the next one of its name is not told of this one.
        self.keep_lost(tenant, self.told_before(tenant).await?, stamp).await?;
        self.host_store().delete_tenant(tenant, stamp).await?;
        self.forget_lost(tenant, stamp).await?;
        self.components.changed(tenant);
        self.work.forget_tenant(tenant);
        self.work.registry().forget_all(tenant);
        self.retention().remove(tenant);
        Ok(channels.into_iter().collect())
    }
}
