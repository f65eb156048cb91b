//! The verbs of notes over a map.

use async_trait::async_trait;
use botyard_kernel::id::TenantId;
use botyard_kernel::time::Millis;
use serde_json::Value;

use super::MemoryStore;
use crate::limits::SWEEP_ROWS_MAX;
use crate::{Count, Notes, NotesSize, Record, StoreError, limits, notes};

/// A note, and when it ends.
pub(super) type Note = (Value, Option<Millis>);

#[async_trait]
impl Notes for MemoryStore {
    async fn put(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        expires_ms: Option<Millis>,
    ) -> Result<(), StoreError> {
        limits::note(value)?;
        self.writable()?.notes.insert(place(tenant, kind, name), (value.clone(), expires_ms));
        Ok(())
    }

    async fn put_new(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        expires_ms: Option<Millis>,
        now: Millis,
    ) -> Result<Option<Value>, StoreError> {
        limits::note(value)?;
        let mut state = self.writable()?;
        let place = place(tenant, kind, name);
        if let Some((found, _)) = state.notes.get(&place).filter(|note| lives(note, now)) {
            return Ok(Some(found.clone()));
        }
        state.notes.insert(place, (value.clone(), expires_ms));
        Ok(None)
    }

    async fn get(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        now: Millis,
    ) -> Result<Option<Value>, StoreError> {
        let state = self.state();
        let found = state.notes.get(&place(tenant, kind, name)).filter(|note| lives(note, now));
        Ok(found.map(|(value, _)| value.clone()))
    }

    async fn list(
        &self,
        tenant: &TenantId,
        kind: &str,
        after: Option<&str>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Record>, StoreError> {
        let all = self.list_all(kind, None, usize::MAX, now).await?;
        let own = all.into_iter().filter(|(owner, _)| owner == tenant).map(|(_, record)| record);
        Ok(own.filter(|record| Some(record.name.as_str()) > after).take(limit).collect())
    }

    async fn list_all(
        &self,
        kind: &str,
        after: Option<(&TenantId, &str)>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(TenantId, Record)>, StoreError> {
        let state = self.state();
        let wanted = state.notes.iter().filter(|((found, tenant, name), note)| {
            found == kind && lives(note, now) && Some((tenant, name.as_str())) > after
        });
        let record = wanted.map(|((_, tenant, name), (value, _))| {
            (tenant.clone(), Record { name: name.clone(), value: value.clone() })
        });
        Ok(record.take(limit).collect())
    }

    async fn size(&self, tenant: &TenantId, kind: &str) -> Result<NotesSize, StoreError> {
        let state = self.state();
        let from = state.notes.range(place(tenant, kind, "")..);
        let own = from.take_while(|((of, own, _), _)| of == kind && own == tenant);
        let sizes = own.map(|(_, (value, ends_ms))| NotesSize {
            count: 1,
            bytes: value.to_string().len() as u64,
            ends_ms: *ends_ms,
        });
        Ok(sizes.fold(NotesSize::default(), |all, one| NotesSize {
            count: all.count + one.count,
            bytes: all.bytes + one.bytes,
            ends_ms: all.ends_ms.into_iter().chain(one.ends_ms).min(),
        }))
    }

    async fn weigh(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let state = self.state();
        let own = state.notes.iter().filter(|((_, owner, _), _)| owner == tenant);
        let bytes = own.map(|(_, (value, _))| value.to_string().len());
        Ok(bytes.sum::<usize>() as u64)
    }

    async fn delete(&self, tenant: &TenantId, kind: &str, name: &str) -> Result<bool, StoreError> {
        Ok(self.writable()?.notes.remove(&place(tenant, kind, name)).is_some())
    }

    async fn add(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        fields: &[(&str, Count)],
        expires_ms: Option<Millis>,
        now: Millis,
    ) -> Result<(), StoreError> {
        let mut state = self.writable()?;
        let place = place(tenant, kind, name);
        let old = state.notes.get(&place).filter(|note| lives(note, now));
        let fields: Vec<_> =
            fields.iter().map(|(field, count)| ((*field).to_owned(), *count)).collect();
        let new = notes::added(old.map(|(value, _)| value.clone()), &fields);
        limits::note(&new)?;
        state.notes.insert(place, (new, expires_ms));
        Ok(())
    }

    async fn sweep(&self, now: Millis) -> Result<usize, StoreError> {
        self.remove_notes(|_, note| !lives(note, now))
    }

    async fn has_any(&self, tenant: &TenantId, now: Millis) -> Result<bool, StoreError> {
        let state = self.state();
        Ok(state.notes.iter().any(|((_, owner, _), note)| owner == tenant && lives(note, now)))
    }

    async fn forget(&self, tenant: &TenantId) -> Result<usize, StoreError> {
        self.remove_notes(|owner, _| owner == tenant)
    }
}

impl MemoryStore {
    fn remove_notes(&self, gone: impl Fn(&TenantId, &Note) -> bool) -> Result<usize, StoreError> {
        let mut state = self.writable()?;
        let found = state.notes.iter().filter(|((_, tenant, _), note)| gone(tenant, note));
        let found: Vec<_> = found.take(SWEEP_ROWS_MAX).map(|(place, _)| place.clone()).collect();
        found.iter().for_each(|place| drop(state.notes.remove(place)));
        Ok(found.len())
    }
}

fn lives((_, expires_ms): &Note, now: Millis) -> bool {
    expires_ms.is_none_or(|expires_ms| expires_ms > now)
}

fn place(tenant: &TenantId, kind: &str, name: &str) -> (String, TenantId, String) {
    (kind.to_owned(), tenant.clone(), name.to_owned())
}
