//! The simulation of the whole path: seeds in, broken promises out.

use std::process::ExitCode;

use anyhow::Result;

use crate::command::{cargo, visible};
use crate::repo::Repo;

/// Builds the simulation, with its switch for breaking promises on purpose, and
/// hands over to it.
pub(crate) fn run(repo: &Repo, arguments: &[String]) -> Result<ExitCode> {
    let mut sim = cargo(repo);
    sim.args(["run", "--quiet", "--profile", "sim", "--package", "botyard-sim"])
        .args(["--features", "broken", "--"])
        .args(arguments);
    visible(&mut sim)?;
    Ok(ExitCode::SUCCESS)
}
