//! Copies of the store, a store that was made of one, and how much room it takes.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use botyard_kernel::access::OPERATOR;
use botyard_kernel::time::Millis;
use botyard_store::{BackupError, Disk, Held, Manifest, Stamp, StoreError};
use serde_json::json;

use super::App;

/// The kind and the name of the operator's record of the last copy.
const BACKUP: &str = "backup";
const LAST: &str = "last";

impl App {
    /// Copies the store while it is used. Keys are not in the copy. Who has made it, and
    /// when, stands in the operator's audit: a copy holds what all tenants have. Says how
    /// many of how many pages it has.
    ///
    /// # Errors
    /// Something lies there already, or the disk fails.
    pub async fn back_up(
        self: &Arc<Self>,
        into: PathBuf,
        stamp: &Stamp,
        progress: impl Fn(u64, u64) + Send + 'static,
    ) -> Result<Manifest, BackupError> {
        let (app, place) = (Arc::clone(self), into.clone());
        let work = move || app.store.backup(&into, progress);
        let failed = |error| BackupError::Disk { place, source: io::Error::other(error) };
        let made = tokio::task::spawn_blocking(work).await.map_err(failed)??;
        let operator = self.work.store().tenant(&OPERATOR.into());
        let record = json!({"made_ms": made.made_ms});
        if let Err(error) = operator.put(BACKUP, LAST, &record, stamp).await {
            // The copy is good all the same, and may be wanted for this very reason.
            tracing::warn!(%error, "the store was copied, and does not remember it");
        }
        Ok(made)
    }

    /// When the store was copied last, as far as it remembers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_backup(&self) -> Result<Option<Millis>, StoreError> {
        let found = self.work.store().tenant(&OPERATOR.into()).get(BACKUP, LAST).await?;
        Ok(found.and_then(|found| found["made_ms"].as_u64()))
    }

    /// Since when the store is held, and as what copy of it; nothing where it delivers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn held(&self) -> Result<Option<Held>, StoreError> {
        self.store.held()
    }

    /// Lets a host deliver whose store was made of a backup.
    ///
    /// # Errors
    /// When the store cannot be written: then nothing is delivered yet.
    pub async fn release(&self, stamp: &Stamp) -> Result<bool, StoreError> {
        if self.store.held()?.is_none() {
            return Ok(false);
        }
        self.store.release(stamp).await?;
        self.work.hold(false);
        tracing::warn!(by = stamp.actor, "the store of a backup goes on: everything is delivered");
        Ok(true)
    }

    /// How much room the store takes, and how much is left.
    ///
    /// # Errors
    /// The disk does not say.
    pub async fn disk(self: &Arc<Self>) -> io::Result<Disk> {
        let app = Arc::clone(self);
        let found = tokio::task::spawn_blocking(move || app.store.disk()).await;
        found.map_err(io::Error::other)?
    }
}
