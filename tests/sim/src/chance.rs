//! Chance that a seed repeats, and the sum of everything that was told.

use botyard_kernel::time::Millis;

/// A source of chance: the same seed gives the same numbers.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d))
    }

    /// Any number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    pub(crate) fn percent(&mut self, likely: u64) -> bool {
        self.below(100) < likely
    }

    /// The place of one of so many.
    pub(crate) fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).unwrap_or_default()
    }

    /// How long a step takes: mostly next to nothing, sometimes long, up to `most`.
    pub(crate) fn pause(&mut self, most: Millis) -> Millis {
        let bound = match self.below(100) {
            0..=69 => 4,
            70..=92 => 60,
            _ => most,
        };
        self.below(bound.min(most) + 1)
    }
}

pub(crate) fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Adds bytes to a sum (FNV-1a): for telling runs apart, not for secrets.
pub(crate) fn add(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The sum of nothing.
pub(crate) const NOTHING: u64 = 0xcbf2_9ce4_8422_2325;
