//! What goes wrong, how often, by a seed.

use std::time::Duration;

use crate::chance::Chance;

/// A way for a call or a webhook to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A call is carried out at once and answered late.
    SlowApi,
    /// A call is answered 429, without `Retry-After`.
    Limited,
    /// A call is answered 429 with `Retry-After`, in whole seconds.
    LimitedFor,
    /// A call is answered 500 and was not carried out.
    Broken,
    /// A call is answered 500 and was carried out all the same.
    BrokenAfter,
    /// The connection of a call ends without an answer; it was not carried out.
    Cut,
    /// The connection of a call ends without an answer; it was carried out.
    CutAfter,
    /// The conversation's session expires when a call comes.
    Expire,
    /// The vendor leaves while it waits for a webhook's answer, if that has not begun
    /// by then.
    Leave,
    /// The vendor leaves in the middle of a webhook's answer. Where the answer fits
    /// into the buffers between the two, the other side cannot see that.
    Tear,
    /// The vendor reads a webhook's answer slowly, to its end.
    SlowRead,
    /// The same webhook comes again although it was answered.
    Duplicate,
    /// A webhook overtakes the one before it.
    Reorder,
}

/// What a fault meets.
const CALLS: &[Fault] = &[
    Fault::SlowApi,
    Fault::Limited,
    Fault::LimitedFor,
    Fault::Broken,
    Fault::BrokenAfter,
    Fault::Cut,
    Fault::CutAfter,
    Fault::Expire,
];
const WEBHOOKS: &[Fault] = &[Fault::Leave, Fault::Tear, Fault::SlowRead];

impl Fault {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::SlowApi,
        Self::Limited,
        Self::LimitedFor,
        Self::Broken,
        Self::BrokenAfter,
        Self::Cut,
        Self::CutAfter,
        Self::Expire,
        Self::Leave,
        Self::Tear,
        Self::SlowRead,
        Self::Duplicate,
        Self::Reorder,
    ];

    /// Its name on a command line and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowApi => "slow-api",
            Self::Limited => "429",
            Self::LimitedFor => "429-retry-after",
            Self::Broken => "500",
            Self::BrokenAfter => "500-after",
            Self::Cut => "cut",
            Self::CutAfter => "cut-after",
            Self::Expire => "expire",
            Self::Leave => "leave",
            Self::Tear => "tear",
            Self::SlowRead => "slow-read",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
        }
    }

    /// The fault of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// What it does, in a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::SlowApi => "a call is carried out at once and answered late",
            Self::Limited => "a call is answered 429",
            Self::LimitedFor => "a call is answered 429 with Retry-After",
            Self::Broken => "a call is answered 500 and not carried out",
            Self::BrokenAfter => "a call is answered 500 and carried out all the same",
            Self::Cut => "a call's connection ends without an answer; not carried out",
            Self::CutAfter => "a call's connection ends without an answer; carried out",
            Self::Expire => "the session expires when a call comes",
            Self::Leave => "the connection of a webhook ends before its answer",
            Self::Tear => "the connection of a webhook ends in the middle of its answer",
            Self::SlowRead => "a webhook's answer is read slowly",
            Self::Duplicate => "an answered webhook comes again",
            Self::Reorder => "a webhook overtakes the one before it",
        }
    }
}

/// A plan: the rate of each fault, and the numbers that go with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    chance: Chance,
    rates: Vec<(Fault, f64)>,
    /// How late a slow answer to a call is.
    pub slow: Duration,
    /// What `Retry-After` says, in seconds.
    pub retry_after: u64,
    /// Who leaves waits for an answer at most so long before.
    pub patience: Duration,
    /// How long a slow reader waits between two pieces of 64 bytes.
    pub pause: Duration,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::seeded(0)
    }

    /// Nothing goes wrong until rates are set; the seed decides what meets whom.
    pub fn seeded(seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            rates: Vec::new(),
            slow: Duration::from_secs(2),
            retry_after: 2,
            patience: Duration::from_millis(10),
            pause: Duration::from_millis(5),
        }
    }

    /// Sets how often a fault happens: from 0, never, to 1, always.
    #[must_use]
    pub fn with(mut self, fault: Fault, rate: f64) -> Self {
        self.rates.retain(|(known, _)| *known != fault);
        self.rates.push((fault, rate));
        self.rates.sort_by_key(|(fault, _)| *fault);
        self
    }

    /// How often a fault happens.
    pub fn rate(&self, fault: Fault) -> f64 {
        self.rates.iter().find(|(known, _)| *known == fault).map_or(0.0, |(_, rate)| *rate)
    }

    /// What meets the `number`-th call of a conversation.
    pub(crate) fn of_call(&self, conversation: &str, number: u64) -> Option<Fault> {
        self.one_of(CALLS, "call", conversation, number)
    }

    /// What meets the `number`-th sending of a webhook of a conversation.
    pub(crate) fn of_webhook(&self, conversation: &str, number: u64) -> Option<Fault> {
        self.one_of(WEBHOOKS, "webhook", conversation, number)
    }

    /// Whether this one happens, the `number`-th time that it could.
    pub(crate) fn happens(&self, fault: Fault, conversation: &str, number: u64) -> bool {
        let rate = self.rate(fault);
        rate > 0.0 && self.chance.draw(fault.name(), conversation, number) < rate
    }

    /// How long who leaves stays before.
    pub(crate) fn stay(&self, conversation: &str, number: u64) -> Duration {
        self.patience.mul_f64(self.chance.draw("stay", conversation, number))
    }

    /// At most one of several: their rates share one draw.
    fn one_of(
        &self,
        faults: &[Fault],
        what: &str,
        conversation: &str,
        number: u64,
    ) -> Option<Fault> {
        if self.rates.is_empty() {
            return None;
        }
        let mut left = self.chance.draw(what, conversation, number);
        faults.iter().copied().find(|fault| {
            left -= self.rate(*fault);
            left < 0.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_share_one_draw_and_are_met() {
        let faults = Faults::seeded(3).with(Fault::Cut, 0.1).with(Fault::Limited, 0.2);
        let drawn: Vec<_> = (0..10_000).map(|n| faults.of_call("c", n)).collect();
        let count = |wanted| drawn.iter().filter(|fault| **fault == wanted).count();
        assert!((900..=1_100).contains(&count(Some(Fault::Cut))));
        assert!((1_850..=2_150).contains(&count(Some(Fault::Limited))));
        assert!((6_800..=7_200).contains(&count(None)));
    }

    #[test]
    fn without_rates_nothing_happens_and_with_full_ones_always() {
        assert_eq!(Faults::none().of_call("c", 1), None);
        let faults = Faults::none().with(Fault::Tear, 1.0);
        assert!((0..100).all(|n| faults.of_webhook("c", n) == Some(Fault::Tear)));
        assert!((0..100).all(|n| faults.of_call("c", n).is_none()));
        assert!((0..100).all(|n| !faults.happens(Fault::Duplicate, "c", n)));
    }

    #[test]
    fn names_are_found_again() {
        for fault in Fault::ALL {
            assert_eq!(Fault::by_name(fault.name()), Some(*fault));
        }
        assert_eq!(Fault::by_name("flood"), None);
    }
}
