//! Whether one tenant, one conversation or one flood harms the others: measured
//! with a real host, real bots and real HTTP. Each figure is a ratio of halves
//! that were measured in turn, because machines differ and are shared.

mod burner;
mod overload;
mod stage;
mod stuck;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use botyard_tests::verdict;
use clap::Parser;

/// Measures how fair the host is.
#[derive(Parser)]
struct Arguments {
    /// Only these: `stuck`, `burner`, `overload`.
    #[arg(long, value_delimiter = ',', default_value = "stuck,burner,overload")]
    only: Vec<String>,
    /// Pairs of halves.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Seconds of each half.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Webhooks a second of those who must not be harmed.
    #[arg(long, default_value_t = 100.0)]
    rate: f64,
    /// What keeps the stuck conversation busy.
    #[arg(long, value_enum, default_value = "call")]
    stuck_by: stuck::By,
}

#[tokio::main]
async fn main() -> ExitCode {
    verdict("the bench failed", run(&Arguments::parse()).await)
}

async fn run(arguments: &Arguments) -> Result<bool> {
    let wanted = |name: &str| arguments.only.iter().any(|only| only == name);
    let half = stage::Half { rate: arguments.rate, time: Duration::from_secs(arguments.seconds) };
    let mut reached = true;
    if wanted("stuck") {
        reached &= stuck::measure(arguments.pairs, half, arguments.stuck_by).await?;
    }
    if wanted("burner") {
        reached &= burner::measure(arguments.pairs, half).await?;
    }
    if wanted("overload") {
        reached &= overload::measure(half.time).await?;
    }
    Ok(reached)
}
