//! The host's web page in a headless browser.

use std::process::Command;

use anyhow::Result;

use crate::command::visible;
use crate::plugins;
use crate::repo::Repo;
use crate::setup;

/// Starts a host and uses its page as a third party does.
pub(crate) fn run(repo: &Repo, built: bool) -> Result<()> {
    let browser = setup::console(repo)?;
    if !built {
        plugins::beside_host(repo)?;
    }
    let folder = repo.root().join("tests/console");
    let mut node = Command::new("node");
    node.args([
        "--test",
        "--test-reporter=spec",
        "pure.test.js",
        "console.test.js",
        "pauses.test.js",
        "usage.test.js",
    ])
    .current_dir(&folder)
    .env("BOTYARD_BIN", repo.target().join("debug/botyard"))
    .env("BOTYARD_PLUGINS", repo.native_plugins())
    .env("CHROMIUM", browser);
    visible(&mut node)
}
