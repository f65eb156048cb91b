//! The management API, exercised by its own description.

use std::process::Command;

use anyhow::Result;

use crate::command::{cargo, visible};
use crate::plugins;
use crate::repo::Repo;
use crate::setup;

/// Starts a host and asks it whatever its description allows, and what it forbids.
pub(crate) fn run(repo: &Repo, built: bool, arguments: &[String]) -> Result<()> {
    let interpreter = setup::schemathesis(repo)?;
    if !built {
        setup::rust_targets(repo)?;
        plugins::native(
            repo,
            &["botyard-plugin-echo", "botyard-plugin-puppet"].map(str::to_owned),
        )?;
        // All programs, as the tests build them: a smaller choice would have other
        // features, and the compiler of bots would be built twice.
        visible(cargo(repo).args(["build", "--workspace", "--bins"]))?;
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
