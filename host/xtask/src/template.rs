//! The template for new bots, tried the way its reader tries it: copied out of
//! the repository, tested, built.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::command::{cargo, visible};
use crate::files;
use crate::repo::Repo;
use crate::setup::{self, BOT_TARGET};

/// Copies the template to a fresh folder and runs what its README says.
pub(crate) fn check(repo: &Repo) -> Result<()> {
    setup::rust_targets(repo)?;
    let scratch = files::scratch("template")?;
    let project = scratch.path().join("my-bot");
    files::copy(&repo.root().join("sdk/rust/template"), &project)?;
    point_at_sdk(repo, &project.join("Cargo.toml"))?;
    // The versions that the repository is tested with; cargo drops the rest.
    fs::copy(repo.root().join("Cargo.lock"), project.join("Cargo.lock"))?;

    let target = repo.target().join("template");
    let run = |arguments: &[&str]| {
        let mut command = cargo(repo);
        command.args(arguments).current_dir(&project).env("CARGO_TARGET_DIR", &target);
        visible(&mut command)
    };
    run(&["test"])?;
    run(&["build", "--release", "--target", BOT_TARGET])?;
    let built = target.join(BOT_TARGET).join("release/my_bot.wasm");
    if !built.is_file() {
        bail!("the template built no {}", built.display());
    }
    Ok(())
}

/// The one line that a reader changes, too: where the SDK is.
fn point_at_sdk(repo: &Repo, manifest: &Path) -> Result<()> {
    let text = fs::read_to_string(manifest).context("the template has no Cargo.toml")?;
    let sdk = format!("path = {:?}", repo.root().join("sdk/rust"));
    let pointed = text.replace("path = \"..\"", &sdk);
    if pointed == text {
        bail!("the template's Cargo.toml does not name the SDK by `path = \"..\"`");
    }
    fs::write(manifest, pointed)?;
    Ok(())
}
