//! How full the disk is, and what follows: nothing, sweeps and an alert, or no new work.
//! What was accepted is never given up for want of room.

use serde::{Deserialize, Serialize};

/// How full it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// There is room.
    #[default]
    Normal,
    /// What may go is swept, and the operator is told.
    Soft,
    /// What is not accepted yet is refused; the vendor sends it again.
    Hard,
}

/// Where the levels begin, in percent of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Percents", try_from = "Percents")]
pub struct Marks {
    soft: u8,
    hard: u8,
    back: u8,
}

/// As it is written.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Percents {
    soft_percent: u8,
    hard_percent: u8,
    back_percent: u8,
}

/// Marks that make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the marks make no sense: `back-percent` must be below `soft-percent`, that below \
     `hard-percent`, and that at most 100"
)]
pub struct BadMarks;

impl Marks {
    /// A level begins at its mark, and ends `back` points below it, so that it does not
    /// come and go with every sweep.
    ///
    /// # Errors
    /// They must rise: back, soft, hard, 100.
    pub fn new(soft: u8, hard: u8, back: u8) -> Result<Self, BadMarks> {
        let good = back < soft && soft < hard && hard <= 100;
        if good { Ok(Self { soft, hard, back }) } else { Err(BadMarks) }
    }

    /// Where [`Level::Soft`] begins, in percent.
    pub fn soft(self) -> u8 {
        self.soft
    }

    /// Where [`Level::Hard`] begins, in percent.
    pub fn hard(self) -> u8 {
        self.hard
    }

    /// The level now, after another one: so much is used of the whole, in any unit. Of
    /// nothing, nothing is free.
    pub fn level(self, before: Level, used: u64, total: u64) -> Level {
        let reaches =
            |percent: u8| u128::from(used) * 100 >= u128::from(percent) * u128::from(total);
        let holds =
            |level: Level, mark: u8| reaches(mark) || before >= level && reaches(mark - self.back);
        if holds(Level::Hard, self.hard) {
            Level::Hard
        } else if holds(Level::Soft, self.soft) {
            Level::Soft
        } else {
            Level::Normal
        }
    }
}

impl Default for Marks {
    fn default() -> Self {
        Self { soft: 80, hard: 95, back: 5 }
    }
}

impl From<Marks> for Percents {
    fn from(Marks { soft, hard, back }: Marks) -> Self {
        Self { soft_percent: soft, hard_percent: hard, back_percent: back }
    }
}

impl TryFrom<Percents> for Marks {
    type Error = BadMarks;

    fn try_from(percents: Percents) -> Result<Self, BadMarks> {
        let Percents { soft_percent, hard_percent, back_percent } = percents;
        Self::new(soft_percent, hard_percent, back_percent)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn levels(before: Level, used: &[u64]) -> Vec<Level> {
        let mut level = before;
        let mut next = |used: &u64| {
            level = Marks::default().level(level, *used, 1_000);
            level
        };
        used.iter().map(&mut next).collect()
    }

    #[test]
    fn a_level_begins_at_its_mark_and_ends_below_it() {
        use Level::{Hard, Normal, Soft};
        let rising = levels(Normal, &[799, 800, 949, 950]);
        assert_eq!(rising, [Normal, Soft, Soft, Hard]);
        let falling = levels(Hard, &[900, 899, 750, 749]);
        assert_eq!(falling, [Hard, Soft, Soft, Normal]);
        assert_eq!(levels(Normal, &[810, 790, 810, 790]), [Soft; 4], "it does not come and go");
        assert_eq!(levels(Hard, &[10]), [Normal], "after a large sweep all is well at once");
    }

    #[test]
    fn a_disk_without_room_is_full() {
        assert_eq!(Marks::default().level(Level::Normal, 0, 0), Level::Hard);
        assert_eq!(Marks::default().level(Level::Normal, u64::MAX, u64::MAX), Level::Hard);
    }

    #[test]
    fn marks_that_make_no_sense_are_refused() {
        for (soft, hard, back) in [(80, 80, 5), (90, 80, 5), (80, 101, 5), (5, 80, 5), (0, 1, 0)] {
            assert_eq!(Marks::new(soft, hard, back), Err(BadMarks));
        }
        let text = r#"{"soft-percent":70,"hard-percent":60,"back-percent":1}"#;
        let error = serde_json::from_str::<Marks>(text).unwrap_err();
        assert!(error.to_string().contains("`hard-percent`"), "{error}");
        let text = serde_json::to_string(&Marks::default()).unwrap();
        assert_eq!(serde_json::from_str::<Marks>(&text).unwrap(), Marks::default());
    }

    proptest! {
        #[test]
        fn more_is_never_a_lower_level(
            before in 0_usize..3, used: u32, more: u32, total: u32, marks in (2_u8..50, 51_u8..=100),
        ) {
            let before = [Level::Normal, Level::Soft, Level::Hard][before];
            let marks = Marks::new(marks.0, marks.1, 1).unwrap();
            let (used, total) = (u64::from(used), u64::from(total));
            let level = marks.level(before, used, total);
            prop_assert!(level <= marks.level(before, used + u64::from(more), total));
            prop_assert!(level >= marks.level(Level::Normal, used, total), "never below the mark");
            prop_assert_eq!(marks.level(level, used, total), level, "it stays while nothing changes");
        }
    }
}
