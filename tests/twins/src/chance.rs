//! Chance that a seed decides.
//!
//! A draw depends on the seed and on what it is drawn for, never on what was
//! drawn before: conversations that run at the same time do not disturb each
//! other's fate.

use sha2::{Digest as _, Sha256};

/// A source of draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chance {
    seed: u64,
}

impl Chance {
    /// The same seed draws the same.
    pub const fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A number of at least 0 and less than 1, for the `number`-th time that
    /// `what` is asked for `whom`.
    pub fn draw(self, what: &str, whom: &str, number: u64) -> f64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        for word in [what, whom] {
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word.as_bytes());
        }
        hash.update(number.to_le_bytes());
        let digest = hash.finalize();
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        // The 53 bits that a float holds exactly.
        (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_all_that_they_are_for_and_on_nothing_else() {
        let chance = Chance::new(7);
        let first = chance.draw("drop", "cid", 1);
        chance.draw("drop", "cid", 2);
        assert_eq!(chance.draw("drop", "cid", 1), first);
        for other in [
            Chance::new(8).draw("drop", "cid", 1),
            chance.draw("slow", "cid", 1),
            chance.draw("drop", "dic", 1),
            chance.draw("drop", "cid", 2),
            chance.draw("dropc", "id", 1),
        ] {
            assert_ne!(other, first);
        }
    }

    #[test]
    fn draws_are_spread_evenly() {
        let draws = (0..10_000).map(|n| Chance::new(1).draw("x", "y", n));
        let below = draws.filter(|draw| *draw < 0.2).count();
        assert!((1_850..=2_150).contains(&below), "{below}");
    }
}
