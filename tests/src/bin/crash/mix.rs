//! What persons do, and how often.

use botyard_chance::Chance;
use std::time::Duration;

/// Shares in percent; what is left are plain messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    /// The client leaves before the answer and sends the same again.
    pub(crate) leaves: u64,
    /// A signal of the tenant's own systems.
    pub(crate) signals: u64,
    /// Of these, so many are sent twice.
    pub(crate) signals_again: u64,
    /// What the channel recognizes is sent again.
    pub(crate) again: u64,
    /// Two messages at the same time, the later one first.
    pub(crate) pairs: u64,
    /// The bot breaks down.
    pub(crate) traps: u64,
    /// Where there is an external bot, the conversation is handed over to it, or it is told
    /// that this is all.
    pub(crate) relays: u64,
    /// More than one action: texts, pictures, pauses, timers, requests.
    pub(crate) rich: u64,
    /// A conversation has so many events, then the person begins another.
    pub(crate) events_max: u64,
    /// Between two events, at most.
    pub(crate) pause_ms: u64,
}

/// What a person does next.
pub(crate) enum Step {
    Message { script: String, traps: bool, leaves: Option<Duration> },
    Pair,
    Signal { again: bool },
    Relay,
    Again,
}

/// A little of everything, so that every point of the host is passed all the time.
pub(crate) const CRASH: Mix = Mix {
    leaves: 6,
    signals: 10,
    signals_again: 50,
    again: 3,
    pairs: 10,
    traps: 4,
    relays: 12,
    rich: 35,
    events_max: 60,
    pause_ms: 40,
};

/// Sendings of which about a fifth are duplicates, every tenth is one of a pair out
/// of order, every twentieth breaks the bot, and the answer of one in a hundred is
/// dropped and the event sent again.
///
/// The messages of some vendors carry no ids: the same words after a whole answer are
/// a second message, and it is one. What has an id comes twice here: signals, starts
/// on Userlike, messages on Khoros and Messenger; and whatever was answered and the
/// answer dropped.
pub(crate) const DELIVERIES: Mix = Mix {
    leaves: 2,
    signals: 20,
    signals_again: 100,
    again: 5,
    pairs: 7,
    traps: 7,
    relays: 4,
    rich: 10,
    events_max: 100,
    pause_ms: 0,
};

/// What can stand in a script, `SHOP` being the shop's address.
const SCRIPTS: &[&str] = &[
    "; part; part",
    "; picture; part",
    "; part; picture; picture",
    "; pause 20; part",
    "; timer 60",
    "; timer 300; part",
    "; ask SHOP",
    "; ask SHOP; picture; part",
    "; fetch SHOP",
    "; fetch SHOP; part",
];

impl Mix {
    pub(crate) fn step(&self, chance: &mut Chance) -> Step {
        let mut draw = chance.within(0, 99);
        let mut hit = |share: u64| {
            let hit = draw < share;
            draw = draw.wrapping_sub(share);
            hit
        };
        if hit(self.signals) {
            return Step::Signal { again: chance.percent(self.signals_again) };
        }
        if hit(self.again) {
            return Step::Again;
        }
        if hit(self.pairs) {
            return Step::Pair;
        }
        if hit(self.relays) {
            return Step::Relay;
        }
        let leaves = hit(self.leaves);
        let traps = !leaves && hit(self.traps);
        let rich = !leaves && !traps && hit(self.rich);
        let script = match (traps, rich) {
            (true, _) => "; part; trap",
            (false, true) => SCRIPTS[chance.within(0, SCRIPTS.len() as u64 - 1) as usize],
            (false, false) => "",
        };
        let leaves = leaves.then(|| Duration::from_micros(chance.within(0, 4_000)));
        Step::Message { script: script.to_owned(), traps, leaves }
    }

    /// What a message says.
    pub(crate) fn text(&self, name: &str, script: &str, shop: &str) -> String {
        // The shop knows orders by two numbers.
        let order = name.trim_start_matches('m');
        format!("{name}{}", script.replace("SHOP", &format!("{shop}/orders/{order}")))
    }
}

/// What a script asks the bot to show: of what it asks others for, nobody knows before.
pub(crate) fn wants(name: &str, script: &str) -> Vec<String> {
    let commands = (1..).zip(script.split(';').skip(1));
    let wants = commands.filter_map(|(place, command)| match command.trim() {
        "part" => Some(format!("{name} part {place}")),
        "picture" => Some(format!("https://files.example/{name}-{place}")),
        _ => None,
    });
    wants.collect()
}
