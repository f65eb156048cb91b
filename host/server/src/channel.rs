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
use crate::relays::Relays;
use crate::send::{HostPattern, SecretHeaders};

/// A connected vendor account.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub id: ChannelId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Which channel's account calls show: this one, or an earlier one of the tenant
    /// with the same account at the vendor.
    pub account: ChannelId,
    /// The vendor, with this channel's secrets and dialect, as its upkeep has made it.
    vendor: RwLock<Arc<dyn Vendor>>,
    /// What its upkeep has made it with.
    obtained: RwLock<Option<Obtained>>,
    /// A credential that a call was refused for, until its upkeep hears of it.
    refused: Mutex<Option<String>>,
    /// How turns and deliveries are decided.
    pub rules: Arc<Rules>,
    /// Who answers.
    pub bot: Arc<Bot>,
    /// External bots that it can hand over to.
    pub relays: Relays,
    /// Opens the door for signals; without one it stays shut.
    pub signal_token: Option<Secret>,
    /// Opens the desk; without one it stays shut.
    pub desk_token: Option<Secret>,
}

/// What a vendor gave us; a secret.
struct Obtained(String);

impl fmt::Debug for Obtained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Obtained")
    }
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
        let (account, vendor) = (id.clone(), RwLock::new(vendor));
        let (relays, obtained, refused) = (Relays::new(), RwLock::default(), Mutex::default());
        Self {
            id,
            tenant,
            account,
            vendor,
            obtained,
            refused,
            rules,
            bot,
            relays,
            signal_token,
            desk_token,
        }
    }

    /// The vendor, with this channel's secrets and dialect, as it is now.
    pub fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::clone(&self.vendor.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The vendor is this from now on: its upkeep has brought something new, by which
    /// another version of it can be made as well.
    pub fn renew(&self, vendor: Arc<dyn Vendor>, obtained: &str) {
        *self.vendor.write().unwrap_or_else(PoisonError::into_inner) = vendor;
        let obtained = Some(Obtained(obtained.to_owned()));
        *self.obtained.write().unwrap_or_else(PoisonError::into_inner) = obtained;
    }

    /// Another version of this channel's vendor, with what its upkeep has obtained.
    pub fn as_obtained(&self, vendor: Arc<dyn Vendor>) -> Arc<dyn Vendor> {
        let obtained = self.obtained.read().unwrap_or_else(PoisonError::into_inner);
        match (vendor.upkeep(), &*obtained) {
            (Some(upkeep), Some(Obtained(state))) => upkeep.renewed(state),
            (None, _) | (_, None) => Arc::clone(&vendor),
        }
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
