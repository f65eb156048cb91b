//! Many tenants' bots on one host: how fast they answer, how fast one answers that nobody
//! has spoken to, and what those cost that nobody speaks to.

mod crowd;
mod figures;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use botyard_tests::verdict;
use clap::Parser;

use crate::stage::Stage;

/// Measures a host with very many bots.
#[derive(Parser)]
struct Arguments {
    /// Tenants, each with a bot of a component of its own and bots that share theirs.
    #[arg(long, default_value_t = 1_000)]
    tenants: usize,
    /// Bots of each tenant.
    #[arg(long, default_value_t = 10)]
    bots: usize,
    /// Rounds, each with every kind of traffic in turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of each kind in each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Bots that are spoken to for the first time since a start.
    #[arg(long, default_value_t = 300)]
    cold: usize,
    /// Chance of the traffic.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the host keeps its store; what is there is used again, as setting so many
    /// bots up takes many minutes. Default: a directory that goes at the end.
    #[arg(long)]
    directory: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    verdict("the bench failed", run(&Arguments::parse()).await)
}

async fn run(arguments: &Arguments) -> Result<bool> {
    let temporary = tempfile::Builder::new().prefix("botyard-density-").tempdir()?;
    let directory = arguments.directory.as_deref().unwrap_or_else(|| temporary.path());
    let population = stage::Population { tenants: arguments.tenants, bots: arguments.bots };
    figures::machine()?;
    let empty = figures::empty(&temporary.path().join("empty")).await?;
    let stage = Stage::set(directory, population).await?;
    let stage = figures::idle(stage, empty).await?;
    let stage = figures::cold(stage, arguments.cold, arguments.seed).await?;
    let time = Duration::from_secs(arguments.seconds);
    crowd::measure(&stage, arguments.rounds, time, arguments.seed).await
}
