//! The model: the same verbs over plain lists in memory. What the embedded
//! engine keeps in columns is computed here from all entries, each time.

mod archive;
mod catalog;
mod lane;
mod log;
mod notes;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use botyard_kernel::id::{BotId, Digest, TenantId};
use serde_json::Value;

use self::lane::Lane;
use self::notes::Note;

use crate::lease::Leases;
use crate::{AuditRow, Blobs, DeadLetter, Store, StoreError, limits};

/// A store in memory, for tests: obviously right rather than fast, and gone
/// with its last clone. Its writes can be made to fail.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    leases: Arc<Leases>,
}

/// How a write can be made to fail. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// As an engine that is out of order: [`StoreError::Unavailable`].
    Unavailable,
    /// As a full disk: [`StoreError::Full`].
    Full,
}

#[derive(Default)]
struct State {
    /// In the order in which they were made.
    conversations: Vec<Lane>,
    /// Conversations and entries that were ever made, to number them.
    made: u64,
    bot_values: BTreeMap<(TenantId, BotId), BTreeMap<String, String>>,
    /// By kind, tenant and name.
    records: BTreeMap<(String, TenantId, String), Value>,
    audit: BTreeMap<TenantId, Vec<AuditRow>>,
    /// By kind, tenant and name.
    notes: BTreeMap<(String, TenantId, String), Note>,
    /// With the time of the last putting.
    blobs: HashMap<Digest, (Vec<u8>, Instant)>,
    letters: Vec<DeadLetter>,
    letters_filed: u64,
    fault: Option<Fault>,
    next_fault: Option<Fault>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The store that others work with.
    pub fn store(&self) -> Store {
        let this = Arc::new(self.clone());
        Store::new(this.clone(), this.clone(), this.clone(), this)
    }

    /// Makes every write fail until told otherwise.
    pub fn fail_writes(&self, fault: Option<Fault>) {
        self.state().fault = fault;
    }

    /// Makes the next write fail, and only that one.
    pub fn fail_next_write(&self, fault: Fault) {
        self.state().next_fault = Some(fault);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no verb of the model panics")
    }

    /// The state for a write, unless writes shall fail.
    fn writable(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let mut state = self.state();
        match state.next_fault.take().or(state.fault) {
            Some(Fault::Unavailable) => {
                Err(StoreError::Unavailable("made to fail by a test".to_owned()))
            }
            Some(Fault::Full) => Err(StoreError::Full),
            None => Ok(state),
        }
    }
}

#[async_trait]
impl Blobs for MemoryStore {
    async fn put(&self, bytes: Vec<u8>) -> Result<Digest, StoreError> {
        limits::blob(&bytes)?;
        let digest = Digest::of(&bytes);
        self.writable()?.blobs.insert(digest, (bytes, Instant::now()));
        Ok(digest)
    }

    async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().blobs.get(digest).map(|(bytes, _)| bytes.clone()))
    }

    async fn has(&self, digest: &Digest) -> Result<bool, StoreError> {
        Ok(self.state().blobs.contains_key(digest))
    }

    async fn sweep(
        &self,
        keep: BTreeSet<Digest>,
        unused_for: Duration,
    ) -> Result<usize, StoreError> {
        let mut state = self.writable()?;
        let before = state.blobs.len();
        state.blobs.retain(|digest, (_, put)| keep.contains(digest) || put.elapsed() < unused_for);
        Ok(before - state.blobs.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::given::{arrival, key};

    #[tokio::test]
    async fn writes_fail_on_request_and_leave_nothing() {
        let memory = MemoryStore::new();
        let (store, a) = (memory.store().tenant(&"acme".into()), key("a"));
        memory.fail_next_write(Fault::Full);
        assert_eq!(store.accept(&a, vec![arrival("1")]).await, Err(StoreError::Full));
        assert_eq!(store.accept(&a, vec![arrival("1")]).await, Ok(vec![1]));

        memory.fail_writes(Some(Fault::Unavailable));
        for _ in 0..2 {
            let error = store.accept(&a, vec![arrival("2")]).await.unwrap_err();
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        }
        assert_eq!(store.load(&a, 10).await.unwrap().last, 1);
        memory.fail_writes(None);
        assert_eq!(store.accept(&a, vec![arrival("2")]).await, Ok(vec![2]));
    }
}
