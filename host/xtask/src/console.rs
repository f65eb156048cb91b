//! The host's web page in a headless browser.

use std::process::Command;

use anyhow::Result;

use crate::command::{cargo, visible};
use crate::plugins;
use crate::repo::Repo;
use crate::setup;

/// Starts a host and uses its page as a third party does.
pub(crate) fn run(repo: &Repo, built: bool) -> Result<()> {
    let browser = setup::console(repo)?;
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
    let folder = repo.root().join("tests/console");
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec", "pure.test.js", "console.test.js"])
        .current_dir(&folder)
        .env("BOTYARD_BIN", repo.target().join("debug/botyard"))
        .env("BOTYARD_PLUGINS", repo.native_plugins())
        .env("CHROMIUM", browser);
    visible(&mut node)
}
