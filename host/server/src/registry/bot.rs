//! Bots as the running host holds them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use botyard_kernel::degrade::Degrading;
use botyard_kernel::id::BotId;
use botyard_kernel::plan::Overlap;

use super::deployed::Deployed;
use crate::config;
use crate::send::{HostPattern, SecretHeaders};

/// A bot of a tenant's. It is replaced as a whole when something
/// of it changes.
pub struct Bot {
    /// Its name.
    pub id: BotId,
    /// Which versions of it answer.
    pub deployed: Arc<Deployed>,
    /// What the tenant configured.
    pub config: BTreeMap<String, String>,
    /// Where its requests may go.
    pub hosts: Vec<HostPattern>,
    /// What becomes of events of a person that wait while newer ones come.
    pub overlap: Overlap,
    /// What becomes of what a medium cannot carry.
    pub degrading: Degrading,
    /// What they carry there without its knowledge.
    pub http_headers: SecretHeaders,
}

impl Bot {
    /// A bot out of what is set of it, and what the version that answers wishes.
    pub fn new(
        id: BotId,
        deployed: Arc<Deployed>,
        settings: &config::Bot,
        wished: Option<Degrading>,
    ) -> Self {
        Self {
            id,
            deployed,
            config: settings.config.clone(),
            hosts: settings.hosts.clone(),
            overlap: settings.overlap,
            degrading: settings.degrading.or(wished).unwrap_or_default(),
            http_headers: settings.http_headers.clone(),
        }
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
