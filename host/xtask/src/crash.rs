//! The crash test: a host with failpoints, built apart from the ordinary one.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::command::{cargo, visible};
use crate::plugins;
use crate::repo::Repo;
use crate::setup;

/// Builds what is needed, unless it is `built`, and hands over to the `crash` program.
pub(crate) fn run(repo: &Repo, built: bool, arguments: &[String]) -> Result<ExitCode> {
    if !built {
        build(repo)?;
    }
    let mut crash = Command::new(repo.target().join("release/crash"));
    crash
        .env("BOTYARD_CRASH_BIN", repo.target().join("release/botyard-crash"))
        .env("BOTYARD_PLUGINS", repo.native_plugins())
        .args(arguments);
    let status = crash.status().context("the crash test is not built: leave out --built")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build(repo: &Repo) -> Result<()> {
    setup::rust_targets(repo)?;
    plugins::native(repo, &["botyard-plugin-tally".to_owned()])?;
    eprintln!("building the host with optimization; the first time it takes many minutes");
    // One after the other: together they would have other features, and the
    // compiler of bots would be built twice.
    let host = "build --release --package botyard --bin botyard-crash --features broken,failpoints";
    visible(cargo(repo).args(host.split(' ')))?;
    visible(cargo(repo).args("build --release --package botyard-tests --bin crash".split(' ')))
}
