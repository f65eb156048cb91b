//! What may be wrong, in words.

use botyard_kernel::log::Seq;

/// One thing that is wrong in a store, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file itself is damaged.
    #[error("the database file is damaged: {0}; restore the store from a backup")]
    Structure(String),
    /// The row of a conversation does not agree with its entries.
    #[error(
        "conversation {conversation}: its row says {column} = {row}, its entries add up to {entries}; \
         restore the store from a backup, or erase this conversation"
    )]
    Row {
        /// Tenant, channel and the vendor's key.
        conversation: String,
        /// Which column.
        column: &'static str,
        /// What it says.
        row: String,
        /// What it should say.
        entries: String,
    },
    /// Entries are missing.
    #[error(
        "conversation {conversation}: entry {expected} is missing, the next is {found}; \
         restore the store from a backup"
    )]
    Gap {
        /// Tenant, channel and the vendor's key.
        conversation: String,
        /// The first that is missing.
        expected: Seq,
        /// The next that is there.
        found: Seq,
    },
    /// An entry cannot be read.
    #[error("conversation {conversation}, entry {place}: {why}")]
    Unreadable {
        /// Tenant, channel and the vendor's key.
        conversation: String,
        /// The entry.
        place: Seq,
        /// Why, and what to do.
        why: String,
    },
    /// An entry is not what its row says.
    #[error(
        "conversation {conversation}, entry {place}: its row says {row}, it is {entry}; \
         restore the store from a backup"
    )]
    Kind {
        /// Tenant, channel and the vendor's key.
        conversation: String,
        /// The entry.
        place: Seq,
        /// What the row says.
        row: String,
        /// What it is.
        entry: &'static str,
    },
    /// A turn does not follow from the one before.
    #[error(
        "conversation {conversation}, entry {place}: the turn {what}; \
         restore the store from a backup, and report this as a bug of the host if the disk is sound"
    )]
    Turn {
        /// Tenant, channel and the vendor's key.
        conversation: String,
        /// The turn.
        place: Seq,
        /// What is wrong with it.
        what: String,
    },
    /// The index of dead letters does not agree with the settlements.
    #[error(
        "conversation {conversation}, part {part}: as a dead letter it is filed under \
         {}, its entries say {}; restore the store from a backup",
        settlement(*row), settlement(*entries)
    )]
    Letter {
        /// Tenant, channel and the vendor's key.
        conversation: String,
        /// The part.
        part: String,
        /// The settlement that the index names.
        row: Option<Seq>,
        /// The settlement that gave it up, unless it was revived since.
        entries: Option<Seq>,
    },
    /// Something belongs to nobody.
    #[error("{what} belongs to no {owner}; restore the store from a backup")]
    Orphan {
        /// What it is.
        what: String,
        /// What should be there and is not.
        owner: &'static str,
    },
    /// The size of a bot's values is wrong, so that its bound does not hold.
    #[error(
        "bot {bot} of {tenant}: its values have {values} bytes, {row} are on record; \
         restore the store from a backup"
    )]
    Sum {
        /// Whose.
        tenant: String,
        /// Which.
        bot: String,
        /// What is on record.
        row: i64,
        /// What they have.
        values: i64,
    },
    /// Something of an erased conversation is still there.
    #[error(
        "conversation {conversation}: {rows} rows that should be gone are still there; \
         erase it again, and report this as a bug of the host if the disk is sound"
    )]
    Remains {
        /// Tenant, channel and the vendor's key.
        conversation: String,
        /// How many.
        rows: u64,
    },
    /// A note cannot be read.
    #[error("note {note} is damaged; delete it, or restore the store from a backup")]
    Note {
        /// Tenant, kind and name.
        note: String,
    },
    /// How many notes there are, or how large, is wrong, so that their bounds do not hold.
    #[error(
        "notes {notes_of}: they are {} with {} bytes, {} with {} are on record; restore the store \
         from a backup", notes.0, notes.1, row.0, row.1
    )]
    NoteSum {
        /// Tenant and kind.
        notes_of: String,
        /// How many are on record, and their bytes.
        row: (i64, i64),
        /// How many there are, and their bytes.
        notes: (i64, i64),
    },
    /// What a tenant takes is wrong, so that its storage is not what it is said to be.
    #[error(
        "tenant {tenant}: its {part} take {bytes} bytes, {row} are on record; restore the store \
         from a backup"
    )]
    Weight {
        /// Whose.
        tenant: String,
        /// Of what.
        part: String,
        /// What is on record.
        row: i64,
        /// What it is.
        bytes: i64,
    },
    /// Somebody changed the audit.
    #[error("{0}: find out who had access to the database file; the rows before it are good")]
    Audit(String),
    /// A blob is not what its name says.
    #[error("blob {name}: {why}; put the same bytes again, or restore the file from a backup")]
    Blob {
        /// Its file below `blobs`.
        name: String,
        /// What is wrong with it.
        why: String,
    },
}

fn settlement(place: Option<Seq>) -> String {
    place.map_or_else(|| "no settlement".to_owned(), |place| format!("settlement {place}"))
}
