//! A component that passed every check and can run.

use std::fs::File;
use std::sync::Arc;

use botyard_kernel::id::Digest;

use crate::manifest::Manifest;
use crate::slice::SharedPaces;
use crate::tier::Tier;

/// A component that passed every check and can run. Cheap to clone. It holds
/// its compiled form open: one file descriptor for each version.
#[derive(Clone, Debug)]
pub struct Version {
    pub(crate) digest: Digest,
    pub(crate) tier: Tier,
    pub(crate) manifest: Option<Arc<Manifest>>,
    pub(crate) component_bytes: usize,
    pub(crate) imports: Arc<[String]>,
    pub(crate) linked_bytes: u64,
    pub(crate) code: Arc<File>,
    pub(crate) paces: SharedPaces,
}

impl Version {
    /// The SHA-256 of the component: its name.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Which kind of program it is.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// What the bot says about itself, if its SDK wrote it down.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_deref()
    }

    /// What it asks of the host, sorted: `log`, `config`, `kv`, `http`, and
    /// packages of WASI such as `wasi:sockets`, which is there and denies. A list
    /// to show and to compare between versions.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// The size of what was uploaded, in bytes.
    pub fn component_bytes(&self) -> usize {
        self.component_bytes
    }
}
