//! Versions that are linked and wait in memory for their next turn.

use std::num::NonZeroUsize;
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, PoisonError};

use botyard_kernel::id::Digest;
use lru::LruCache;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::bindings::v1::{Bot, BotPre};
use crate::turn::Turn;
use crate::version::Version;
use crate::wasi;

/// The code of a version cannot be mapped: whatever the component is, the host wrote it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("its compiled form cannot be mapped")]
pub(crate) struct Unmapped;

/// What all versions of a tier are linked with.
pub(crate) struct TierLinker {
    pub(crate) engine: Engine,
    linker: Linker<Turn>,
}

impl TierLinker {
    /// Fills a linker with the imports of the contract and WASI.
    pub(crate) fn new(engine: Engine) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(&engine);
        Bot::add_to_linker::<_, HasSelf<Turn>>(&mut linker, |turn| turn)?;
        wasi::add_to_linker(&mut linker)?;
        Ok(Self { engine, linker })
    }

    /// Maps a version's code and resolves its imports and exports.
    pub(crate) fn link(&self, version: &Version) -> wasmtime::Result<BotPre<Turn>> {
        let path = format!("/proc/self/fd/{}", version.code.as_raw_fd());
        // SAFETY: the file was written by this host or its authenticator was
        // checked with the host's key, it was opened before that check and is
        // held open since, and files of artefacts are renamed and replaced, never
        // changed.
        #[expect(unsafe_code, reason = "machine code can be loaded in no other way")]
        let component = unsafe { Component::deserialize_file(&self.engine, path) }
            .map_err(|error| error.context(Unmapped))?;
        self.link_component(&component)
    }

    /// Resolves a component's imports and exports.
    pub(crate) fn link_component(&self, component: &Component) -> wasmtime::Result<BotPre<Turn>> {
        BotPre::new(self.linker.instantiate_pre(component)?)
    }
}

/// The most recently used versions.
pub(crate) struct Linked(Mutex<LruCache<Digest, Arc<BotPre<Turn>>>>);

impl Linked {
    /// Room for so many versions, at least one.
    pub(crate) fn new(versions: usize) -> Self {
        Self(Mutex::new(LruCache::new(NonZeroUsize::new(versions).unwrap_or(NonZeroUsize::MIN))))
    }

    /// The linked form of a version, made where it is not in memory.
    pub(crate) fn get(
        &self,
        version: &Version,
        linker: &TierLinker,
    ) -> wasmtime::Result<Arc<BotPre<Turn>>> {
        if let Some(found) = self.lock().get(&version.digest) {
            return Ok(found.clone());
        }
        // Two turns may link the same version at once; either result serves.
        let made = Arc::new(linker.link(version)?);
        self.lock().put(version.digest, made.clone());
        Ok(made)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<Digest, Arc<BotPre<Turn>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
