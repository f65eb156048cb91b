//! The records of a tenant, and their audit.

use botyard_kernel::id::Digest;
use serde_json::Value;

use super::TenantStore;
use crate::catalog::verify;
use crate::{AuditRow, Change, Record, Stamp, StoreError};

/// How many rows of an audit are checked at a time.
const AUDIT_PAGE: usize = 256;

impl TenantStore {
    /// See [`crate::Catalog::put`].
    pub async fn put(
        &self,
        kind: &str,
        name: &str,
        value: &Value,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        self.store.catalog.put(&self.tenant, kind, name, value, stamp).await
    }

    /// See [`crate::Catalog::replace`].
    pub async fn replace(
        &self,
        kind: &str,
        name: &str,
        old: Option<&Value>,
        new: &Value,
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        self.store.catalog.replace(&self.tenant, kind, name, old, new, stamp).await
    }

    /// See [`crate::Catalog::get`].
    pub async fn get(&self, kind: &str, name: &str) -> Result<Option<Value>, StoreError> {
        self.store.catalog.get(&self.tenant, kind, name).await
    }

    /// See [`crate::Catalog::list`].
    pub async fn list(&self, kind: &str) -> Result<Vec<Record>, StoreError> {
        self.store.catalog.list(&self.tenant, kind).await
    }

    /// See [`crate::Catalog::delete`].
    pub async fn delete(&self, kind: &str, name: &str, stamp: &Stamp) -> Result<(), StoreError> {
        self.store.catalog.delete(&self.tenant, kind, name, stamp).await
    }

    /// See [`crate::Catalog::change`].
    pub async fn change(&self, changes: &[Change], stamp: &Stamp) -> Result<bool, StoreError> {
        self.store.catalog.change(&self.tenant, changes, stamp).await
    }

    /// See [`crate::Catalog::page`].
    pub async fn page(
        &self,
        kind: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.store.catalog.page(&self.tenant, kind, prefix, after, limit).await
    }

    /// See [`crate::Catalog::count`].
    pub async fn count(&self, kind: &str) -> Result<u64, StoreError> {
        self.store.catalog.count(&self.tenant, kind).await
    }

    /// See [`crate::Catalog::witness`].
    pub async fn witness(
        &self,
        action: &str,
        kind: &str,
        name: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        self.store.catalog.witness(&self.tenant, action, kind, name, stamp).await
    }

    /// See [`crate::Catalog::audit`].
    pub async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        self.store.catalog.audit(&self.tenant, after, limit).await
    }

    /// Checks the whole audit and answers how many rows it has. Fails with
    /// [`StoreError::Corrupt`], naming the first row that does not follow.
    pub async fn verify_audit(&self) -> Result<u64, StoreError> {
        Ok(self.audit_head().await?.map_or(0, |(seq, _)| seq))
    }

    /// Checks as [`TenantStore::verify_audit`] does, and answers the place and the hash of
    /// the last row, which cover all rows. Whoever keeps them elsewhere notices later that
    /// rows were cut off at the end, or all of them written anew.
    pub async fn audit_head(&self) -> Result<Option<(u64, Digest)>, StoreError> {
        let mut last = None;
        loop {
            let seq = last.map_or(0, |(seq, _)| seq);
            let rows = self.audit(seq, AUDIT_PAGE).await?;
            if rows.is_empty() {
                return Ok(last);
            }
            last = verify(&self.tenant, last, &rows)?;
        }
    }
}
