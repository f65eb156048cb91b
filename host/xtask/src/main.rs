//! `cargo xtask`: set-up, plugins, tests, demo and benches of this repository.
//!
//! Every command does its own set-up, so that a fresh clone needs nothing but
//! Rust, Node and Python. This crate stays free of the host's dependencies: it
//! has to build in seconds.

mod bench;
mod budget;
mod command;
mod console;
mod crash;
mod demo;
mod deny;
mod files;
mod plugins;
mod repo;
mod schemathesis;
mod setup;
mod sim;
mod stamp;
mod suites;
mod template;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repo::Repo;

fn main() -> ExitCode {
    let outcome = Repo::find().and_then(|repo| run(&repo, Arguments::parse().command));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(repo: &Repo, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Setup => setup::everything(repo)?,
        Command::Plugins { native_only } => plugins::build(repo, native_only)?,
        Command::Deny => deny::check(repo)?,
        Command::Template => template::check(repo)?,
        Command::Test { full } => return test::run(repo, full),
        Command::Console { built } => console::run(repo, built)?,
        Command::Schemathesis { built, arguments } => {
            schemathesis::run(repo, built, &arguments)?;
        }
        Command::Demo { once, built } => return demo::run(repo, once, built),
        Command::Sim { arguments } => return sim::run(repo, &arguments),
        Command::Crash { built, arguments } => return crash::run(repo, built, &arguments),
        Command::Hostile { arguments } => return bench::outside(repo, "hostile", &arguments),
        Command::Bench { bench: Bench::Turn { arguments } } => {
            return bench::turn(repo, &arguments);
        }
        Command::Bench { bench: Bench::Peers { arguments } } => {
            return bench::peers(repo, &arguments);
        }
        Command::Bench { bench: Bench::Fairness { arguments } } => {
            return bench::outside(repo, "fairness", &arguments);
        }
        Command::Bench { bench: Bench::Live { arguments } } => {
            return bench::outside(repo, "live", &arguments);
        }
        Command::Bench { bench: Bench::Density { arguments } } => {
            return bench::outside(repo, "density", &arguments);
        }
        Command::Bench { bench: Bench::Recovery { arguments } } => {
            return bench::store(repo, false, &arguments);
        }
        Command::Bench { bench: Bench::Idle { arguments } } => {
            return bench::store(repo, true, &arguments);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what the other commands need: compile targets, the JavaScript and
    /// Python toolchains for bots, cargo-deny.
    Setup,
    /// Build the example bots for wasm32-wasip2.
    Plugins {
        /// Only the Rust ones: needs neither Node nor Python.
        #[arg(long)]
        native_only: bool,
    },
    /// Check the dependencies against deny.toml: who may use what, licences, sources.
    Deny,
    /// Copy the template for new bots out of the repository, test and build it.
    Template,
    /// Run everything that CI runs.
    Test {
        /// Add the long suites.
        #[arg(long)]
        full: bool,
    },
    /// Use the host's web page in a headless browser, against a real host.
    Console {
        /// Take the host and the bots as they were built last.
        #[arg(long)]
        built: bool,
    },
    /// Ask a real host whatever its description allows, and what it forbids: as the
    /// operator, as a tenant's administrator and as nobody.
    Schemathesis {
        /// Take the host and the bots as they were built last.
        #[arg(long)]
        built: bool,
        /// Handed on: `--seed N`, `--examples N`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Start a host with two bots and play two conversations against it.
    Demo {
        /// Exit afterwards, with 0 or 1, instead of serving on.
        #[arg(long)]
        once: bool,
        /// Take the host and the bots as they were built last.
        #[arg(long)]
        built: bool,
    },
    /// Simulate the whole path, seed by seed: `--seeds N`, `--from S`, `--seed S` for
    /// the story of one, `--broken all` to see that broken promises are noticed.
    Sim {
        /// Handed to the simulation as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Kill a host under load, at random moments and at every named point, and check
    /// that nothing was lost, doubled or reordered.
    Crash {
        /// Take the host and the bot as they were built last.
        #[arg(long)]
        built: bool,
        /// Handed on: `--kills N`, `--deliveries N`, `--seed N`, `--broken NAME|all`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Play strangers who mean harm: hostile uploads and bots against a release build,
    /// beside somebody who does no harm.
    Hostile {
        /// Handed on: `--pairs N`, `--seconds N`, `--rate N`, `--attack-rate N`,
        /// `--only WORD,...`, `--unguarded`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measure.
    Bench {
        #[command(subcommand)]
        bench: Bench,
    },
}

#[derive(Subcommand)]
enum Bench {
    /// What a turn costs: fresh and reused instances, the safety features, the tiers.
    Turn {
        /// Handed to the bench as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The same bot on grammY, botbuilder, chat and Botyard under the same faults.
    Peers {
        /// Handed to `tests/peers/run.js` as they are; a later one counts.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Whether one tenant, one conversation or one flood harms the others.
    Fairness {
        /// Handed to the bench as they are.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// From the upload of a bot of 1 MiB until a person has its answer.
    Live {
        /// Handed to the bench as they are: `--component FILE`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// 10,000 bots of 1,000 tenants on one host: their rate, the first answer of one, the
    /// memory of those that nobody speaks to. Setting them up takes many minutes.
    Density {
        /// Handed to the bench as they are: `--directory DIR` keeps what was set up.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// A start on a store in which a million events and deliveries wait: when the
    /// host is ready, when the first call leaves, how many follow. As root it drops
    /// the page cache.
    Recovery {
        /// Handed to the bench as they are: `--count 1000000`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// The memory of a million conversations in which nothing happens.
    Idle {
        /// Handed to the bench as they are: `--count 1000000`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}
