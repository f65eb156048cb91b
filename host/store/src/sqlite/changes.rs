//! Several changes of records in one step.

use botyard_kernel::id::TenantId;
use rusqlite::Connection;

use super::catalog::Place;
use crate::{Change, ChangeTo, Stamp, StoreError, limits};

/// A change on its way to the writer.
pub(super) struct Prepared {
    place: Place,
    to: To,
}

enum To {
    Put(String),
    Replace(Option<String>, String),
    Delete,
}

impl Prepared {
    pub(super) fn bytes(&self) -> usize {
        match &self.to {
            To::Put(text) | To::Replace(_, text) => text.len(),
            To::Delete => 0,
        }
    }
}

pub(super) fn prepare(tenant: &TenantId, changes: &[Change]) -> Result<Vec<Prepared>, StoreError> {
    limits::changes(changes)?;
    let prepare = |change: &Change| {
        let to = match &change.to {
            ChangeTo::Put(value) => To::Put(limits::record(value)?),
            ChangeTo::Replace { old, new } => {
                let old = old.as_ref().map(limits::record).transpose()?;
                To::Replace(old, limits::record(new)?)
            }
            ChangeTo::Delete => To::Delete,
        };
        Ok(Prepared { place: Place::new(tenant, &change.kind, &change.name), to })
    };
    changes.iter().map(prepare).collect()
}

/// Makes all changes or none. A change sees those before it.
pub(super) fn make(
    database: &Connection,
    changes: &[Prepared],
    stamp: &Stamp,
) -> rusqlite::Result<Result<bool, StoreError>> {
    // The transaction is shared with others, who are not to lose theirs.
    database.execute_batch("SAVEPOINT changes")?;
    let mut made = Ok(true);
    for change in changes {
        made = change.make(database, stamp)?;
        if made != Ok(true) {
            database.execute_batch("ROLLBACK TO changes")?;
            break;
        }
    }
    database.execute_batch("RELEASE changes")?;
    Ok(made)
}

impl Prepared {
    fn make(
        &self,
        database: &Connection,
        stamp: &Stamp,
    ) -> rusqlite::Result<Result<bool, StoreError>> {
        match &self.to {
            To::Put(text) => self.place.put(database, text, stamp).map(|()| Ok(true)),
            To::Replace(old, _) if self.place.find(database)? != *old => Ok(Ok(false)),
            To::Replace(_, new) => self.place.put(database, new, stamp).map(|()| Ok(true)),
            To::Delete if self.place.delete(database, stamp)? => Ok(Ok(true)),
            To::Delete => Ok(Err(StoreError::NotFound)),
        }
    }
}
