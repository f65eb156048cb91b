//! Tests of the tests: five ways to break a promise on purpose.
//!
//! The crash test and the simulation must fail when one of them is switched on;
//! otherwise they would prove nothing. Only builds with the feature `broken` have
//! the switch, and it is off until `set` is called. In all other builds `is`
//! is always false, so that nothing of this is left in the program.

/// A promise that is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// What came before is not recognized by the key of its event.
    Dedupe,
    /// Nor by its words, where the vendor's events have no keys.
    Redelivery,
    /// The second of two waiting events has its turn first.
    Order,
    /// What was delivered since the last turn is not taken off after a reload.
    Settle,
    /// A request is answered when its fused turn was asked for, not when it is stored.
    Fuse,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Dedupe, Self::Redelivery, Self::Order, Self::Settle, Self::Fuse];

    /// The name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dedupe => "dedupe",
            Self::Redelivery => "redelivery",
            Self::Order => "order",
            Self::Settle => "settle",
            Self::Fuse => "fuse",
        }
    }

    /// The mutation of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mutation| mutation.name() == name)
    }
}

#[cfg(feature = "broken")]
mod switch {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Mutation;

    const NONE: u8 = u8::MAX;
    static SWITCH: AtomicU8 = AtomicU8::new(NONE);

    /// Breaks one promise in this whole process, or none any more.
    pub fn set(mutation: Option<Mutation>) {
        SWITCH.store(mutation.map_or(NONE, |mutation| mutation as u8), Ordering::Relaxed);
    }

    pub(crate) fn is(mutation: Mutation) -> bool {
        SWITCH.load(Ordering::Relaxed) == mutation as u8
    }
}

#[cfg(feature = "broken")]
pub(crate) use switch::is;
#[cfg(feature = "broken")]
pub use switch::set;

/// Whether this promise is broken: never, in a build without the switch.
#[cfg(not(feature = "broken"))]
pub(crate) const fn is(_: Mutation) -> bool {
    false
}
