//! From what is written down to what runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use botyard_kernel::id::{ChannelId, TenantId};
use botyard_kernel::limits::Limits;

use super::Tenancy;
use super::definition::{Connected, Definition, Unfit};
use crate::registry::Channel;

impl Tenancy {
    /// Lets run what a definition says, in the place of what the tenant ran before. What
    /// cannot run is left out and told.
    pub(super) fn run(
        &self,
        tenant: &TenantId,
        definition: &Definition,
        limits: &Limits,
    ) -> Vec<Unfit> {
        let registry = self.work.registry();
        self.work.alerts().set_tenant(tenant, definition.own.alerts.clone());
        self.work.set_limits(tenant, limits, Some(definition.own.rate));
        self.retention().insert(tenant.clone(), definition.own.retention);
        let (connected, unfit) = definition.connect(|owner, bot| registry.deployed(owner, bot));
        let kept: BTreeSet<ChannelId> = definition.channels.keys().cloned().collect();
        for channel in registry.channels() {
            if channel.tenant == *tenant && !kept.contains(&channel.id) {
                registry.remove(&channel.id);
            }
        }
        let mut unfit = unfit;
        for connected in connected {
            unfit.extend(self.run_channel(tenant, connected).err());
        }
        self.work.tell_paused(tenant);
        unfit
    }

    fn run_channel(&self, tenant: &TenantId, connected: Connected) -> Result<(), Unfit> {
        let Connected { id, vendor, setup } = connected;
        let registry = self.work.registry();
        let known = registry.channel(&id);
        if known.as_ref().is_some_and(|known| known.tenant != *tenant) {
            // Whoever was there first keeps its address.
            let error = anyhow::anyhow!("another tenant has a channel of this name: rename one");
            return Err(Unfit { what: format!("channel `{id}`"), error });
        }
        match known.filter(|known| known.vendor().name() == vendor.name()) {
            Some(known) => {
                known.reconnect(&vendor);
                known.set_up(Arc::new(setup));
            }
            None => {
                let name = (tenant.clone(), id);
                let channel = Arc::new(Channel::new(name, vendor, Arc::new(setup)));
                registry.add(Arc::clone(&channel));
                self.work.renew(&channel);
                self.work.begin_upkeep(&channel);
            }
        }
        Ok(())
    }
}
