//! The simulation itself: that a seed names one run, and the runs that once found
//! something.

use std::collections::BTreeMap;
use std::process::Command;

use botyard_sim::Lived;
use botyard_sim::runs::try_live;

/// Seeds that once broke a promise, one a line, each with a sentence.
const SEEDS: &str = include_str!("../seeds.txt");
/// So many seeds are compared.
const COMPARED: u64 = 8;
/// Tells the test of traces that it is the second process.
const SECOND: &str = "BOTYARD_SIM_SECOND";

/// A run with all vendors.
fn any(seed: u64) -> Result<Lived, String> {
    try_live(seed, None)
}

#[test]
fn seeds_that_once_broke_a_promise_keep_it() {
    for line in SEEDS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (seed, story) = line.split_once(' ').expect("a seed, a blank, a sentence");
        let seed = seed.parse().expect("a seed is a number");
        let lived = any(seed);
        assert!(lived.is_ok(), "seed {seed} ({story}): {lived:?}");
    }
}

#[test]
fn a_seed_names_one_run() {
    let traces = || -> Vec<_> { (0..COMPARED).map(any).collect() };
    let first = traces();
    assert!(first.iter().all(Result::is_ok), "{first:?}");
    assert_eq!(first, traces(), "the same seeds gave other runs");
    let one = first[0].as_ref().map(|lived| lived.trace);
    let different = first[1..].iter().all(|it| it.as_ref().map(|lived| lived.trace) != one);
    assert!(different, "other seeds gave the same run");
}

#[test]
fn every_vendor_has_its_part_in_four_hundred_runs() {
    // Turns, parts in answers, parts by calls, what was heard besides, and of what only
    // answers carry what did and what missed them.
    let wanted = [
        ("userlike", [1, 1, 1, 0, 0, 0]),
        ("batch", [1, 1, 1, 1, 0, 0]),
        ("khoros", [1, 0, 1, 1, 0, 0]),
        ("messenger", [1, 0, 1, 0, 0, 0]),
        ("lexer", [1, 0, 1, 1, 0, 0]),
        ("myalice", [1, 1, 1, 0, 1, 1]),
        ("instabot", [1, 1, 1, 0, 0, 0]),
        ("external", [1, 0, 1, 1, 0, 0]),
    ];
    let mut seen: BTreeMap<&str, [u64; 6]> = BTreeMap::new();
    for lived in (0..400).map(any) {
        for (vendor, done) in lived.expect("it kept its promises").vendors {
            let sums = seen.entry(vendor).or_default();
            let parts =
                [done.turns, done.answered, done.called, done.heard, done.rode, done.missed];
            for (sum, part) in sums.iter_mut().zip(parts) {
                *sum += u64::from(part > 0);
            }
        }
    }
    let names: Vec<_> = wanted.iter().map(|(name, _)| *name).collect();
    assert!(seen.keys().all(|vendor| names.contains(vendor)), "{seen:?}");
    for (vendor, wanted) in wanted {
        let sums = seen.get(vendor).copied().unwrap_or_default();
        for (sum, wanted) in sums.into_iter().zip(wanted) {
            // Often enough that a run of a thousand seeds would miss nothing of it.
            let enough = if wanted == 0 { sum == 0 } else { sum >= 10 };
            assert!(enough, "{vendor} has done {sums:?}");
        }
    }
}

#[test]
fn a_seed_names_one_run_in_every_process() {
    let traces: Vec<_> = (0..COMPARED).map(any).collect();
    let told = format!("traces: {traces:?}");
    if std::env::var_os(SECOND).is_some() {
        println!("{told}");
        return;
    }
    let output = Command::new(std::env::current_exe().expect("this program has a path"))
        .args(["--exact", "a_seed_names_one_run_in_every_process", "--nocapture"])
        .env(SECOND, "1")
        .output()
        .expect("this program starts again");
    let second = String::from_utf8_lossy(&output.stdout);
    assert!(second.contains(&told), "another process gave other runs:\n{second}");
}
