//! Channels and bots as the running host holds them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use botyard_kernel::degrade::Degrading;
use botyard_kernel::id::{BotId, ChannelId, ConversationKey, TenantId};
use botyard_kernel::lane::Rules;
use botyard_kernel::plan::Overlap;
use botyard_runtime::Version;
use botyard_vendors::Vendor;

use crate::config::Secret;
use crate::send::{HostPattern, SecretHeaders};

/// A connected vendor account.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub id: ChannelId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The vendor, with this channel's secrets and dialect, as its upkeep has made it.
    vendor: RwLock<Arc<dyn Vendor>>,
    /// A credential that a call was refused for, until its upkeep hears of it.
    refused: Mutex<Option<String>>,
    /// How turns and deliveries are decided.
    pub rules: Arc<Rules>,
    /// Who answers.
    pub bot: Arc<Bot>,
    /// Opens the door for signals; without one it stays shut.
    pub signal_token: Option<Secret>,
    /// Opens the desk; without one it stays shut.
    pub desk_token: Option<Secret>,
}

impl Channel {
    /// Connects a channel.
    pub fn new(
        (tenant, id): (TenantId, ChannelId),
        vendor: Arc<dyn Vendor>,
        rules: Arc<Rules>,
        bot: Arc<Bot>,
        signal_token: Option<Secret>,
        desk_token: Option<Secret>,
    ) -> Self {
        let vendor = RwLock::new(vendor);
        let refused = Mutex::default();
        Self { id, tenant, vendor, refused, rules, bot, signal_token, desk_token }
    }

    /// The vendor, with this channel's secrets and dialect, as it is now.
    pub fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::clone(&self.vendor.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The vendor is this from now on: its upkeep has brought something new.
    pub fn renew(&self, vendor: Arc<dyn Vendor>) {
        *self.vendor.write().unwrap_or_else(PoisonError::into_inner) = vendor;
    }

    /// A call was refused for this credential of the channel.
    pub fn note_refused(&self, credential: String) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(credential);
    }

    /// The credential that a call was refused for since this was asked last.
    pub fn take_refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The conversation with this key of the vendor's.
    pub fn conversation(&self, vendor_key: String) -> ConversationKey {
        ConversationKey { tenant: self.tenant.clone(), channel: self.id.clone(), vendor_key }
    }
}

/// A bot with the version that answers now.
pub struct Bot {
    /// Its name.
    pub id: BotId,
    /// The component.
    pub version: Version,
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

impl fmt::Debug for Bot {
    /// Without the values of its configuration: keys of services may be among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot")
            .field("id", &self.id)
            .field("version", self.version.digest())
            .field("config", &self.config.keys())
            .field("hosts", &self.hosts)
            .field("http_headers", &self.http_headers)
            .finish()
    }
}
