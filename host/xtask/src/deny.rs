//! The rules of `deny.toml`.

use std::process::Command;

use anyhow::Result;

use crate::command::visible;
use crate::repo::Repo;
use crate::setup;

/// Checks bans, licences and sources. Advisories are left out: their database
/// lives in a repository that not every machine can reach.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    let mut deny = Command::new(setup::cargo_deny(repo)?);
    deny.args(["--workspace", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"])
        .current_dir(repo.root());
    visible(&mut deny)
}
