//! A deterministic simulation of the whole path: vendors' real bytes in, lanes of
//! many conversations, bots, a store, deliveries, timers, and vendors that judge
//! what they get. Every step between them may be late or lost, and the host may
//! die between any two. What must hold afterwards is read from the logs and from
//! what the vendors saw.
//!
//! A run is named by its seed: the same seed gives the same run, to the last step.

mod asks;
mod bot;
mod calls;
mod chance;
mod check;
mod crash;
mod desk;
mod external;
mod host;
mod offers;
mod people;
mod rest;
mod rides;
mod run;
pub mod runs;
mod shown;
mod site;
mod store;
mod vendors;
mod webhook;
mod world;

use std::collections::BTreeMap;

use botyard_kernel::stored;
use botyard_kernel::time::Millis;

use world::World;

/// What a run came to in which every promise was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lived {
    /// The sum of everything that happened and of all that was written: the same
    /// for the same seed.
    pub trace: u64,
    /// How many steps it took.
    pub steps: usize,
    /// How much time passed in it, in milliseconds.
    pub passed_ms: Millis,
    /// How often the host died.
    pub crashes: u32,
    /// What was done with each vendor that had a conversation.
    pub vendors: BTreeMap<&'static str, Done>,
}

/// What was done with a vendor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Committed turns.
    pub turns: usize,
    /// Parts that the vendor got in answers of its webhooks.
    pub answered: usize,
    /// Parts that it got by calls.
    pub called: usize,
    /// How often it heard that an event was taken, or what followed from a delivery.
    pub heard: usize,
    /// Parts of those in answers that no call could have carried.
    pub rode: usize,
    /// Parts that no call carries and that missed their answer: calls brought others.
    pub missed: usize,
}

/// The names of all vendors that have conversations here.
pub fn vendors() -> impl Iterator<Item = &'static str> {
    vendors::names()
}

/// Which broken promises say something of this vendor. Where external bots are played with,
/// others are, too, whose promises are not theirs.
pub fn counted_with(vendor: &str) -> fn(&str) -> bool {
    if vendor == external::NAME { external::is_of_external } else { |_| true }
}

/// Lives through one run, with all vendors or with `only` this one. `told` prints its
/// story.
///
/// # Panics
/// When a promise was broken; the message says which.
pub fn live(seed: u64, only: Option<&str>, told: bool) -> Lived {
    let mut world = World::new(seed, only, told);
    let steps = world.live() + world.come_to_rest();
    world.check();
    let mut trace = world.story.sum;
    for (_, entry) in world.logs.iter().flat_map(botyard_log::Log::entries) {
        trace = chance::add(trace, stored::encode(entry).as_ref());
    }
    let (passed_ms, crashes, vendors) = (world.passed(), world.crashes, world.done());
    Lived { trace, steps, passed_ms, crashes, vendors }
}
