//! What a tenant runs, read and checked, wherever it was written down.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use botyard_kernel::id::{BotId, ChannelId, Digest, TenantId};
use botyard_vendors::Vendor;

use crate::config::{self, TenantSettings};
use crate::registry::{Bot, Deployed, Setup, Wishes, connect, connect_relay};
use crate::relays::Relays;

/// What a tenant runs.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// What is set of it as a whole.
    pub own: TenantSettings,
    /// Its bots by name.
    pub bots: BTreeMap<BotId, DefinedBot>,
    /// External bots that its bots can hand over to, by name.
    pub relays: BTreeMap<String, config::Relay>,
    /// Its channels by name.
    pub channels: BTreeMap<ChannelId, config::Channel>,
}

/// A bot that a tenant runs.
#[derive(Clone, Debug)]
pub struct DefinedBot {
    /// What is set of it.
    pub settings: config::Bot,
    /// Whose versions it runs: its own, or those of a bot of the operator's.
    pub of: (TenantId, BotId),
    /// What the version that answers wishes.
    pub wishes: Wishes,
}

/// A channel, ready to run.
#[derive(Debug)]
pub struct Connected {
    /// Its name.
    pub id: ChannelId,
    /// Its vendor.
    pub vendor: Arc<dyn Vendor>,
    /// What is set of it.
    pub setup: Setup,
}

/// Something of a tenant that cannot run: the tenant's to correct.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {error:#}")]
pub struct Unfit {
    /// Which, as ``channel `web` ``.
    pub what: String,
    /// Why.
    pub error: anyhow::Error,
}

impl Definition {
    /// Connects all channels that can be, by name; the others, and why not.
    pub fn connect(
        &self,
        deployed: impl Fn(&TenantId, &BotId) -> Arc<Deployed>,
    ) -> (Vec<Connected>, Vec<Unfit>) {
        let (mut good, mut unfit, mut relays) = (Vec::new(), Vec::new(), Relays::new());
        for (name, relay) in &self.relays {
            match connect_relay(relay) {
                Ok(bot) => drop(relays.insert(name.clone(), bot)),
                Err(error) => unfit.push(Unfit { what: format!("relay `{name}`"), error }),
            }
        }
        let bot = |(id, bot): (&BotId, &DefinedBot)| {
            let deployed = deployed(&bot.of.0, &bot.of.1);
            (id.clone(), Arc::new(Bot::new(id.clone(), deployed, &bot.settings, bot.wishes)))
        };
        let bots: HashMap<_, _> = self.bots.iter().map(bot).collect();
        let mut accounts: HashMap<Digest, ChannelId> = HashMap::new();
        for (id, settings) in &self.channels {
            let what = || format!("channel `{id}`");
            let Some(bot) = bots.get(&settings.bot) else {
                let error = anyhow::anyhow!("its bot `{}` cannot run", settings.bot);
                unfit.push(Unfit { what: what(), error });
                continue;
            };
            match connect(id, settings, Arc::clone(bot), &relays) {
                Ok((vendor, mut setup)) => {
                    if let Some(account) = vendor.account() {
                        let first = accounts.entry(account).or_insert_with(|| id.clone());
                        setup.account = first.clone();
                    }
                    good.push(Connected { id: id.clone(), vendor, setup });
                }
                Err(error) => unfit.push(Unfit { what: what(), error }),
            }
        }
        (good, unfit)
    }
}
