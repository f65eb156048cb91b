//! Everything that CI runs.

use std::env;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::budget::Budgets;
use crate::command::{Ended, within, words};
use crate::repo::Repo;
use crate::suites;

/// Runs the suites, each within its budget, and closes with a table and the
/// line `N passed, N failed`. A suite that fails does not keep the others from
/// running.
pub(crate) fn run(repo: &Repo, full: bool) -> Result<ExitCode> {
    let budgets = Budgets::read()?;
    let mut names = suites::NAMES.to_vec();
    if full {
        names.extend(suites::FULL_NAMES);
    }
    let mut rows = Vec::new();
    for name in names {
        rows.push(suite(repo, name, budgets.of(name)?)?);
    }
    print_table(&rows, Duration::from_secs_f64(budgets.total * 60.0));
    let failed = rows.iter().filter(|row| row.failure.is_some()).count();
    println!("{} passed, {failed} failed", rows.len() - failed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// How a suite went.
struct Row {
    name: &'static str,
    took: Duration,
    budget: Duration,
    failure: Option<String>,
}

fn suite(repo: &Repo, name: &'static str, budget: Duration) -> Result<Row> {
    let start = Instant::now();
    let mut failure = None;
    for mut command in suites::commands(repo, name) {
        println!("\n=== {name}: {}", words(&command));
        for_ci(&mut command);
        failure = one(name, budget, start, &mut command)?;
        if failure.is_some() {
            break;
        }
    }
    let row = Row { name, took: start.elapsed(), budget, failure };
    if let Some(why) = &row.failure {
        println!("--- {name} failed: {why}");
    }
    Ok(row)
}

/// Why a command failed, if it did.
fn one(
    name: &str,
    budget: Duration,
    start: Instant,
    command: &mut Command,
) -> Result<Option<String>> {
    let left = budget.saturating_sub(start.elapsed());
    let ended = match within(left, command) {
        Ok(ended) => ended,
        // The other suites still have something to say.
        Err(error) => return Ok(Some(format!("{error:#}"))),
    };
    Ok(match ended {
        Ended::Exited(status) if status.success() => None,
        Ended::Exited(status) => Some(format!("`{}` ended with {status}", words(command))),
        Ended::OutOfTime => Some(format!(
            "the suite `{name}` took longer than its budget of {} in host/xtask/budgets.toml",
            minutes(budget)
        )),
    })
}

/// A CI machine builds once: what only speeds up the next build costs there.
fn for_ci(command: &mut Command) {
    if env::var_os("CI").is_some() {
        command.env("CARGO_INCREMENTAL", "0");
    }
}

fn print_table(rows: &[Row], budget: Duration) {
    println!("\n{:<18} {:>8} {:>8}  result", "suite", "took", "budget");
    for row in rows {
        let result = row.failure.as_deref().unwrap_or("passed");
        println!("{:<18} {:>8} {:>8}  {result}", row.name, minutes(row.took), minutes(row.budget));
    }
    let total = rows.iter().map(|row| row.took).sum();
    println!("{:<18} {:>8} {:>8}\n", "together", minutes(total), minutes(budget));
}

fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
