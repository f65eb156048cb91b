//! The catalog's verbs over maps.

use std::collections::BTreeSet;

use async_trait::async_trait;
use botyard_kernel::id::TenantId;
use serde_json::Value;

use super::{MemoryStore, State};
use crate::limits::SWEEP_ROWS_MAX;
use crate::{AuditRow, Catalog, Change, ChangeTo, Record, Stamp, StoreError, limits};

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
        state.note(tenant, ("put", kind, name), Some(&text), stamp);
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
            state.note(tenant, ("put", kind, name), Some(&text), stamp);
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
        state.note(tenant, ("delete", kind, name), None, stamp);
        Ok(())
    }

    async fn change(
        &self,
        tenant: &TenantId,
        changes: &[Change],
        stamp: &Stamp,
    ) -> Result<bool, StoreError> {
        limits::changes(changes)?;
        let mut state = self.writable()?;
        let mut records = state.records.clone();
        let mut rows = Vec::new();
        for Change { kind, name, to } in changes {
            let place = place(tenant, kind, name);
            let new = match to {
                ChangeTo::Replace { old, .. } if records.get(&place) != old.as_ref() => {
                    return Ok(false);
                }
                ChangeTo::Put(new) | ChangeTo::Replace { new, .. } => {
                    records.insert(place, new.clone());
                    Some(limits::record(new)?)
                }
                ChangeTo::Delete => {
                    records.remove(&place).ok_or(StoreError::NotFound)?;
                    None
                }
            };
            rows.push((kind, name, new));
        }
        state.records = records;
        for (kind, name, new) in rows {
            let action = if new.is_some() { "put" } else { "delete" };
            state.note(tenant, (action, kind, name), new.as_deref(), stamp);
        }
        Ok(true)
    }

    async fn page(
        &self,
        tenant: &TenantId,
        kind: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        let all = self.list(tenant, kind).await?.into_iter();
        let wanted = all
            .filter(|record| record.name.starts_with(prefix) && Some(record.name.as_str()) > after);
        Ok(wanted.take(limit).collect())
    }

    async fn count(&self, tenant: &TenantId, kind: &str) -> Result<u64, StoreError> {
        Ok(self.list(tenant, kind).await?.len() as u64)
    }

    async fn weigh(&self, tenant: &TenantId) -> Result<(u64, u64), StoreError> {
        let state = self.state();
        let own = state.records.iter().filter(|((_, owner, _), _)| owner == tenant);
        let records = own.map(|((_, _, name), value)| name.len() + value.to_string().len());
        let rows = state.audit.get(tenant).into_iter().flatten().map(AuditRow::bytes);
        Ok((records.sum::<usize>() as u64, rows.sum::<usize>() as u64))
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let state = self.state();
        let tenants: BTreeSet<_> = state.records.keys().map(|(_, tenant, _)| tenant).collect();
        Ok(tenants.into_iter().cloned().collect())
    }

    async fn forget(&self, tenant: &TenantId, stamp: &Stamp) -> Result<usize, StoreError> {
        let mut state = self.writable()?;
        let own = state.records.keys().filter(|(_, owner, _)| owner == tenant);
        let own: Vec<_> = own.take(SWEEP_ROWS_MAX / 2).cloned().collect();
        for place in &own {
            state.records.remove(place);
            state.note(tenant, ("delete", &place.0, &place.2), None, stamp);
        }
        Ok(own.len())
    }

    async fn witness(
        &self,
        tenant: &TenantId,
        action: &str,
        kind: &str,
        name: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        self.writable()?.note(tenant, (action, kind, name), None, stamp);
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
    /// Leaves a row in the audit.
    pub(super) fn note(
        &mut self,
        tenant: &TenantId,
        what: (&str, &str, &str),
        value: Option<&str>,
        stamp: &Stamp,
    ) {
        let rows = self.audit.entry(tenant.clone()).or_default();
        let last = rows.last().map(|row| (row.seq, row.hash));
        rows.push(AuditRow::after(last, tenant, what, value, stamp));
    }
}

fn place(tenant: &TenantId, kind: &str, name: &str) -> (String, TenantId, String) {
    (kind.to_owned(), tenant.clone(), name.to_owned())
}
