//! What one bot leaves in memory no other bot may find.

use std::sync::Arc;

use botyard_hostile::build::with;
use botyard_runtime::measure::{Bench, compile_here};
use botyard_runtime::{RuntimeConfig, Tier};

use crate::host::{Host, Values, config, input, load};

/// Turns of the normal run.
const TURNS: usize = 2_000;

/// Each bot sees 2 MiB: what is zeroed in place and what is given back.
const GROW: &str = "(drop (memory.grow (i32.const 24)))";
/// Leaves the canary everywhere but in the answer.
const PLANT: &str = "(local.set $n (i32.const 4096))
    (loop (i64.store (local.get $n) (i64.const 0x6b6e6f7761626f74))
        (local.set $n (i32.add (local.get $n) (i32.const 8)))
        (br_if 0 (i32.lt_u (local.get $n) (i32.const 2097152))))";
/// Traps where the canary is found.
const SCAN: &str = "(local.set $n (i32.const 0))
    (loop (if (i64.eq (i64.load (local.get $n)) (i64.const 0x6b6e6f7761626f74))
            (then unreachable))
        (local.set $n (i32.add (local.get $n) (i32.const 8)))
        (br_if 0 (i32.lt_u (local.get $n) (i32.const 2097152))))";

/// Lets two bots take turns in the only slot that there is.
async fn alternate(turns: usize, change: impl FnOnce(&mut RuntimeConfig)) {
    let host = Host::start_with(|config| {
        config.native.slots = 1;
        change(config);
    });
    let bot = |steps: &str| with("", &format!("{GROW} {steps} (i32.const 16)"));
    let plants = load(&host.runtime, &bot(PLANT)).await.expect("loads");
    let scans = load(&host.runtime, &bot(SCAN)).await.expect("loads");
    let values = Arc::new(Values::default());
    for turn in 0..turns / 2 {
        let planted = host.run(&plants, input("plant"), values.clone()).await;
        assert!(planted.result.is_ok(), "turn {turn}: {:?}", planted.result);
        let found = host.run(&scans, input("scan"), values.clone()).await;
        assert!(found.result.is_ok(), "turn {turn} found the canary: {:?}", found.result);
    }
}

#[tokio::test]
async fn nothing_is_left_for_the_next_bot() {
    alternate(TURNS, |_| {}).await;
}

#[tokio::test]
#[ignore = "takes a quarter of an hour"]
async fn nor_in_a_million_turns() {
    alternate(1_000_000, |_| {}).await;
}

#[tokio::test]
async fn nor_where_slots_are_reset_in_another_way() {
    alternate(TURNS / 10, |config| config.features.pagemap_scan = false).await;
    alternate(TURNS / 10, |config| config.features.copy_on_write = false).await;
}

/// The same scan in an instance that is kept, which the runtime never does.
#[tokio::test]
async fn a_kept_instance_would_find_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = config(directory.path());
    let bot = with("", &format!("{GROW} {SCAN} {PLANT} (i32.const 16)"));
    let (_, artefact) = compile_here(&config, &bot).expect("compiles");
    let bench = Bench::new(&config, Tier::Native).expect("an engine");
    let bot = bench.link(&artefact).expect("links");
    let mut kept = bench.reuse(&bot).await.expect("an instance");
    kept.handle(input("first")).await.expect("it finds nothing at first");
    kept.handle(input("second")).await.expect_err("it finds its own canary");
}
