//! Versions that are linked and wait in memory for their next turn.

use std::num::NonZeroUsize;
use std::os::fd::AsRawFd as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::id::Digest;
use lru::LruCache;
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::bindings::v1::{Bot, BotPre};
use crate::load_error::LoadError;
use crate::runtime::Runtime;
use crate::turn::Turn;
use crate::version::Version;
use crate::wasi;

/// The code of a version cannot be mapped: whatever the component is, the host wrote it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("its compiled form cannot be mapped")]
struct Unmapped;

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

/// The most recently used versions: so many, and so many bytes of them.
pub(crate) struct Linked {
    bytes_max: u64,
    kept: Mutex<Kept>,
}

struct Kept {
    versions: LruCache<Digest, (Arc<BotPre<Turn>>, u64)>,
    bytes: u64,
}

impl Linked {
    /// Room for so many versions, at least one, that take so many bytes.
    pub(crate) fn new(versions: usize, bytes_max: u64) -> Self {
        let most = NonZeroUsize::new(versions).unwrap_or(NonZeroUsize::MIN);
        let kept = Kept { versions: LruCache::new(most), bytes: 0 };
        Self { bytes_max, kept: Mutex::new(kept) }
    }

    /// A version that is linked already.
    pub(crate) fn get(&self, version: &Digest) -> Option<Arc<BotPre<Turn>>> {
        self.kept().versions.get(version).map(|(linked, _)| linked.clone())
    }

    /// Keeps a version until others are of more use.
    pub(crate) fn keep(&self, version: &Version, linked: Arc<BotPre<Turn>>) {
        let mut kept = self.kept();
        kept.bytes += version.linked_bytes;
        if let Some((_, (_, bytes))) =
            kept.versions.push(version.digest, (linked, version.linked_bytes))
        {
            kept.bytes -= bytes;
        }
        while kept.bytes > self.bytes_max && kept.versions.len() > 1 {
            let Some((_, (_, bytes))) = kept.versions.pop_lru() else { return };
            kept.bytes -= bytes;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runtime {
    /// The linked form of a version that runs, made where it is not in memory.
    pub(crate) async fn linked(
        self: &Arc<Self>,
        version: &Version,
    ) -> Result<Arc<BotPre<Turn>>, LoadError> {
        if let Some(found) = self.linked.get(&version.digest) {
            return Ok(found);
        }
        // Two turns may link the same version at once; either result serves.
        let made = self.link(version).await?;
        self.linked.keep(version, made.clone());
        Ok(made)
    }

    /// Links a version and keeps nothing of it: it may never run.
    pub(crate) async fn link(
        self: &Arc<Self>,
        version: &Version,
    ) -> Result<Arc<BotPre<Turn>>, LoadError> {
        let (this, version) = (self.clone(), version.clone());
        // A large one takes a while, and the threads of bots are for bots.
        let link = move || this.tier(version.tier).linker.link(&version).map(Arc::new);
        let linked = self.executor.spawn_blocking(link).await.map_err(LoadError::host)?;
        linked.map_err(|error| not_linked(&error))
    }
}

/// A type that does not fit shows only when it meets the host's own, and a part
/// that fits into no slot when it meets the pool.
fn not_linked(error: &wasmtime::Error) -> LoadError {
    let words = format!("{error:#}");
    match words.contains("pooling allocator") {
        true => LoadError::Start(words),
        false if error.is::<Unmapped>() => LoadError::Host(words),
        false => LoadError::WrongType(words),
    }
}
