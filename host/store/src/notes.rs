//! What is neither log nor audited: values that end by themselves, such as the
//! answers behind idempotency keys, operations under way, and usage by the hour.

use async_trait::async_trait;
use botyard_kernel::id::TenantId;
use botyard_kernel::time::Millis;
use serde_json::{Map, Value};

use crate::{Record, StoreError};

/// Named values of tenants that leave no audit.
///
/// A note whose time is over is as if it were not there, whether or not it was
/// swept away: so every verb that looks at one is told the time.
#[async_trait]
pub trait Notes: Send + Sync {
    /// Puts a note in the place of the old one.
    async fn put(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        expires_ms: Option<Millis>,
    ) -> Result<(), StoreError>;

    /// Puts a note where there is none. Answers what is there already; absent, this one
    /// was put. Of many at once exactly one is told so.
    async fn put_new(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        expires_ms: Option<Millis>,
        now: Millis,
    ) -> Result<Option<Value>, StoreError>;

    /// The value of a note; absent where there is none.
    async fn get(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        now: Millis,
    ) -> Result<Option<Value>, StoreError>;

    /// At most `limit` notes of a kind behind a name, by name.
    async fn list(
        &self,
        tenant: &TenantId,
        kind: &str,
        after: Option<&str>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<Record>, StoreError>;

    /// At most `limit` notes of a kind of all tenants behind a tenant's name, by tenant
    /// and name.
    async fn list_all(
        &self,
        kind: &str,
        after: Option<(&TenantId, &str)>,
        limit: usize,
        now: Millis,
    ) -> Result<Vec<(TenantId, Record)>, StoreError>;

    /// How much there is of a kind of a tenant's notes, those among it whose time is over
    /// and that were not swept away yet.
    async fn size(&self, tenant: &TenantId, kind: &str) -> Result<NotesSize, StoreError>;

    /// What all notes of a tenant take, as [`Notes::size`] those of a kind, in bytes. It is
    /// known and not counted.
    async fn weigh(&self, tenant: &TenantId) -> Result<u64, StoreError>;

    /// Takes a note away. Answers whether there was one.
    async fn delete(&self, tenant: &TenantId, kind: &str, name: &str) -> Result<bool, StoreError>;

    /// Counts in numbers of a note, which is made where there is none, in one step: of
    /// many at once none is lost. A field that is missing or no integer counts as 0; a
    /// sum stops at the largest and the smallest number. The note ends when this says.
    async fn add(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        fields: &[(&str, Count)],
        expires_ms: Option<Millis>,
        now: Millis,
    ) -> Result<(), StoreError>;

    /// Takes away notes whose time is over, at most
    /// [`SWEEP_ROWS_MAX`](crate::limits::SWEEP_ROWS_MAX) of them. Answers how many.
    async fn sweep(&self, now: Millis) -> Result<usize, StoreError>;

    /// Whether there is any note of a tenant.
    async fn has_any(&self, tenant: &TenantId, now: Millis) -> Result<bool, StoreError>;

    /// Takes away notes of a tenant, as many as [`Notes::sweep`]. Answers how many.
    async fn forget(&self, tenant: &TenantId) -> Result<usize, StoreError>;
}

/// What becomes of a number of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So much is added to it.
    More(i64),
    /// It is this, unless it is larger already.
    Peak(i64),
}

impl From<i64> for Count {
    fn from(more: i64) -> Self {
        Self::More(more)
    }
}

/// How much there is of a kind of notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NotesSize {
    /// How many.
    pub count: u64,
    /// As they are written, in bytes.
    pub bytes: u64,
    /// When the first of them ends; absent where none does.
    pub ends_ms: Option<Millis>,
}

/// A note's value after counting in it.
pub(crate) fn added(old: Option<Value>, fields: &[(String, Count)]) -> Value {
    let mut sums = match old {
        Some(Value::Object(sums)) => sums,
        _ => Map::new(),
    };
    for (field, count) in fields {
        let old = sums.get(field).and_then(Value::as_i64).unwrap_or(0);
        let new = match *count {
            Count::More(more) => old.saturating_add(more),
            Count::Peak(peak) => old.max(peak),
        };
        sums.insert(field.clone(), new.into());
    }
    Value::Object(sums)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn additions() {
        let fields = |fields: &[(&str, i64)]| -> Vec<(String, Count)> {
            fields.iter().map(|(field, more)| ((*field).to_owned(), Count::More(*more))).collect()
        };
        let rows = [
            (None, fields(&[("turns", 2)]), json!({"turns": 2})),
            (Some(json!("text")), fields(&[("turns", 2)]), json!({"turns": 2})),
            (
                Some(json!({"turns": 40, "cpu": 1})),
                fields(&[("turns", 2)]),
                json!({"turns": 42, "cpu": 1}),
            ),
            (Some(json!({"turns": "many"})), fields(&[("turns", -2)]), json!({"turns": -2})),
            (Some(json!({"turns": i64::MAX})), fields(&[("turns", 1)]), json!({"turns": i64::MAX})),
            (
                Some(json!({"turns": i64::MIN})),
                fields(&[("turns", -1)]),
                json!({"turns": i64::MIN}),
            ),
            (None, fields(&[("a", 1), ("a", 1)]), json!({"a": 2})),
        ];
        for (old, fields, expected) in rows {
            assert_eq!(added(old.clone(), &fields), expected, "{old:?} {fields:?}");
        }
    }

    #[test]
    fn peaks_are_kept_and_not_summed() {
        let count = |old: Option<Value>, peak| added(old, &[("p".to_owned(), Count::Peak(peak))]);
        for (old, peak, expected) in [
            (None, 5, 5),
            (Some(json!({"p": 7})), 5, 7),
            (Some(json!({"p": 7})), 9, 9),
            (Some(json!({"p": "x"})), 9, 9),
        ] {
            assert_eq!(count(old.clone(), peak), json!({"p": expected}), "{old:?} {peak}");
        }
        let both = [("p".to_owned(), Count::Peak(3)), ("p".to_owned(), Count::More(1))];
        assert_eq!(added(None, &both), json!({"p": 4}));
    }
}
