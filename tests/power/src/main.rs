//! Cuts the power of a store as often as one has patience for.

use std::process::ExitCode;

use botyard_power::points::round;
use botyard_power::workload::Commits;
use clap::Parser;

/// Points of one workload; the next seed makes another one.
const ROUND: usize = 2_500;

/// Cuts the power under the real store and looks for what was acknowledged.
#[derive(Parser)]
struct Arguments {
    /// How many crash points to check.
    #[arg(long, default_value_t = 10_000)]
    points: usize,
    /// The seed of the first workload.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Do not flush commits (`synchronous=NORMAL`): this must lose something.
    #[arg(long)]
    weak: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let commits = if arguments.weak { Commits::Weak } else { Commits::Durable };
    let (mut checked, mut failed, mut flushes) = (0, 0, 0);
    for seed in arguments.seed.. {
        let points = ROUND.min(arguments.points - checked);
        let report = round(seed, points, commits)?;
        checked += report.points;
        failed += report.failed;
        flushes += report.flushes;
        for failure in &report.failures {
            println!("seed {} point {}: {}", failure.seed, failure.point, failure.what);
            if let Some(image) = &failure.image {
                println!("  what the disk held is kept in {}", image.display());
            }
        }
        if checked >= arguments.points {
            break;
        }
        println!("{checked} of {} points, {failed} lost something", arguments.points);
    }
    println!("{checked} crash points around {flushes} flushes, {failed} lost something");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
