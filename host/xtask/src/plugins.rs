//! Building the example bots.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command::{cargo, quiet, visible};
use crate::repo::Repo;
use crate::setup::{self, BOT_TARGET, Interpreted, Language};
use crate::stamp::Stamp;

/// Builds the bots in `plugins/`; the ones in Rust only, or all.
pub(crate) fn build(repo: &Repo, native_only: bool) -> Result<()> {
    setup::rust_targets(repo)?;
    let packages = native_packages(repo)?;
    native(repo, &packages)?;
    if !native_only {
        for plugin in setup::interpreted_plugins(repo)? {
            interpreted(repo, &plugin)?;
        }
    }
    Ok(())
}

/// Builds named packages for [`BOT_TARGET`]; cargo skips what did not change.
pub(crate) fn native(repo: &Repo, packages: &[String]) -> Result<()> {
    let mut build = cargo(repo);
    build.args(["build", "--profile", "plugin", "--target", BOT_TARGET]);
    for package in packages {
        build.args(["--package", package]);
    }
    visible(&mut build)
}

/// Builds the host, and the bots that its page and its API are tried with.
pub(crate) fn beside_host(repo: &Repo) -> Result<()> {
    setup::rust_targets(repo)?;
    native(repo, &["botyard-plugin-echo", "botyard-plugin-puppet"].map(str::to_owned))?;
    // All programs, as the tests build them: a smaller choice would have other
    // features, and the compiler of bots would be built twice.
    visible(cargo(repo).args(["build", "--workspace", "--bins"]))
}

/// Where the component of an interpreted bot is put.
pub(crate) fn interpreted_path(repo: &Repo, name: &str) -> PathBuf {
    repo.interpreted_plugins().join(format!("{}.wasm", name.replace('-', "_")))
}

/// The packages of the workspace that lie in `plugins/`.
fn native_packages(repo: &Repo) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        manifest_path: PathBuf,
    }

    let output = cargo(repo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot start cargo metadata")?;
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let plugins = repo.root().join("plugins");
    let in_plugins = |package: &Package| package.manifest_path.starts_with(&plugins);
    Ok(metadata.packages.into_iter().filter(in_plugins).map(|package| package.name).collect())
}

fn interpreted(repo: &Repo, plugin: &Interpreted) -> Result<()> {
    let output = interpreted_path(repo, &plugin.name);
    fs::create_dir_all(repo.interpreted_plugins())?;
    let wit = repo.root().join("wit");
    let stamp = Stamp::new(output.with_extension("stamp"), &[&plugin.folder, &wit], &[])?;
    if output.is_file() && stamp.is_fresh() {
        return Ok(());
    }
    plugin.set_up(repo)?;
    let mut build = match plugin.language {
        Language::JavaScript => javascript(&output),
        Language::Python => python(&plugin.environment(repo), &wit, &output),
    };
    build.current_dir(&plugin.folder);
    quiet(repo, &format!("building {}", plugin.name), &mut build)?;
    stamp.keep()
}

fn javascript(output: &Path) -> Command {
    let mut node = Command::new("node");
    node.arg("build.mjs").arg(output);
    node
}

fn python(environment: &Path, wit: &Path, output: &Path) -> Command {
    let mut componentize = Command::new(environment.join("bin/componentize-py"));
    componentize.arg("-d").arg(wit.join("v1")).args(["-w", "bot", "componentize", "app", "-o"]);
    componentize.arg(output);
    componentize
}
