//! A conversation lived through by chance: a lane, a log with the store's rules,
//! a bot and a vendor, where every step between them may be late, lost or cut
//! off by a crash. What must hold afterwards is read from the log and from what
//! the vendor saw.
//!
//! One lane, built within seconds: here stories are told step by step, and a rule of
//! the lane is tried out. The whole path with many conversations, vendors' bytes,
//! permits and sleeping lanes is simulated in `tests/sim`.
//!
//! A run is named by its seed: `SEED=17 cargo test -p botyard-kernel --test
//! simulation -- --nocapture` tells the story of one.

mod acknowledge;
mod bot;
mod call_stories;
mod calls;
mod check;
mod claims;
mod deployments;
mod desk;
mod failures;
mod jobs;
mod limits;
mod overlap;
mod pause;
mod quiet;
mod relay;
mod returns;
mod routes;
mod scenarios;
mod timeout;
mod vendor;
mod world;

use world::World;

const RUNS: u64 = 2_000;

#[test]
fn every_promise_holds_whatever_happens_in_between() {
    if let Ok(seed) = std::env::var("SEED") {
        let seed = seed.parse().expect("SEED is a number");
        live(seed, true);
        return;
    }
    let mut broken = Vec::new();
    for seed in 0..RUNS {
        if let Err(why) = std::panic::catch_unwind(|| live(seed, false)) {
            let text = why.downcast_ref::<String>().cloned().unwrap_or_default();
            broken.push((seed, text.lines().next().unwrap_or_default().to_owned()));
        }
    }
    let first = &broken[..broken.len().min(10)];
    assert!(broken.is_empty(), "{} seeds broke a promise: {first:#?}", broken.len());
}

fn live(seed: u64, told: bool) {
    let mut world = World::new(seed, told);
    world.live();
    world.come_to_rest();
    world.check();
}
