//! Channels as the running host holds them.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};
use botyard_kernel::lane::Rules;
use botyard_kernel::time::Millis;
use botyard_vendors::Vendor;

use super::bot::Bot;
use crate::config::Secret;
use crate::relays::Relays;

/// A connected vendor account. It stays the same as long as the channel exists; what
/// can be set of it may change under it.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub id: ChannelId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The vendor, with this channel's secrets and dialect, as its upkeep has made it.
    vendor: RwLock<Arc<dyn Vendor>>,
    /// What its upkeep has made it with.
    obtained: RwLock<Option<Obtained>>,
    /// A credential that a call was refused for, until its upkeep hears of it.
    refused: Mutex<Option<String>>,
    setup: RwLock<Arc<Setup>>,
    closed: AtomicBool,
}

/// What can be set of a channel, replaced as a whole when something of it changes.
#[derive(Debug)]
pub struct Setup {
    /// Which channel's account calls show: this one, or an earlier one of the tenant
    /// with the same account at the vendor.
    pub account: ChannelId,
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
        setup: Arc<Setup>,
    ) -> Self {
        Self {
            id,
            tenant,
            vendor: RwLock::new(vendor),
            obtained: RwLock::default(),
            refused: Mutex::default(),
            setup: RwLock::new(setup),
            closed: AtomicBool::new(false),
        }
    }

    /// What is set of it now.
    pub fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.setup.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who answers now.
    pub fn bot(&self) -> Arc<Bot> {
        Arc::clone(&self.setup().bot)
    }

    /// From now on this is set.
    pub fn set_up(&self, setup: Arc<Setup>) {
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = setup;
    }

    /// It is no longer there: nothing more is decided or sent in it.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether it is no longer there.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The vendor, with this channel's secrets and dialect, as it is now.
    pub fn vendor(&self) -> Arc<dyn Vendor> {
        Arc::clone(&self.vendor.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The vendor has other secrets or another dialect from now on. What was obtained
    /// with the earlier ones stays, as far as the vendor takes it.
    pub fn reconnect(&self, vendor: &Arc<dyn Vendor>) {
        let mut current = self.vendor.write().unwrap_or_else(PoisonError::into_inner);
        *current = self.as_obtained(Arc::clone(vendor));
    }

    /// The vendor's upkeep has brought something new, by which other versions of it can be
    /// made as well. Settings that change at the same time are not lost.
    pub fn renew(&self, obtained: &str) {
        let mut current = self.vendor.write().unwrap_or_else(PoisonError::into_inner);
        let renewed = current.upkeep().map(|upkeep| upkeep.renewed(obtained));
        if let Some(renewed) = renewed {
            *current = renewed;
        }
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

    /// Since when the vendor has called its bot unwell; absent where it is well, or nobody
    /// knows.
    pub fn unwell_since(&self) -> Option<Millis> {
        let obtained = self.obtained.read().unwrap_or_else(PoisonError::into_inner);
        self.vendor().upkeep()?.unwell_since(&obtained.as_ref()?.0)
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
