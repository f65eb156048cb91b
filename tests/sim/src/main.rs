//! `cargo xtask sim`.

use std::process::ExitCode;
use std::time::Instant;

use botyard_sim::runs::{self, Tally};
use clap::Parser;

/// Simulates the whole path, seed by seed.
#[derive(Parser)]
#[command(name = "cargo xtask sim")]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Tell the story of this one instead.
    #[arg(long)]
    seed: Option<u64>,
    /// Break a promise on purpose and see that it is noticed: dedupe, order, settle,
    /// fuse, or all of them, one after the other.
    #[arg(long)]
    broken: Option<String>,
}

/// After so many broken seeds it is clear that something is wrong.
const BROKEN_MAX: usize = 10;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match &arguments.broken {
        Some(broken) => mutations::run(broken, &arguments),
        None => plain(&arguments),
    }
}

fn plain(arguments: &Arguments) -> ExitCode {
    if let Some(seed) = arguments.seed {
        let lived = botyard_sim::live(seed, true);
        println!("{lived:?}");
        return ExitCode::SUCCESS;
    }
    let tally = many(arguments.from, arguments.seeds);
    if tally.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn many(from: u64, seeds: u64) -> Tally {
    let start = Instant::now();
    let tally = runs::many(from, seeds, BROKEN_MAX, |tally| {
        eprintln!("{} of {seeds} seeds, {} broken", tally.runs, tally.broken.len());
    });
    for (seed, why) in &tally.broken {
        println!("seed {seed} broke a promise: {why}");
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} seeds from {from} in {seconds:.1} s ({:.0} a second): {} steps, {:.1} hours of \
         simulated time, {} crashes, trace {:016x}; {} broken",
        tally.runs,
        tally.runs as f64 / seconds,
        tally.steps,
        tally.passed_ms as f64 / 3_600_000.0,
        tally.crashes,
        tally.trace,
        tally.broken.len()
    );
    tally
}

#[cfg(feature = "broken")]
mod mutations {
    use std::process::ExitCode;

    use botyard_kernel::broken::{self, Mutation};
    use botyard_sim::runs;

    use super::Arguments;

    /// Every mutation must be noticed within so many seeds.
    pub(super) fn run(named: &str, arguments: &Arguments) -> ExitCode {
        let chosen = match (named, Mutation::named(named)) {
            ("all", _) => Mutation::ALL.to_vec(),
            (_, Some(one)) => vec![one],
            (_, None) => {
                eprintln!(
                    "error: there is no mutation `{named}`: dedupe, order, settle, fuse, all"
                );
                return ExitCode::FAILURE;
            }
        };
        let mut missed = false;
        for mutation in chosen {
            broken::set(Some(mutation));
            if let Some(seed) = arguments.seed {
                botyard_sim::live(seed, true);
            }
            let tally = runs::many(arguments.from, arguments.seeds, 1, |_| {});
            broken::set(None);
            missed |= tally.broken.is_empty();
            match tally.broken.first() {
                Some((seed, why)) => {
                    let runs = tally.runs;
                    println!("{}: noticed after {runs} seeds, by {seed}: {why}", mutation.name());
                }
                None => println!("{}: NOT noticed in {} seeds", mutation.name(), tally.runs),
            }
        }
        if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

#[cfg(not(feature = "broken"))]
mod mutations {
    use std::process::ExitCode;

    use super::Arguments;

    pub(super) fn run(_: &str, _: &Arguments) -> ExitCode {
        eprintln!(
            "error: `--broken` needs a build with `--features broken`: use `cargo xtask sim`"
        );
        ExitCode::FAILURE
    }
}
