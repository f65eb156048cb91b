//! The notes of a tenant.

use botyard_kernel::time::Millis;
use serde_json::Value;

use super::TenantStore;
use crate::{Count, NotesSize, Record, StoreError};

impl TenantStore {
    /// See [`crate::Notes::put`].
    pub async fn note_put(
        &self,
        kind: &str,
        name: &str,
        value: &Value,
        expires_ms: Option<Millis>,
    ) -> Result<(), StoreError> {
        self.store.notes.put(&self.tenant, kind, name, value, expires_ms).await
    }

    /// See [`crate::Notes::put_new`].
    pub async fn note_put_new(
        &self,
        kind: &str,
        name: &str,
        value: &Value,
        expires_ms: Option<Millis>,
        now: Millis,
    ) -> Result<Option<Value>, StoreError> {
        self.store.notes.put_new(&self.tenant, kind, name, value, expires_ms, now).await
    }

    /// See [`crate::Notes::get`].
    pub async fn note_get(
        &self,
        kind: &str,
        name: &str,
        now: Millis,
    ) -> Result<Option<Value>, StoreError> {
        self.store.notes.get(&self.tenant, kind, name, now).await
    }

    /// See [`crate::Notes::list`].
    pub async fn note_list(
        &self,
        kind: &str,
        after: Option<&str>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Record>, StoreError> {
        self.store.notes.list(&self.tenant, kind, after, limit, now).await
    }

    /// See [`crate::Notes::size`].
    pub async fn note_size(&self, kind: &str) -> Result<NotesSize, StoreError> {
        self.store.notes.size(&self.tenant, kind).await
    }

    /// See [`crate::Notes::delete`].
    pub async fn note_delete(&self, kind: &str, name: &str) -> Result<bool, StoreError> {
        self.store.notes.delete(&self.tenant, kind, name).await
    }

    /// See [`crate::Notes::add`]. A number alone is added.
    pub async fn note_add(
        &self,
        kind: &str,
        name: &str,
        fields: &[(&str, impl Into<Count> + Copy)],
        expires_ms: Option<Millis>,
        now: Millis,
    ) -> Result<(), StoreError> {
        let fields: Vec<_> =
            fields.iter().map(|(field, count)| (*field, (*count).into())).collect();
        self.store.notes.add(&self.tenant, kind, name, &fields, expires_ms, now).await
    }
}
