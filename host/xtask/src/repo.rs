//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The checkout and its build directory.
pub(crate) struct Repo {
    root: PathBuf,
    target: PathBuf,
}

impl Repo {
    /// The checkout that this program was built from.
    pub(crate) fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("host/xtask is not two folders below the root of the repository")?
            .to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(directory) => root.join(directory),
            None => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// The root of the checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Cargo's build directory; everything that xtask makes is in it, too.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Where `cargo build --profile plugin --target wasm32-wasip2` puts bots.
    pub(crate) fn native_plugins(&self) -> PathBuf {
        self.target.join("wasm32-wasip2").join("plugin")
    }

    /// Where the bots of interpreted languages are put.
    pub(crate) fn interpreted_plugins(&self) -> PathBuf {
        self.target.join("plugins")
    }

    /// Programs that the tasks use and that are not cargo's own.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }
}
