//! Bots as the running host holds them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use botyard_kernel::choices::Recognition;
use botyard_kernel::degrade::Degrading;
use botyard_kernel::id::{BotId, Digest};
use botyard_kernel::plan::Overlap;
use botyard_runtime::Version;
use serde::de::DeserializeOwned;

use super::deployed::Deployed;
use super::powers::{Asks, Operator, Powered};
use crate::config;
use crate::send::{HostPattern, SecretHeaders};

/// So many versions of a bot may run at a time: the one that answers, and those of sessions
/// that began with others. What is forgotten is decided again.
const POWERED_MAX: usize = 64;

/// A bot of a tenant's. It is replaced as a whole when something
/// of it changes.
pub struct Bot {
    /// Its name.
    pub id: BotId,
    /// Which versions of it answer.
    pub deployed: Arc<Deployed>,
    /// What the tenant configured.
    pub config: BTreeMap<String, String>,
    /// What it is granted: where its calls may go.
    pub hosts: Vec<HostPattern>,
    /// What becomes of events of a person that wait while newer ones come.
    pub overlap: Overlap,
    /// What becomes of what a medium cannot carry.
    pub degrading: Degrading,
    /// Which typed texts mean an option of a menu.
    pub choices: Recognition,
    /// What they carry there without its knowledge.
    pub http_headers: SecretHeaders,
    /// What its versions may do.
    powered: Mutex<HashMap<Digest, Arc<Powered>>>,
}

/// What a version wishes, in its manifest, of the way in which it is served: what is set
/// of its bot goes before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What becomes of what a medium cannot carry.
    pub degrade: Option<Degrading>,
    /// Which typed texts mean an option of a menu.
    pub choices: Option<Recognition>,
}

impl Wishes {
    /// The wishes of a manifest as it is kept; what cannot be read is no wish.
    pub fn of(manifest: &serde_json::Value) -> Self {
        Self { degrade: wish(manifest, "degrade"), choices: wish(manifest, "choices") }
    }
}

fn wish<T: DeserializeOwned>(manifest: &serde_json::Value, name: &str) -> Option<T> {
    T::deserialize(manifest.get(name)?).ok()
}

impl Bot {
    /// A bot out of what is set of it, and what the version that answers wishes.
    pub fn new(id: BotId, deployed: Arc<Deployed>, settings: &config::Bot, wishes: Wishes) -> Self {
        Self {
            id,
            deployed,
            config: settings.config.clone(),
            hosts: settings.hosts.clone(),
            overlap: settings.overlap,
            degrading: settings.degrading.or(wishes.degrade).unwrap_or_default(),
            choices: settings.choices.or(wishes.choices).unwrap_or_default(),
            http_headers: settings.http_headers.clone(),
            powered: Mutex::default(),
        }
    }

    /// What a version may do with this bot: decided once, and again under another policy.
    pub fn powered(&self, version: &Version, operator: &Operator) -> Arc<Powered> {
        let policy = operator.policy();
        let mut all = self.powered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(version.digest())
            && Arc::ptr_eq(&known.policy, &policy)
        {
            return Arc::clone(known);
        }
        if all.len() >= POWERED_MAX {
            all.clear();
        }
        let grant = operator.grant(&self.hosts);
        let powered = Arc::new(Powered::new(Asks::of(version), grant, policy));
        all.insert(*version.digest(), Arc::clone(&powered));
        powered
    }
}

impl fmt::Debug for Bot {
    /// Without the values of its configuration: keys of services may be among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot")
            .field("id", &self.id)
            .field("deployed", &self.deployed)
            .field("config", &self.config.keys())
            .field("hosts", &self.hosts)
            .field("http_headers", &self.http_headers)
            .finish()
    }
}
