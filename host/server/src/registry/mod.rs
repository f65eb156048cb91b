//! What runs: channels, the bots that answer in them, and their versions. It changes
//! while the host runs.

mod bot;
mod channel;
mod connect;
mod deployed;
mod powers;
mod versions;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use botyard_kernel::id::{BotId, ChannelId, TenantId};

pub use bot::{Bot, Wishes};
pub use channel::{Channel, Setup};
pub use connect::{connect, connect_relay};
pub use deployed::Deployed;
pub use powers::{Asks, Operator, Powered};
pub use versions::{VersionError, Versions};

/// Everything that runs.
pub struct Registry {
    channels: RwLock<HashMap<ChannelId, Arc<Channel>>>,
    deployed: RwLock<HashMap<(TenantId, BotId), Arc<Deployed>>>,
    versions: Versions,
    operator: Operator,
}

impl Registry {
    /// Nothing runs yet.
    pub fn new(versions: Versions, operator: Operator) -> Self {
        Self { channels: RwLock::default(), deployed: RwLock::default(), versions, operator }
    }

    /// The channel of this name.
    pub fn channel(&self, id: &ChannelId) -> Option<Arc<Channel>> {
        self.all().get(id).map(Arc::clone)
    }

    /// All channels, by name.
    pub fn channels(&self) -> Vec<Arc<Channel>> {
        let mut channels: Vec<_> = self.all().values().map(Arc::clone).collect();
        channels.sort_by(|one, other| one.id.cmp(&other.id));
        channels
    }

    /// Whether there is a channel of which this is so.
    pub fn has_channel(&self, is: impl Fn(&Channel) -> bool) -> bool {
        self.all().values().any(|channel| is(channel))
    }

    /// A channel is there from now on, in the place of one of its name.
    pub fn add(&self, channel: Arc<Channel>) {
        let mut all = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = all.insert(channel.id.clone(), channel) {
            before.close();
        }
    }

    /// A channel is no longer there.
    pub fn remove(&self, id: &ChannelId) {
        let mut all = self.channels.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = all.remove(id) {
            before.close();
        }
    }

    /// Which versions of a bot answer.
    pub fn deployed(&self, owner: &TenantId, bot: &BotId) -> Arc<Deployed> {
        let mut all = self.deployed.write().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry((owner.clone(), bot.clone()));
        let nothing = || Arc::new(Deployed::nothing(owner.clone(), bot.clone()));
        Arc::clone(known.or_insert_with(nothing))
    }

    /// A bot is no longer there.
    pub fn forget(&self, owner: &TenantId, bot: &BotId) {
        let mut all = self.deployed.write().unwrap_or_else(PoisonError::into_inner);
        all.remove(&(owner.clone(), bot.clone()));
    }

    /// No bot of a tenant is there any longer.
    pub fn forget_all(&self, owner: &TenantId) {
        let mut all = self.deployed.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, _), _| known != owner);
    }

    /// The versions that its bots run.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// What the operator says of all bots.
    pub fn operator(&self) -> &Operator {
        &self.operator
    }

    fn all(&self) -> RwLockReadGuard<'_, HashMap<ChannelId, Arc<Channel>>> {
        self.channels.read().unwrap_or_else(PoisonError::into_inner)
    }
}
