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

use crate::stage::Stage;

/// Plays strangers who mean harm.
#[derive(Parser)]
struct Arguments {
    /// Pairs of halves: the victim alone, and beside the attack.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Seconds of each half.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Webhooks a second of the victim.
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// Webhooks a second of the attack, besides its uploads.
    #[arg(long, default_value_t = 60.0)]
    attack_rate: f64,
    /// Only these attacks, by their first words: `spin`, `allocate`, `recurse`, `lines`,
    /// `result`, `log`. Default: all.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
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
    if !arguments.unguarded {
        corpus::check(&stage).await?;
    }
    let half = victim::Half {
        rate: arguments.rate,
        attack_rate: arguments.attack_rate,
        time: Duration::from_secs(arguments.seconds),
    };
    let unharmed = victim::measure(&stage, arguments.pairs, half, &arguments.only).await?;
    let log = stage.host.log();
    ensure!(!log.contains("panicked"), "the host panicked:\n{log}");
    ensure!(stage.host.runs()?, "the host ended:\n{log}");
    println!("the host is the process that it was, and did not panic");
    Ok(if arguments.unguarded { noticed(unharmed) } else { unharmed })
}

/// Without the guard, whoever finds no harm has not looked.
fn noticed(unharmed: bool) -> bool {
    let verdict = if unharmed { "NOT noticed" } else { "noticed" };
    println!("\nwithout the guard: {verdict}");
    !unharmed
}
