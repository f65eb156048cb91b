//! `cargo xtask sim`.

use std::process::ExitCode;
use std::time::Instant;

use botyard_sim::runs::{self, Search, Tally};
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
    /// Only with this vendor.
    #[arg(long)]
    vendor: Option<String>,
    /// Break a promise on purpose and see that it is noticed with each vendor: dedupe,
    /// redelivery, order, settle, fuse, or all of them, one after the other.
    #[arg(long)]
    broken: Option<String>,
}

/// After so many broken seeds it is clear that something is wrong.
const BROKEN_MAX: usize = 10;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(vendor) = &arguments.vendor
        && !botyard_sim::vendors().any(|known| known == vendor)
    {
        let known: Vec<_> = botyard_sim::vendors().collect();
        eprintln!("error: there is no vendor `{vendor}`: {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    match &arguments.broken {
        Some(broken) => mutations::run(broken, &arguments),
        None => plain(&arguments),
    }
}

fn plain(arguments: &Arguments) -> ExitCode {
    if let Some(seed) = arguments.seed {
        let lived = botyard_sim::live(seed, arguments.vendor.as_deref(), true);
        println!("{lived:?}");
        return ExitCode::SUCCESS;
    }
    let tally = many(arguments);
    if tally.broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn many(arguments: &Arguments) -> Tally {
    let start = Instant::now();
    let Arguments { from, seeds, .. } = *arguments;
    let search = Search {
        seeds: from..from + seeds,
        only: arguments.vendor.as_deref(),
        broken_max: BROKEN_MAX,
        counts: |_| true,
    };
    let tally = runs::many(&search, |tally| {
        let broken: Vec<_> = tally.broken.iter().map(|(seed, _)| seed).collect();
        eprintln!("{} of {seeds} seeds, broken: {broken:?}", tally.runs);
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
    use botyard_sim::runs::{self, Search};

    use super::Arguments;

    /// Every mutation must be noticed within so many seeds, with each vendor where it
    /// breaks anything.
    pub(super) fn run(named: &str, arguments: &Arguments) -> ExitCode {
        let chosen = match (named, Mutation::named(named)) {
            ("all", _) => Mutation::ALL.to_vec(),
            (_, Some(one)) => vec![one],
            (_, None) => {
                let names: Vec<_> = Mutation::ALL.iter().map(|one| one.name()).collect();
                let names = names.join(", ");
                eprintln!("error: there is no mutation `{named}`: {names}, all");
                return ExitCode::FAILURE;
            }
        };
        let asked_for = |vendor: &&str| arguments.vendor.as_ref().is_none_or(|only| only == vendor);
        let mut missed = false;
        for mutation in chosen {
            broken::set(Some(mutation));
            for vendor in botyard_sim::vendors().filter(asked_for) {
                missed |= breaks(mutation, vendor) && !is_noticed(mutation, vendor, arguments);
            }
            broken::set(None);
        }
        if missed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    /// Whether there is anything to break. Most vendors' events have ids, by which they are
    /// known, and not by their words; what external bots post has none. And whatever comes
    /// from these is accepted before its turn, so that it is answered by itself.
    fn breaks(mutation: Mutation, vendor: &str) -> bool {
        let known_by_words = ["userlike", "myalice", "instabot", "external"];
        match mutation {
            Mutation::Redelivery => known_by_words.contains(&vendor),
            Mutation::Fuse => vendor != "external",
            Mutation::Dedupe | Mutation::Order | Mutation::Settle => true,
        }
    }

    fn is_noticed(mutation: Mutation, vendor: &str, arguments: &Arguments) -> bool {
        if let Some(seed) = arguments.seed {
            botyard_sim::live(seed, Some(vendor), true);
        }
        let seeds = arguments.from..arguments.from + arguments.seeds;
        let counts = botyard_sim::counted_with(vendor);
        let tally =
            runs::many(&Search { seeds, only: Some(vendor), broken_max: 1, counts }, |_| {});
        let (name, runs) = (mutation.name(), tally.runs);
        match tally.broken.first() {
            Some((seed, why)) => {
                println!("{name} with {vendor}: noticed after {runs} seeds, by {seed}: {why}");
            }
            None => println!("{name} with {vendor}: NOT noticed in {runs} seeds"),
        }
        !tally.broken.is_empty()
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
