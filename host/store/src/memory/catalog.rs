//! The catalog's verbs over maps.

use async_trait::async_trait;
use botyard_kernel::id::TenantId;
use serde_json::Value;

use super::{MemoryStore, State};
use crate::{AuditRow, Catalog, Record, Stamp, StoreError, limits};

#[async_trait]
impl Catalog for MemoryStore {
    async fn put(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let text = limits::record(value)?;
        let mut state = self.writable()?;
        state.records.insert(place(tenant, kind, name), value.clone());
        state.note(tenant, (kind, name), Some(&text), stamp);
        Ok(())
    }

    async fn replace(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        old: Option<&Value>,
        new: &Value,
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        let text = limits::record(new)?;
        let mut state = self.writable()?;
        let place = place(tenant, kind, name);
        let same = state.records.get(&place) == old;
        if same {
            state.records.insert(place, new.clone());
            state.note(tenant, (kind, name), Some(&text), stamp);
        }
        Ok(same)
    }

    async fn get(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
    ) -> Result<Option<Value>, StoreError> {
        Ok(self.state().records.get(&place(tenant, kind, name)).cloned())
    }

    async fn list(&self, tenant: &TenantId, kind: &str) -> Result<Vec<Record>, StoreError> {
        let all = self.list_all(kind).await?;
        Ok(all.into_iter().filter(|(owner, _)| owner == tenant).map(|(_, record)| record).collect())
    }

    async fn list_all(&self, kind: &str) -> Result<Vec<(TenantId, Record)>, StoreError> {
        let state = self.state();
        let found = state.records.iter().filter(|((found, _, _), _)| found == kind);
        let record = found.map(|((_, tenant, name), value)| {
            (tenant.clone(), Record { name: name.clone(), value: value.clone() })
        });
        Ok(record.collect())
    }

    async fn delete(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let mut state = self.writable()?;
        state.records.remove(&place(tenant, kind, name)).ok_or(StoreError::NotFound)?;
        state.note(tenant, (kind, name), None, stamp);
        Ok(())
    }

    async fn audit(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let state = self.state();
        let rows = state.audit.get(tenant).into_iter().flatten();
        Ok(rows.filter(|row| row.seq > after).take(limit).cloned().collect())
    }
}

impl State {
    fn note(
        &mut self,
        tenant: &TenantId,
        object: (&str, &str),
        value: Option<&str>,
        stamp: &Stamp,
    ) {
        let rows = self.audit.entry(tenant.clone()).or_default();
        let last = rows.last().map(|row| (row.seq, row.hash));
        rows.push(AuditRow::after(last, tenant, object, value, stamp));
    }
}

fn place(tenant: &TenantId, kind: &str, name: &str) -> (String, TenantId, String) {
    (kind.to_owned(), tenant.clone(), name.to_owned())
}
