//! Benches, always in a release build.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::command::{cargo, visible};
use crate::plugins;
use crate::repo::Repo;
use crate::setup;

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

/// The same bot on other frameworks and on the host, under the same faults.
pub(crate) fn peers(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    let folder = repo.root().join("tests/peers");
    setup::npm(repo, &folder, "the other frameworks")?;
    setup::rust_targets(repo)?;
    plugins::native(repo, &["botyard-plugin-puppet".to_owned()])?;
    eprintln!("building the host with optimization; the first time it takes many minutes");
    visible(cargo(repo).args(["build", "--release", "--package", "botyard"]))?;
    eprintln!("playing the scenarios; it takes some minutes");
    let mut node = Command::new("node");
    node.arg(folder.join("run.js"))
        .arg("--botyard")
        .arg(repo.target().join("release/botyard"))
        .arg("--puppet")
        .arg(repo.native_plugins().join("botyard_plugin_puppet.wasm"))
        .args(arguments);
    visible(&mut node)?;
    Ok(ExitCode::SUCCESS)
}

/// A program of the tests that measures a host from outside, by its name.
pub(crate) fn outside(repo: &Repo, program: &str, arguments: &[String]) -> Result<ExitCode> {
    plugins::build(repo, true)?;
    eprintln!("building the host with optimization; the first time it takes many minutes");
    // One after the other: together they would have other features, and the
    // compiler of bots would be built twice.
    visible(cargo(repo).args("build --release --package botyard".split(' ')))?;
    let bench = "build --release --package botyard-tests --bin";
    visible(cargo(repo).args(bench.split(' ')).arg(program))?;
    let release = repo.target().join("release");
    let mut bench = Command::new(release.join(program));
    bench
        .env("BOTYARD_BIN", release.join("botyard"))
        .env("BOTYARD_PLUGINS", repo.native_plugins())
        .args(arguments);
    let status = bench.status().context("the bench cannot be started")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A store in which very many conversations wait, or sleep, under a host.
pub(crate) fn store(repo: &Repo, idle: bool, arguments: &[String]) -> Result<ExitCode> {
    setup::rust_targets(repo)?;
    plugins::native(repo, &["botyard-plugin-echo".to_owned()])?;
    eprintln!("building the host with optimization; the first time it takes many minutes");
    visible(cargo(repo).args(["build", "--release", "--package", "botyard"]))?;
    let mut bench = cargo(repo);
    bench
        .args(["run", "--release", "--package", "botyard-store", "--example", "bench_recovery"])
        .arg("--")
        .arg("--host")
        .arg(repo.target().join("release/botyard"))
        .arg("--bot")
        .arg(repo.native_plugins().join("botyard_plugin_echo.wasm"))
        .args(idle.then_some("--idle"))
        .args(arguments);
    visible(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
