//! What a host serves in a run: tenants, channels, conversations, drawn by chance.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};
use botyard_kernel::lane::Rules;
use botyard_kernel::plan::{Overlap, Policy, SessionTimeout, TimeoutAction};
use botyard_kernel::profile::{Delivery, Limited, Rate};
use botyard_kernel::share::TenantRate;
use botyard_kernel::time::{MINUTE, SECOND};
use botyard_vendors::{Vendor, userlike};
use serde_json::json;

use crate::batch::Batch;
use crate::bot::{Counter, Dice, Runner};
use botyard_chance::Chance;

/// What all of it consists of.
pub(crate) struct Site {
    pub(crate) channels: Vec<Channel>,
    pub(crate) conversations: Vec<Place>,
    /// What tenants may use.
    pub(crate) rates: BTreeMap<TenantId, TenantRate>,
}

/// Which vendor a channel connects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Userlike,
    Batch,
}

pub(crate) struct Channel {
    pub(crate) id: ChannelId,
    pub(crate) tenant: TenantId,
    pub(crate) speaks: Speaks,
    pub(crate) vendor: Arc<dyn Vendor>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) bot: &'static dyn Runner,
    /// The secret of its webhooks and the token of calls.
    pub(crate) secret: String,
    pub(crate) token: String,
    /// It may answer that a conversation is over.
    pub(crate) tells_gone: bool,
}

/// A conversation.
pub(crate) struct Place {
    pub(crate) channel: usize,
    pub(crate) key: ConversationKey,
}

impl Site {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let count = chance.below(3) + 1;
        let channels: Vec<_> = (0..count).map(|n| channel(n, chance)).collect();
        let conversations = (0..chance.below(5) + 1)
            .map(|n| {
                let at = chance.pick(channels.len());
                let channel = &channels[at];
                let key = ConversationKey {
                    tenant: channel.tenant.clone(),
                    channel: channel.id.clone(),
                    vendor_key: format!("c{n}"),
                };
                Place { channel: at, key }
            })
            .collect();
        let mut rates = BTreeMap::new();
        if chance.percent(20) {
            let turns = Some(if chance.percent(50) { 1 } else { 3 });
            rates.insert("tenant0".into(), TenantRate { turns, cpu_ms: None });
        }
        Self { channels, conversations, rates }
    }

    pub(crate) fn channel_of(&self, conversation: usize) -> &Channel {
        &self.channels[self.conversations[conversation].channel]
    }

    /// Which conversation this is on this channel.
    pub(crate) fn find(&self, channel: usize, vendor_key: &str) -> Option<usize> {
        let same = |place: &Place| place.channel == channel && place.key.vendor_key == vendor_key;
        self.conversations.iter().position(same)
    }
}

fn channel(n: u64, chance: &mut Chance) -> Channel {
    let (secret, token) = (format!("secret of channel {n}"), format!("token-{n}"));
    let tells_gone = chance.percent(20);
    let speaks = if chance.percent(65) { Speaks::Userlike } else { Speaks::Batch };
    let vendor = match speaks {
        Speaks::Userlike => userlike_channel(n, &secret, &token, tells_gone, chance),
        Speaks::Batch => Batch::channel(delivery(chance), secret.clone()),
    };
    let rules =
        Arc::new(Rules { policy: policy(vendor.name(), chance), delivery: vendor.delivery() });
    let bot: &'static dyn Runner = if chance.percent(70) { &Dice } else { &Counter };
    let tenant = TenantId(format!("tenant{}", chance.below(2)));
    let id = ChannelId(format!("channel{n}"));
    Channel { id, tenant, speaks, vendor, rules, bot, secret, token, tells_gone }
}

fn userlike_channel(
    n: u64,
    secret: &str,
    token: &str,
    tells_gone: bool,
    chance: &mut Chance,
) -> Arc<dyn Vendor> {
    let (calls, window_ms) = if chance.percent(50) { (3, 10_000) } else { (20, MINUTE) };
    let gone: &[u16] = if tells_gone { &[410] } else { &[] };
    let settings = json!({
        "webhook-secret": secret,
        "api-url": format!("https://userlike.example/{n}"),
        "api-token": token,
        "inline": chance.percent(80),
        "hold-ambiguous": chance.percent(15),
        "age-max-ms": if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
        "dialect": {
            "timing": { "rate-calls": calls, "rate-window-ms": window_ms },
            "delay-fractions": chance.percent(50),
            "gone-statuses": gone,
        },
    });
    userlike::connect(settings).expect("these settings are right")
}

fn delivery(chance: &mut Chance) -> Delivery {
    let rate = chance.percent(60).then_some(Rate { calls: 3, window_ms: 10_000 });
    let token_rate = chance.percent(30).then_some(Rate { calls: 6, window_ms: 10_000 });
    Delivery {
        inline: chance.percent(60),
        answer_by_ms: 4_000,
        after_answer_ms: 500,
        lists: chance.percent(60),
        native_delay: chance.percent(60),
        delay_step_ms: 1,
        silent_hand_off: false,
        rate,
        token_rate,
        limited: if chance.percent(50) { Limited::Token } else { Limited::Conversation },
        acknowledgements_elsewhere: chance.percent(50),
        sends_start: true,
        reopens: chance.percent(50),
        ends_silent_sessions: false,
        age_max_ms: if chance.percent(15) { 20 * SECOND } else { 15 * MINUTE },
        hold_ambiguous: chance.percent(15),
    }
}

fn policy(vendor: &str, chance: &mut Chance) -> Policy {
    let mut policy = Policy::new(vendor, "bot".into());
    policy.sends_start = chance.percent(60);
    policy.failure_hand_off = chance.percent(30);
    policy.failure_texts.insert(String::new(), "Something went wrong.".to_owned());
    policy.overlap = match chance.below(4) {
        0 => Overlap::Latest,
        1 => Overlap::Coalesce { silence_ms: chance.below(1_000) },
        _ => Overlap::Serial,
    };
    policy.session_timeout = chance.percent(25).then(|| SessionTimeout {
        after_ms: 5 * SECOND + chance.below(MINUTE),
        then: match chance.below(3) {
            0 => TimeoutAction::End,
            1 => TimeoutAction::Unassign,
            _ => TimeoutAction::Forward,
        },
    });
    policy
}
