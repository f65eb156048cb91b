//! What is sealed in the records of tenants is sealed anew when the host has another key.

use std::collections::BTreeSet;

use botyard_kernel::id::TenantId;
use botyard_store::{Record, Stamp, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Tenancy;
use super::records::{kind, secret_place};
use crate::envelope::{EnvelopeError, Sealed};
use crate::work::UPKEEP;

/// A kind of records that hold something sealed, and for which place, by their names.
type Kind = (&'static str, fn(&str) -> String);

/// What became of what was sealed with an earlier key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resealed {
    /// So much is sealed with the new key.
    pub sealed: usize,
    /// So much cannot be opened with any key that the host has.
    pub locked: usize,
}

impl Tenancy {
    /// Seals everything anew that an earlier key has sealed, while it is used. Cut off,
    /// it can be done again.
    ///
    /// # Errors
    /// When the store does not do it.
    pub async fn reseal(&self, stamp: &Stamp) -> Result<Resealed, StoreError> {
        let mut all = Resealed::default();
        let kinds: [Kind; 2] = [(kind::SECRET, secret_place), (UPKEEP, upkeep_place)];
        // Also those that have nothing yet: their first secret may be on its way.
        let mut tenants: BTreeSet<TenantId> = self.tenants().await?.into_iter().collect();
        for (kind, _) in kinds {
            let records = self.host_store().list_all(kind).await?;
            tenants.extend(records.into_iter().map(|(tenant, _)| tenant));
        }
        for tenant in tenants {
            // Whoever has the turn now may have sealed with the key from before.
            let _turn = self.change(&tenant).await;
            for (kind, place) in kinds {
                for record in self.store(&tenant).list(kind).await? {
                    self.reseal_record(&tenant, (kind, place), record, &mut all, stamp).await?;
                }
            }
        }
        Ok(all)
    }

    async fn reseal_record(
        &self,
        tenant: &TenantId,
        (kind, place): Kind,
        record: Record,
        all: &mut Resealed,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let (store, mut value) = (self.store(tenant), Some(record.value));
        // Upkeep takes no turn. Whoever writes it at the same time seals it with the new key,
        // but may have read the old one's before.
        while let Some(old) = value {
            let new = match self.resealed(tenant, &place(&record.name), &old) {
                Ok(Some(new)) => new,
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::error!(%tenant, kind, name = record.name, %error, "it stays sealed");
                    all.locked += 1;
                    return Ok(());
                }
            };
            if store.replace(kind, &record.name, Some(&old), &new, stamp).await? {
                all.sealed += 1;
                return Ok(());
            }
            value = store.get(kind, &record.name).await?;
        }
        Ok(())
    }

    /// The record with its sealed part sealed anew; nothing where that is not needed.
    fn resealed(
        &self,
        tenant: &TenantId,
        place: &str,
        record: &Value,
    ) -> Result<Option<Value>, EnvelopeError> {
        let Some(sealed) = record.get("sealed").filter(|sealed| !sealed.is_null()) else {
            return Ok(None);
        };
        let sealed = Sealed::deserialize(sealed).map_err(|_| EnvelopeError::Damaged)?;
        let Some(anew) = self.work.envelope().resealed(tenant, place, &sealed)? else {
            return Ok(None);
        };
        let mut record = record.clone();
        record["sealed"] = serde_json::to_value(anew).map_err(|_| EnvelopeError::Damaged)?;
        Ok(Some(record))
    }
}

fn upkeep_place(channel: &str) -> String {
    format!("{UPKEEP}/{channel}")
}
