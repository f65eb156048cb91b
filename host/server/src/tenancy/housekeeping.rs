//! What is done by itself now and then: what is too old is erased, what nobody needs any
//! more is taken away, quotas are told what tenants keep.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use botyard_kernel::id::{Digest, TenantId};
use botyard_kernel::run::Blame;
use botyard_kernel::time::{DAY, Millis};
use botyard_kernel::watermark::Level;
use botyard_store::{Stamp, StoreError};
use serde_json::json;
use tokio::time::Instant;

use super::Tenancy;
use super::records::{VersionRecord, kind};
use super::stored::parsed;
use crate::alerts::{Alert, AlertKind};
use crate::clock;
use crate::config::Retention;

/// The first round comes when the start is over.
const FIRST: Duration = Duration::from_secs(20);
/// How often notes whose time is over are swept away, and tenants are weighed.
const EVERY: Duration = Duration::from_secs(60);
/// How often everything else is done.
const ROUND: Duration = Duration::from_secs(3_600);
/// How often it is done while the disk fills.
const ROUND_WHEN_FULL: Duration = Duration::from_secs(120);
/// Rows of a step of a sweep, and the pause after it: others write in between.
const STEP_ROWS: usize = 128;
const STEP_PAUSE: Duration = Duration::from_millis(5);
/// Whoever puts a component writes down within this that it is needed.
const BLOB_UNUSED_FOR: Duration = Duration::from_secs(24 * 3_600);

/// Whoever uses a token that ends has so long to get another.
const TOLD_BEFORE_MS: Millis = 7 * DAY;
/// The kind of the notes of what was told.
const TOLD: &str = "told";

/// What a round of housekeeping has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Rows of conversations that were taken away.
    pub rows: usize,
    /// Blobs that were.
    pub blobs: usize,
    /// Compiled components that were.
    pub artefacts: usize,
}

impl Tenancy {
    /// Keeps house, from now on.
    pub fn start_housekeeping(self: &Arc<Self>) {
        let tenancy = Arc::downgrade(self);
        tokio::spawn(async move {
            // Until then quotas know of nothing that is kept.
            if let Some(tenancy) = tenancy.upgrade() {
                tenancy.weigh().await;
            }
            tokio::time::sleep(FIRST).await;
            let mut last: Option<Instant> = None;
            loop {
                let Some(tenancy) = tenancy.upgrade() else { return };
                if let Err(error) = tenancy.sweep_notes().await {
                    tracing::warn!(%error, "notes whose time is over are still there");
                }
                if let Err(error) = tenancy.tell_of_tokens().await {
                    tracing::warn!(%error, "nobody was told of tokens that end");
                }
                let pause =
                    if tenancy.work.disk_level() > Level::Normal { ROUND_WHEN_FULL } else { ROUND };
                if last.is_none_or(|last| last.elapsed() >= pause) {
                    match tenancy.keep_house().await {
                        Ok(Kept { rows, blobs, artefacts }) => {
                            tracing::debug!(rows, blobs, artefacts, "housekeeping is done");
                        }
                        Err(error) => tracing::warn!(%error, "housekeeping is not done"),
                    }
                    last = Some(Instant::now());
                }
                tenancy.weigh().await;
                drop(tenancy);
                tokio::time::sleep(EVERY).await;
            }
        });
    }

    /// One round over all tenants.
    ///
    /// # Errors
    /// When the store does not do it: the next round begins anew.
    pub async fn keep_house(&self) -> Result<Kept, StoreError> {
        let mut kept = Kept::default();
        let (mut needed, mut whole) = (BTreeSet::new(), true);
        for tenant in self.host_store().tenants().await? {
            match self.keep_house_of(&tenant, &mut needed).await {
                Ok(rows) => kept.rows += rows,
                Err(error) => {
                    // Something of it may need a component that nobody else names.
                    whole = false;
                    tracing::error!(%tenant, %error, "housekeeping of a tenant is not done");
                }
            }
        }
        if whole {
            kept.artefacts = self.sweep_artefacts(needed.clone()).await;
            kept.blobs = self.sweep_blobs(needed).await?;
        }
        Ok(kept)
    }

    /// What is due of one tenant. Answers how many rows were taken away, and adds the
    /// components that it needs.
    async fn keep_house_of(
        &self,
        tenant: &TenantId,
        needed: &mut BTreeSet<Digest>,
    ) -> Result<usize, StoreError> {
        let retention = self.retention().get(tenant).copied().unwrap_or_default();
        // Before anything that may fail: what is needed is known as far as it can be.
        for record in self.store(tenant).list(kind::VERSION).await? {
            let version: VersionRecord = parsed(&record.name, record.value)?;
            needed.insert(version.digest);
        }
        // A change that was cut off is noticed now.
        self.components.changed(tenant);
        self.sweep(tenant, retention).await
    }

    async fn weigh(&self) {
        if let Err(error) = self.weigh_all().await {
            tracing::warn!(%error, "nobody knows anew what tenants keep");
        }
    }

    /// Tells once of each token that ends soon.
    async fn tell_of_tokens(&self) -> Result<(), StoreError> {
        let now = clock::now();
        for (tenant, id, at) in self.ending(now, now + TOLD_BEFORE_MS) {
            let (store, name) = (self.store(&tenant), format!("token.{id}.{at}"));
            if store.note_get(TOLD, &name, now).await?.is_some() {
                continue;
            }
            tracing::warn!(%tenant, token = id, at, "a token of the management API ends soon");
            let what_to_do = "whoever uses this token needs another one by then: `botyard token \
                              create`; the host's log names it by its id";
            let kind = AlertKind::TokenExpires;
            let alert =
                Alert { tenant: Some(tenant), ..Alert::new(kind, Blame::Tenant, at, what_to_do) };
            // Where too many are under way, the next round tells of it.
            if self.work.alerts().raise(&alert) {
                store.note_put(TOLD, &name, &json!({}), Some(at)).await?;
            }
        }
        Ok(())
    }

    async fn sweep_notes(&self) -> Result<(), StoreError> {
        while self.host_store().sweep_notes(clock::now()).await? > 0 {
            tokio::time::sleep(STEP_PAUSE).await;
        }
        Ok(())
    }

    /// Erases what is older than a tenant wants it, and goes on with what was erased by
    /// half.
    async fn sweep(&self, tenant: &TenantId, retention: Retention) -> Result<usize, StoreError> {
        let (store, now, mut swept) = (self.store(tenant), clock::now(), 0);
        if self.work.is_held() {
            // A restored store is looked at first.
            return Ok(0);
        }
        let before = |age: Option<Millis>| age.map_or(0, |age| now.saturating_sub(age));
        let stamp = Stamp { at_ms: now, actor: "retention".to_owned() };
        loop {
            let rows = store.sweep(before(retention.silent_ms), STEP_ROWS, &stamp).await?;
            let rows = match (rows, retention.turns_ms) {
                (0, Some(_)) => store.trim(before(retention.turns_ms), STEP_ROWS).await?,
                (rows, _) => rows,
            };
            if rows == 0 {
                return Ok(swept);
            }
            swept += rows;
            tokio::time::sleep(STEP_PAUSE).await;
        }
    }

    /// What was compiled of components that no version names is taken away.
    async fn sweep_artefacts(&self, needed: BTreeSet<Digest>) -> usize {
        let runtime = Arc::clone(self.work.runtime());
        let sweep = move || runtime.sweep_artefacts(&needed, BLOB_UNUSED_FOR);
        match tokio::task::spawn_blocking(sweep).await {
            Ok(Ok(swept)) => swept.artefacts.len(),
            Ok(Err(error)) => {
                tracing::warn!("compiled components that nobody needs are still there: {error:#}");
                0
            }
            // The host is stopping.
            Err(_) => 0,
        }
    }

    /// Components that no version names are taken away, unless they have just come.
    async fn sweep_blobs(&self, needed: BTreeSet<Digest>) -> Result<usize, StoreError> {
        self.host_store().sweep_blobs(needed, BLOB_UNUSED_FOR).await
    }
}

#[cfg(test)]
mod tests;
