//! Benches, always in a release build.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

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

/// Whether one tenant, one conversation or one flood harms the others, as ratios
/// within one run.
pub(crate) fn fairness(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    plugins::build(repo, true)?;
    eprintln!("building the host with optimization; the first time it takes many minutes");
    // One build for both, so that crates that they share are built once.
    let packages = ["--package", "botyard", "--package", "botyard-tests"];
    let programs = ["--bin", "botyard", "--bin", "fairness"];
    visible(cargo(repo).args(["build", "--release"]).args(packages).args(programs))?;
    let release = repo.target().join("release");
    let mut bench = Command::new(release.join("fairness"));
    bench
        .env("BOTYARD_BIN", release.join("botyard"))
        .env("BOTYARD_PLUGINS", repo.native_plugins())
        .args(arguments);
    let status = bench.status().context("the bench cannot be started")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
