//! What a host serves in a run: tenants, channels, conversations, drawn by chance.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_chance::Chance;
use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};
use botyard_kernel::lane::Rules;
use botyard_kernel::plan::{Overlap, Policy, SessionTimeout, TimeoutAction};
use botyard_kernel::share::TenantRate;
use botyard_kernel::time::{MINUTE, SECOND};
use botyard_vendors::Vendor;

use crate::bot::{Counter, Dice, Runner};
use crate::external;
use crate::vendors::{self, Line};

/// What all of it consists of.
pub(crate) struct Site {
    pub(crate) channels: Vec<Channel>,
    pub(crate) conversations: Vec<Place>,
    /// What tenants may use.
    pub(crate) rates: BTreeMap<TenantId, TenantRate>,
}

pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) tenant: TenantId,
    /// The vendor at its end.
    pub(crate) line: Box<dyn Line>,
    /// The vendor as the host knows it.
    pub(crate) vendor: Arc<dyn Vendor>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) bot: &'static dyn Runner,
    /// External bots know where they can speak by themselves.
    pub(crate) is_reached: bool,
}

/// A conversation.
pub(crate) struct Place {
    pub(crate) channel: usize,
    pub(crate) key: ConversationKey,
}

impl Site {
    /// What concerns external bots is drawn `aside`.
    pub(crate) fn draw(only: Option<&str>, chance: &mut Chance, aside: &mut Chance) -> Self {
        let count = chance.below(3) + 1;
        let channels: Vec<_> = (0..count).map(|n| channel(n, only, chance, aside)).collect();
        let mut site = Self { channels, conversations: Vec::new(), rates: BTreeMap::new() };
        for _ in 0..=chance.below(5) {
            site.open(chance.pick(site.channels.len()));
        }
        if chance.percent(20) {
            let turns = Some(if chance.percent(50) { 1 } else { 3 });
            site.rates.insert("tenant0".into(), TenantRate { turns, cpu_ms: None });
        }
        site
    }

    /// One more conversation on this channel; gives its number.
    pub(crate) fn open(&mut self, at: usize) -> usize {
        let (number, channel) = (self.conversations.len(), &self.channels[at]);
        let key = ConversationKey {
            tenant: channel.tenant.clone(),
            channel: channel.id.clone(),
            vendor_key: channel.line.key(number),
        };
        self.conversations.push(Place { channel: at, key });
        number
    }

    pub(crate) fn channel_of(&self, conversation: usize) -> &Channel {
        &self.channels[self.conversations[conversation].channel]
    }

    /// The vendor's own key of a conversation.
    pub(crate) fn key_of(&self, conversation: usize) -> &str {
        &self.conversations[conversation].key.vendor_key
    }

    /// Which conversation this is on this channel.
    pub(crate) fn find(&self, channel: usize, vendor_key: &str) -> Option<usize> {
        let same = |place: &Place| place.channel == channel && place.key.vendor_key == vendor_key;
        self.conversations.iter().position(same)
    }
}

fn channel(number: u64, only: Option<&str>, chance: &mut Chance, aside: &mut Chance) -> Channel {
    let line = vendors::draw(number, only, chance);
    let vendor = line.vendor();
    let mut policy = policy(&*line, &*vendor, chance);
    let has_external = only == Some(external::NAME) || aside.percent(30);
    policy.relays.extend(has_external.then(|| external::NAME.to_owned()));
    // Drawn from a copy, so that what was drawn before this rule is drawn still.
    let mut patience = aside.clone();
    let impatient = has_external && patience.percent(40);
    policy.relay_returns_after_ms = impatient.then(|| 5 * SECOND + patience.below(MINUTE));
    let rules = Arc::new(Rules { policy, delivery: vendor.delivery() });
    let dice = match (has_external, line.shows_menus()) {
        (false, false) => &Dice { hands_over: false, offers: false },
        (false, true) => &Dice { hands_over: false, offers: true },
        (true, false) => &Dice { hands_over: true, offers: false },
        (true, true) => &Dice { hands_over: true, offers: true },
    };
    let bot: &'static dyn Runner = if chance.percent(70) { dice } else { &Counter };
    let is_reached = aside.percent(80);
    let tenant = TenantId(format!("tenant{}", chance.below(2)));
    let id = ChannelId(format!("channel{number}"));
    Channel { id, tenant, line, vendor, rules, bot, is_reached }
}

/// What a server would take for a channel of this vendor.
fn policy(line: &dyn Line, vendor: &dyn Vendor, chance: &mut Chance) -> Policy {
    let delivery = vendor.delivery();
    let mut policy = Policy::new(vendor.name(), "bot".into());
    policy.sends_start = delivery.sends_start;
    policy.reopens = delivery.reopens;
    policy.takes_back = vendor.takes_back();
    policy.has_desk = !vendor.states_owner() && chance.percent(20);
    policy.failure_hand_off = chance.percent(30);
    policy.failure_texts.insert(String::new(), "Something went wrong.".to_owned());
    policy.overlap = match chance.below(4) {
        0 => Overlap::Latest,
        1 => Overlap::Coalesce { silence_ms: chance.below(1_000) },
        _ => Overlap::Serial,
    };
    let times_out = !delivery.ends_silent_sessions && chance.percent(35);
    policy.session_timeout = times_out.then(|| SessionTimeout {
        after_ms: 5 * SECOND + chance.below(MINUTE),
        then: match chance.below(3) {
            0 => TimeoutAction::End,
            1 => TimeoutAction::Unassign,
            _ => TimeoutAction::Forward,
        },
    });
    let returns = !line.keeps_out() && chance.percent(20);
    policy.returns_after_ms = returns.then(|| 5 * SECOND + chance.below(2 * MINUTE));
    policy
}
