//! The demo: a host, two bots, two conversations.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::command::{cargo, visible};
use crate::plugins;
use crate::repo::Repo;
use crate::setup;

/// Builds what is needed, unless it is `built`, and hands over to the `demo`
/// program.
pub(crate) fn run(repo: &Repo, once: bool, built: bool) -> Result<ExitCode> {
    if !built {
        build(repo)?;
    }
    let mut demo = Command::new(repo.target().join("debug/demo"));
    demo.env("BOTYARD_BIN", repo.target().join("debug/botyard"))
        .env("BOTYARD_PLUGINS", repo.native_plugins());
    if once {
        demo.arg("--once");
    }
    let status = demo.status().context("the demo is not built: leave out --built")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build(repo: &Repo) -> Result<()> {
    setup::rust_targets(repo)?;
    let bots = ["botyard-plugin-lead".to_owned(), "botyard-plugin-orders".to_owned()];
    plugins::native(repo, &bots)?;
    eprintln!("building the host; the first time it takes some minutes");
    // All programs, as the tests build them: a smaller choice would have other
    // features, and the compiler of bots would be built twice.
    visible(cargo(repo).args(["build", "--workspace", "--bins"]))
}
