//! Versions of bots that are loaded: those that run, and no more than a host can hold
//! open. Others are loaded when an event wants them.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::{Digest, TenantId};
use botyard_runtime::{LoadError, Runtime, Version};
use botyard_store::{HostStore, Store, StoreError};
use lru::LruCache;
use tokio::sync::OnceCell;

/// Loaded versions by digest.
pub struct Versions {
    runtime: Arc<Runtime>,
    store: HostStore,
    open: Mutex<LruCache<Digest, Arc<OnceCell<Version>>>>,
}

/// Why a version cannot run: the host is to blame, as it was good when it was uploaded.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// Its bytes are gone.
    #[error("the component {0} is not kept here any more: upload it again")]
    Gone(Digest),
    /// The store does not give it.
    #[error("the component cannot be read: {0}")]
    Store(#[from] StoreError),
    /// It cannot be loaded.
    #[error("the component cannot be loaded: {0}")]
    Load(#[from] LoadError),
}

impl Versions {
    /// No version is loaded yet. So many are held open, each with a file. Who comes back
    /// after others is read again from what was compiled.
    pub fn new(runtime: Arc<Runtime>, store: &Store, open_max: usize) -> Self {
        let open_max = NonZeroUsize::new(open_max).unwrap_or(NonZeroUsize::MIN);
        // A digest is asked for only where a tenant's own record names it.
        Self { runtime, store: store.host(), open: Mutex::new(LruCache::new(open_max)) }
    }

    /// A version, if it is loaded.
    pub fn loaded(&self, digest: &Digest) -> Option<Version> {
        self.open().get(digest).and_then(|cell| cell.get().cloned())
    }

    /// A version, which is loaded once however many ask for it. Where it has to be
    /// compiled anew, it takes its turn among those of its owner's.
    ///
    /// # Errors
    /// When the component is gone, cannot be read or cannot be loaded.
    pub async fn get(&self, owner: &TenantId, digest: &Digest) -> Result<Version, VersionError> {
        let cell = Arc::clone(self.open().get_or_insert(*digest, Arc::default));
        let version = cell.get_or_try_init(|| self.load(owner, digest)).await?;
        Ok(version.clone())
    }

    /// A version was loaded elsewhere.
    pub fn keep(&self, version: Version) {
        let cell = Arc::clone(self.open().get_or_insert(*version.digest(), Arc::default));
        // Somebody else may have loaded the same bytes meanwhile.
        let _ = cell.set(version);
    }

    async fn load(&self, owner: &TenantId, digest: &Digest) -> Result<Version, VersionError> {
        if let Some(version) = self.runtime.open(*digest).await? {
            return Ok(version);
        }
        // It was compiled for other engines, or what was compiled is gone.
        let bytes = self.store.blob(digest).await?.ok_or(VersionError::Gone(*digest))?;
        Ok(self.runtime.load_deployed(&bytes, owner).await?)
    }

    fn open(&self) -> MutexGuard<'_, LruCache<Digest, Arc<OnceCell<Version>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
