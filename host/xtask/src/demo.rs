//! The demo: a host, two bots, two conversations.

use std::process::ExitCode;

use anyhow::Result;

use crate::command::{cargo, visible};
use crate::plugins;
use crate::repo::Repo;

/// Builds what is needed and hands over to the `demo` program.
pub(crate) fn run(repo: &Repo, once: bool) -> Result<ExitCode> {
    crate::setup::rust_targets(repo)?;
    let bots = ["botyard-plugin-lead".to_owned(), "botyard-plugin-orders".to_owned()];
    plugins::native(repo, &bots)?;
    eprintln!("building the host; the first time it takes some minutes");
    visible(cargo(repo).args(["build", "--package", "botyard", "--package", "botyard-tests"]))?;

    let mut demo = std::process::Command::new(repo.target().join("debug/demo"));
    demo.env("BOTYARD_BIN", repo.target().join("debug/botyard"))
        .env("BOTYARD_PLUGINS", repo.native_plugins());
    if once {
        demo.arg("--once");
    }
    let status = demo.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
