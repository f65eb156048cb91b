//! How long turns compute: who needs little should not wait for who needs much.

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

/// What the turns of a version cost of late.
#[derive(Debug, Default)]
pub struct Pace {
    usual_us: u64,
}

impl Pace {
    /// A turn has ended after so many microseconds of CPU time. A single one that is far
    /// longer than the others, such as the first, does not make all others long ones.
    pub fn ended(&mut self, used_us: u64) {
        self.usual_us = self.usual_us.saturating_mul(3).saturating_add(used_us) / 4;
    }

    /// How long the next turn is expected to be.
    pub fn expected(&self) -> Length {
        if self.usual_us < USUALLY_LONG_US { Length::Short } else { Length::Long }
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
        let mut pace = Pace::default();
        let mut expected = |used_us| {
            pace.ended(used_us);
            pace.expected()
        };
        assert_eq!(expected(20_000), Length::Short, "one turn, whose version was not at hand");
        assert_eq!(expected(50_000), Length::Long, "what spins shows at once");
        let until_short = (0..).find(|_| expected(100) == Length::Short);
        assert!((1..10).contains(&until_short.unwrap()), "{until_short:?}");
        assert_eq!((0..100).map(|_| expected(2 * LONG_US - 1)).last(), Some(Length::Short));
        assert_eq!(expected(u64::MAX), Length::Long);
    }
}
