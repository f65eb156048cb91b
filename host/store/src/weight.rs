//! What tenants take.

use std::collections::BTreeMap;

use botyard_kernel::id::BotId;

/// What a tenant takes in the store: names, keys and values as they are written, in bytes.
/// What an engine needs besides, as for an index, is not in it; nor are blobs, which have
/// no owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Entries of its conversations. What was given up, the dead letters, is among them.
    pub conversations: u64,
    /// The values of each of its bots that has any.
    pub values: BTreeMap<BotId, u64>,
    /// Its records.
    pub records: u64,
    /// Its audit, which may begin with an earlier tenant of its name.
    pub audit: u64,
    /// What stands in its notes, until they are swept away.
    pub notes: u64,
}

impl Weight {
    /// All of it.
    pub fn sum(&self) -> u64 {
        let Self { conversations, values, records, audit, notes } = self;
        conversations + values.values().sum::<u64>() + records + audit + notes
    }
}
