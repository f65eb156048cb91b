//! Strangers who mean harm, against a whole host: each upload of the corpus meets its
//! named error, somebody else's p99 stays what it is, and what they took comes back.

mod attack;
mod corpus;
mod stage;
mod victim;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use botyard_tests::verdict;
use clap::Parser;

use crate::attack::{Attack, Word};
use crate::stage::Stage;

/// Plays strangers who mean harm.
#[derive(Parser)]
struct Arguments {
    /// Pairs of halves: the victim alone, and beside the attack. Memory is compared between
    /// them, so there are two at least.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(2..))]
    pairs: u32,
    /// Seconds of each half.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Webhooks a second of the victim.
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// Webhooks a second of the attack, besides its uploads: half of them break a rule,
    /// the others do no harm, so that no breaker takes their bots out of the way.
    #[arg(long, default_value_t = 60.0)]
    attack_rate: f64,
    /// Only these attacks. Default: all.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Word>,
    /// Takes the guard away that keeps an attack from the victim: bots get 2 s of CPU
    /// time for a turn. The victim must then notice.
    #[arg(long)]
    unguarded: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    verdict("hostile", run(&Arguments::parse()).await)
}

async fn run(arguments: &Arguments) -> Result<bool> {
    let mut stage = Stage::set(arguments.unguarded).await?;
    let half = victim::Half {
        rate: arguments.rate,
        attack_rate: arguments.attack_rate,
        time: Duration::from_secs(arguments.seconds),
    };
    // Before any bot of a stranger has run.
    let at_rest = stage.host.memory("RssAnon")?;
    if !arguments.unguarded {
        corpus::check(&stage).await?;
    }
    let attack = Attack::prepare(&stage, &arguments.only).await?;
    let seen = victim::measure(&stage, &attack, arguments.pairs, half).await?;
    let returned = victim::returned(at_rest, &seen.memory);
    let log = stage.host.log();
    ensure!(!log.contains("panicked"), "the host panicked:\n{log}");
    ensure!(stage.host.runs()?, "the host ended:\n{log}");
    println!("the host is the process that it was, and did not panic");
    Ok(if arguments.unguarded { noticed(seen.unharmed) } else { seen.unharmed & returned })
}

/// Without the guard, whoever finds no harm has not looked.
fn noticed(unharmed: bool) -> bool {
    let verdict = if unharmed { "NOT noticed" } else { "noticed" };
    println!("\nwithout the guard: {verdict}");
    !unharmed
}
