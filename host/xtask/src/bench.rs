//! Benches, always in a release build.

use std::process::ExitCode;

use anyhow::Result;

use crate::command::{cargo, visible};
use crate::plugins;
use crate::repo::Repo;

/// What a turn costs, as ratios within one run.
pub(crate) fn turn(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    plugins::build(repo, false)?;
    eprintln!("building the runtime with optimization; the first time it takes many minutes");
    let mut bench = cargo(repo);
    bench
        .args(["run", "--release", "--package", "botyard-runtime", "--example", "bench_turn"])
        .arg("--")
        .arg("--plugins")
        .arg(repo.native_plugins())
        .arg("--js")
        .arg(plugins::interpreted_path(repo, "echo-js"))
        .arg("--py")
        .arg(plugins::interpreted_path(repo, "echo-py"))
        .args(arguments);
    visible(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
