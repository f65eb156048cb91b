//! The management API, exercised by its own description.

use std::process::Command;

use anyhow::Result;

use crate::command::visible;
use crate::plugins;
use crate::repo::Repo;
use crate::setup;

/// Starts a host and asks it whatever its description allows, and what it forbids.
pub(crate) fn run(repo: &Repo, built: bool, arguments: &[String]) -> Result<()> {
    let interpreter = setup::schemathesis(repo)?;
    if !built {
        plugins::beside_host(repo)?;
    }
    let mut python = Command::new(interpreter);
    python
        // It leaves nothing in the sources.
        .args(["-B", "run.py"])
        .args(arguments)
        .current_dir(repo.root().join("tests/schemathesis"))
        .env("BOTYARD_BIN", repo.target().join("debug/botyard"))
        .env("BOTYARD_PLUGINS", repo.native_plugins());
    visible(&mut python)
}
