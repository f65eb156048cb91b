//! How long steps take, and the sum of everything that was told.

use botyard_chance::{Chance, mix};
use botyard_kernel::time::Millis;

/// The chance of a seed.
pub(crate) fn of_seed(seed: u64) -> Chance {
    Chance::new(mix(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d))
}

/// How long a step takes: mostly next to nothing, sometimes long, up to `most`.
pub(crate) fn pause(chance: &mut Chance, most: Millis) -> Millis {
    let bound = match chance.below(100) {
        0..=69 => 4,
        70..=92 => 60,
        _ => most,
    };
    chance.below(bound.min(most) + 1)
}

/// Adds bytes to a sum (FNV-1a): for telling runs apart, not for secrets.
pub(crate) fn add(sum: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(sum, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The sum of nothing.
pub(crate) const NOTHING: u64 = 0xcbf2_9ce4_8422_2325;
