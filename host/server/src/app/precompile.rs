//! What a new version of the host has to compile, compiled before it starts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use botyard_kernel::id::{Digest, TenantId};
use botyard_runtime::{LoadError, Runtime};
use botyard_store::{BlobDirectory, Blobs as _, SqliteStore, StoreError};
use futures_util::{StreamExt as _, stream};

use super::{App, load};
use crate::config::Config;
use crate::tenancy::deployed_versions;

/// What became of a version.
#[derive(Debug)]
pub struct Prepared {
    /// Which.
    pub version: Digest,
    /// Whose.
    pub tenant: TenantId,
    /// Whether it was compiled just now, or why it cannot run on these engines.
    pub compiled: Result<bool, Unprepared>,
    /// How long it took.
    pub took: Duration,
}

/// Why a version is not ready.
#[derive(Debug, thiserror::Error)]
pub enum Unprepared {
    /// Its bytes are gone.
    #[error("its component is not kept here any more: it has to be uploaded again")]
    Gone,
    /// They cannot be read.
    #[error("its component cannot be read: {0}")]
    Store(#[from] StoreError),
    /// It does not fit.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl App {
    /// The versions that answer in the store of a host that is stopped. The store takes
    /// the form of this program's, as at a start.
    ///
    /// # Errors
    /// A host is using it, or it cannot be read.
    pub async fn deployed_of_stopped(
        config: &Config,
    ) -> anyhow::Result<BTreeMap<Digest, TenantId>> {
        let directory = config.store.directory.clone();
        let open = tokio::task::spawn_blocking(move || SqliteStore::open(&directory));
        let store = open.await.context("opening the store broke down")??;
        let versions = deployed_versions(&store.store()).await;
        store.close().await;
        versions.context("cannot read which versions answer")
    }

    /// Compiles versions, and the components of the settings, for the engines of this
    /// very program, into the directory of artefacts of a host that runs or is stopped.
    /// What the engines of that one have compiled stays. Each is told when it is done.
    ///
    /// # Errors
    /// The engines cannot be made, or a component of the settings cannot be read.
    pub async fn precompile(
        config: &Config,
        mut versions: BTreeMap<Digest, TenantId>,
        mut tell: impl FnMut(Prepared),
    ) -> anyhow::Result<()> {
        let directory = &config.store.directory;
        let artefacts = config.runtime.artefact_directory.clone();
        let runtime = load::runtime(config, directory, artefacts, 1)?;
        let mut of_settings = BTreeMap::new();
        for (tenant, own) in &config.tenants {
            for bot in own.bots.values() {
                let wasm = read(&bot.component).await?;
                let version = Digest::of(&wasm);
                versions.insert(version, tenant.clone());
                of_settings.insert(version, wasm);
            }
        }
        let blobs = BlobDirectory::new(directory.join("blobs"));
        let prepare = |(version, tenant): (Digest, TenantId)| {
            let (runtime, blobs, wasm) = (&runtime, &blobs, of_settings.get(&version));
            async move {
                let began = Instant::now();
                let compiled = ready(runtime, blobs, wasm, &version, &tenant).await;
                Prepared { version, tenant, compiled, took: began.elapsed() }
            }
        };
        let at_once = config.runtime.compile.at_once;
        let mut done = stream::iter(versions).map(prepare).buffer_unordered(at_once);
        while let Some(prepared) = done.next().await {
            tell(prepared);
        }
        Ok(())
    }
}

/// Sees to it that a version can run, and says whether it had to be compiled.
async fn ready(
    runtime: &Arc<Runtime>,
    blobs: &BlobDirectory,
    wasm: Option<&Vec<u8>>,
    version: &Digest,
    tenant: &TenantId,
) -> Result<bool, Unprepared> {
    if runtime.open(*version).await?.is_some() {
        return Ok(false);
    }
    match wasm {
        Some(wasm) => runtime.load_deployed(wasm, tenant).await?,
        None => {
            let wasm = blobs.get(version).await?.ok_or(Unprepared::Gone)?;
            runtime.load_deployed(&wasm, tenant).await?
        }
    };
    Ok(true)
}

async fn read(component: &Path) -> anyhow::Result<Vec<u8>> {
    let cannot = || format!("cannot read the component {}", component.display());
    tokio::fs::read(component).await.with_context(cannot)
}
