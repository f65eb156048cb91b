//! Chance that a seed repeats, for tests that play by chance and can be played again.

/// A sequence of numbers that look random (`SplitMix64`): the same on every machine.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of a seed. Neighbouring seeds have sequences that overlap.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The sequence of a seed, far from those of its neighbours.
    pub fn scattered(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A sequence of its own for one of several that share a seed.
    pub fn of(seed: u64, number: u64) -> Self {
        Self::new(Self::new(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95)).number())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`, and 0 below 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// From `least` to `most`, both included.
    pub fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.number() % (most - least + 1)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// The place of one of so many.
    pub fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).expect("it is below a usize")
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.pick(last + 1);
            list.swap(last, other);
        }
    }
}

/// Spreads what is in a number over all its bits.
pub fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_sequence_and_another_one_another() {
        let draw = |mut chance: Chance| (0..8).map(|_| chance.number()).collect::<Vec<_>>();
        assert_eq!(draw(Chance::of(1, 2)), draw(Chance::of(1, 2)));
        assert_ne!(draw(Chance::of(1, 2)), draw(Chance::of(1, 3)));
        assert_ne!(draw(Chance::of(1, 2)), draw(Chance::of(2, 2)));
    }
}
