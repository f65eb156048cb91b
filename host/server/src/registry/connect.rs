//! Channels out of what is set of them.

use std::sync::Arc;

use botyard_kernel::id::ChannelId;
use botyard_kernel::lane::Rules;
use botyard_kernel::plan::Policy;
use botyard_vendors::Vendor;
use botyard_vendors::external::{self, ExternalBot};

use super::bot::Bot;
use super::channel::Setup;
use crate::config;
use crate::relays::Relays;

/// A channel's vendor, and what is set of it.
///
/// # Errors
/// The tenant's to correct: the vendor refuses its settings, or has no use for one.
pub fn connect(
    id: &ChannelId,
    settings: &config::Channel,
    bot: Arc<Bot>,
    relays: &Relays,
) -> anyhow::Result<(Arc<dyn Vendor>, Setup)> {
    let vendor = botyard_vendors::connect(&settings.vendor, settings.settings.clone())?;
    fits(settings, &*vendor)?;
    let mut policy = Policy::new(vendor.name(), bot.id.clone());
    policy.failure_texts = settings.failure_texts.clone();
    policy.failure_hand_off = settings.failure_hand_off;
    policy.session_idle_ms = settings.session_idle_ms;
    policy.overlap = bot.overlap;
    policy.degrading = bot.degrading;
    policy.choices = bot.choices;
    policy.late_taps = vendor.late_taps();
    policy.relays = relays.keys().cloned().collect();
    let delivery = vendor.delivery();
    policy.sends_start = delivery.sends_start;
    policy.reopens = delivery.reopens;
    policy.takes_back = vendor.takes_back();
    policy.has_desk = settings.desk_token.is_some();
    policy.session_timeout = settings.session_timeout;
    policy.returns_after_ms = settings.returns_after_ms;
    policy.relay_returns_after_ms = settings.relay_returns_after_ms;
    let setup = Setup {
        account: id.clone(),
        rules: Arc::new(Rules { policy, delivery }),
        bot,
        relays: relays.clone(),
        signal_token: settings.signal_token.clone(),
        desk_token: settings.desk_token.clone(),
    };
    Ok((vendor, setup))
}

/// An external bot of a tenant.
///
/// # Errors
/// The tenant's to correct: the vendor refuses its settings.
pub fn connect_relay(relay: &config::Relay) -> anyhow::Result<Arc<dyn ExternalBot>> {
    Ok(external::connect_external(&relay.vendor, relay.settings.clone())?)
}

/// Settings that a vendor has no use for are refused: whoever wrote them expects
/// something that would never happen.
fn fits(settings: &config::Channel, vendor: &dyn Vendor) -> anyhow::Result<()> {
    let name = vendor.name();
    if settings.session_timeout.is_some() && vendor.delivery().ends_silent_sessions {
        anyhow::bail!(
            "`session-timeout-ms` is not for {name}: it ends silent sessions by itself; set the \
             time there and leave the key out here"
        );
    }
    if settings.desk_token.is_some() && vendor.states_owner() {
        anyhow::bail!(
            "`desk-token` is not for {name}: its agents answer in its own desk, and it says who \
             has a conversation; leave the key out"
        );
    }
    if let Some(why) = vendor.returns_in_vain().filter(|_| settings.returns_after_ms.is_some()) {
        anyhow::bail!("`returns-after-ms` is not for {name}: {why}");
    }
    Ok(())
}
