//! What changes rarely: tenants, bots, channels, secrets, quotas. Every change
//! leaves a row in the tenant's audit, chained by hashes, in the same step.

use async_trait::async_trait;
use botyard_kernel::id::{Digest, TenantId};
use botyard_kernel::time::Millis;
use serde_json::Value;

use crate::StoreError;

/// Named records of tenants.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// Puts a record in the place of the old one.
    async fn put(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        value: &Value,
        stamp: &Stamp,
    ) -> Result<(), StoreError>;

    /// Puts a record in the place of exactly this old one, absent for none. Answers
    /// whether it did: somebody else may have been first.
    async fn replace(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        old: Option<&Value>,
        new: &Value,
        stamp: &Stamp,
    ) -> Result<bool, StoreError>;

    /// The value of a record; absent where there is none.
    async fn get(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
    ) -> Result<Option<Value>, StoreError>;

    /// All records of a kind, by name.
    async fn list(&self, tenant: &TenantId, kind: &str) -> Result<Vec<Record>, StoreError>;

    /// All records of a kind of all tenants, by tenant and name.
    async fn list_all(&self, kind: &str) -> Result<Vec<(TenantId, Record)>, StoreError>;

    /// Takes a record away; fails with [`StoreError::NotFound`] where there is none.
    async fn delete(
        &self,
        tenant: &TenantId,
        kind: &str,
        name: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError>;

    /// Changes several records of a tenant, all or none, each with its row of the audit.
    ///
    /// Answers whether it did: a [`ChangeTo::Replace`] may find that somebody else was
    /// first. Fails with [`StoreError::NotFound`] where a record to be deleted is not
    /// there. At most [`CHANGES_MAX`](crate::limits::CHANGES_MAX) at a time.
    async fn change(
        &self,
        tenant: &TenantId,
        changes: &[Change],
        stamp: &Stamp,
    ) -> Result<bool, StoreError>;

    /// At most `limit` records of a kind whose names begin with `prefix`, by name,
    /// behind the name `after`.
    async fn page(
        &self,
        tenant: &TenantId,
        kind: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError>;

    /// How many records of a kind there are. Their values are not read.
    async fn count(&self, tenant: &TenantId, kind: &str) -> Result<u64, StoreError>;

    /// What a tenant's records and the rows of its audit take, in bytes. It is known and
    /// not counted.
    async fn weigh(&self, tenant: &TenantId) -> Result<(u64, u64), StoreError>;

    /// The tenants that have records, by name.
    async fn tenants(&self) -> Result<Vec<TenantId>, StoreError>;

    /// Takes away records of a tenant, each with its row of the audit: one step of at
    /// most [`SWEEP_ROWS_MAX`](crate::limits::SWEEP_ROWS_MAX) rows. Answers how many
    /// records; 0 says that none is left.
    async fn forget(&self, tenant: &TenantId, stamp: &Stamp) -> Result<usize, StoreError>;

    /// Leaves a row in a tenant's audit for what changes no record.
    async fn witness(
        &self,
        tenant: &TenantId,
        action: &str,
        kind: &str,
        name: &str,
        stamp: &Stamp,
    ) -> Result<(), StoreError>;

    /// At most `limit` rows of the audit above `after`, in order. The first row is 1.
    async fn audit(
        &self,
        tenant: &TenantId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError>;
}

/// What becomes of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub to: ChangeTo,
}

/// See [`Change`].
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeTo {
    /// It has this value, whatever was there.
    Put(Value),
    /// It has the new value, if it has exactly the old one, absent for none.
    Replace {
        /// The old value.
        old: Option<Value>,
        /// The new value.
        new: Value,
    },
    /// It is taken away.
    Delete,
}

/// A named value.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its name, unique within its tenant and kind.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// Who changes something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at_ms: Millis,
    /// Who: a token's or an operator's name, never a secret.
    pub actor: String,
}

/// One change of a tenant's records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place in the tenant's audit, from 1.
    pub seq: u64,
    /// When.
    pub at_ms: Millis,
    /// Who.
    pub actor: String,
    /// `put` or `delete` of a record; another word for what changes none.
    pub action: String,
    /// The kind of the record.
    pub kind: String,
    /// The name of the record.
    pub name: String,
    /// The hash of the new value; absent but for `put`.
    pub digest: Option<Digest>,
    /// The hash of the row before, or of nothing for the first one.
    pub previous: Digest,
    /// The hash of this row with all of the above.
    pub hash: Digest,
}

impl AuditRow {
    /// The row that follows a tenant's last one, of an action on a record or something
    /// else of a kind and a name. `value` is the record's new JSON text.
    pub(crate) fn after(
        last: Option<(u64, Digest)>,
        tenant: &TenantId,
        (action, kind, name): (&str, &str, &str),
        value: Option<&str>,
        stamp: &Stamp,
    ) -> Self {
        let (seq, previous) = successor(last);
        let mut row = Self {
            seq,
            at_ms: stamp.at_ms,
            actor: stamp.actor.clone(),
            action: action.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            digest: value.map(|text| Digest::of(text.as_bytes())),
            previous,
            hash: previous,
        };
        row.hash = row.expected_hash(tenant);
        row
    }

    /// What its words take, hashes in hexadecimal digits.
    pub(crate) fn bytes(&self) -> usize {
        let words = [&self.actor, &self.action, &self.kind, &self.name];
        let hashes = [Some(self.previous), Some(self.hash), self.digest].into_iter().flatten();
        let hashes = hashes.map(|hash| hash.to_string().len()).sum::<usize>();
        words.iter().map(|word| word.len()).sum::<usize>() + hashes
    }

    fn expected_hash(&self, tenant: &TenantId) -> Digest {
        let digest = self.digest.map(|digest| digest.as_bytes().to_vec()).unwrap_or_default();
        Digest::of_parts([
            self.previous.as_bytes().as_slice(),
            tenant.as_str().as_bytes(),
            &self.seq.to_be_bytes(),
            &self.at_ms.to_be_bytes(),
            self.actor.as_bytes(),
            self.action.as_bytes(),
            self.kind.as_bytes(),
            self.name.as_bytes(),
            &digest,
        ])
    }
}

/// Checks that rows follow one another, from the tenant's first row on.
///
/// `last` is the place and hash of the row before these, absent for the first.
/// Answers the place and hash of the last good row. Fails with
/// [`StoreError::Corrupt`], naming the first row that was changed, taken away
/// or put in between. Rows that are missing at the end it cannot see, nor that all
/// of them were written anew: that shows by the place and hash of a last row that
/// somebody keeps elsewhere, as the manifest of a backup does.
pub fn verify(
    tenant: &TenantId,
    last: Option<(u64, Digest)>,
    rows: &[AuditRow],
) -> Result<Option<(u64, Digest)>, StoreError> {
    rows.iter().try_fold(last, |last, row| {
        let (seq, previous) = successor(last);
        let follows = row.seq == seq && row.previous == previous;
        if follows && row.hash == row.expected_hash(tenant) {
            Ok(Some((row.seq, row.hash)))
        } else {
            Err(StoreError::Corrupt(format!(
                "row {seq} of the audit of {tenant} was tampered with"
            )))
        }
    })
}

/// The place of the row after `last`, and the hash that it builds on.
fn successor(last: Option<(u64, Digest)>) -> (u64, Digest) {
    last.map_or_else(|| (1, Digest::of(b"")), |(seq, hash)| (seq + 1, hash))
}
