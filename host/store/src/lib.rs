//! Durable state behind four traits: [`Log`] (conversations, with their [`Archive`]),
//! [`Catalog`] (tenants, bots, channels and their audit), [`Notes`] (what is neither,
//! and ends by itself) and [`Blobs`] (large bytes by their hash).
//!
//! The crate decides nothing about bots or vendors: it keeps entries, answers
//! who was first, and says "written" only about what is on stable storage.
//! [`sqlite`] is the embedded engine, [`MemoryStore`] the model that it is
//! compared with. Errors are an enum because callers act on them: a full disk
//! and an engine out of order both answer 503, a foreign object answers 404.

pub mod archive;
pub mod blobs;
pub mod catalog;
mod erasure;
pub mod error;
mod lease;
pub mod limits;
pub mod log;
mod memory;
pub mod notes;
mod scope;
pub mod sqlite;
mod value;
mod weight;

#[cfg(test)]
mod contract;

pub use crate::archive::{Archive, BotTurn, Cause, Place, Summary, Which};
pub use crate::blobs::{BlobDirectory, Blobs};
pub use crate::catalog::{AuditRow, Catalog, Change, ChangeTo, Record, Stamp};
pub use crate::error::{OpenError, StoreError};
pub use crate::log::{Commit, DeadLetter, DuePlace, Lease, Loaded, Log};
pub use crate::memory::{Fault, MemoryStore};
pub use crate::notes::{Count, Notes, NotesSize};
pub use crate::scope::{HostStore, OPERATOR, Person, Store, TenantStore};
pub use crate::sqlite::{BackupError, Counters, Disk, Held, Manifest, SqliteStore};
pub use crate::weight::Weight;
