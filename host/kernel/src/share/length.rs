//! How long turns compute: who needs little should not wait for who needs much.

use std::collections::BTreeMap;

use crate::id::TenantId;

/// From which CPU time on a turn is a long one, in microseconds: most turns, also of
/// interpreted bots, have ended by then.
pub const LONG_US: u64 = 3_000;

/// From which usual CPU time on a version's turns are long ones from their beginning. It
/// is more than [`LONG_US`], as a turn that begins as a long one may use one processor
/// less: that should cost a bot only a part of what it computes.
const USUALLY_LONG_US: u64 = 2 * LONG_US;

/// How much CPU time a turn takes, the greater one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Length {
    /// It probably ends at once.
    Short,
    /// It computes for long.
    Long,
}

impl Length {
    /// Of a turn that has used so many microseconds of CPU time and goes on.
    pub fn of(used_us: u64) -> Self {
        if used_us < LONG_US { Self::Short } else { Self::Long }
    }
}

/// What the turns of a version cost of late, for each tenant that runs it: what one of them
/// lets it do says nothing of the others.
#[derive(Debug, Default)]
pub struct Paces(BTreeMap<TenantId, u64>);

impl Paces {
    /// A tenant's turn has ended after so many microseconds of CPU time. A single one that
    /// is far longer than the others, such as the first, does not make all others long ones.
    pub fn ended(&mut self, tenant: &TenantId, used_us: u64) {
        let usual_us = (self.usual_us(tenant) * 3 + used_us.min(3 * USUALLY_LONG_US)) / 4;
        // Whose turns all end before they are long ones is never kept.
        if usual_us < USUALLY_LONG_US / 4 {
            self.0.remove(tenant);
        } else {
            self.0.insert(tenant.clone(), usual_us);
        }
    }

    /// How long the next turn of a tenant is expected to be.
    pub fn expected(&self, tenant: &TenantId) -> Length {
        if self.usual_us(tenant) < USUALLY_LONG_US { Length::Short } else { Length::Long }
    }

    fn usual_us(&self, tenant: &TenantId) -> u64 {
        self.0.get(tenant).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_long_from_three_milliseconds_on() {
        assert_eq!([0, LONG_US - 1, LONG_US, u64::MAX].map(Length::of), {
            use Length::{Long, Short};
            [Short, Short, Long, Long]
        });
        assert_eq!(Length::Short.max(Length::Long), Length::Long);
    }

    #[test]
    fn a_version_is_known_by_its_last_turns() {
        let mut paces = Paces::default();
        let tenant = TenantId::from("a");
        let mut expected = |used_us| {
            paces.ended(&tenant, used_us);
            paces.expected(&tenant)
        };
        assert_eq!(expected(150_000), Length::Short, "one turn, whose version was not at hand");
        assert_eq!(expected(50_000), Length::Long, "what spins shows at once");
        assert_eq!((0..10).map(|_| expected(50_000)).last(), Some(Length::Long));
        let until_short = (0..).find(|_| expected(100) == Length::Short);
        assert!((1..10).contains(&until_short.unwrap()), "{until_short:?}");
        assert_eq!((0..100).map(|_| expected(2 * LONG_US - 1)).last(), Some(Length::Short));
        assert_eq!((0..100).map(|_| expected(2 * LONG_US + 4)).last(), Some(Length::Long));
        assert_eq!(expected(u64::MAX), Length::Long);
    }

    #[test]
    fn what_a_tenant_lets_a_version_do_says_nothing_of_others() {
        let mut paces = Paces::default();
        let (one, other) = (TenantId::from("one"), TenantId::from("other"));
        for _ in 0..10 {
            paces.ended(&one, 50_000);
            paces.ended(&other, 100);
        }
        assert_eq!([&one, &other].map(|it| paces.expected(it)), [Length::Long, Length::Short]);
        assert_eq!(paces.0.len(), 1, "nothing is kept of who is quick");
        (0..100).for_each(|_| paces.ended(&one, 100));
        assert!(paces.0.is_empty());
    }
}
