//! Power cuts under the real store.
//!
//! [`Recorder`] stands between `SQLite` and the unix file system: everything goes
//! on to the disk as always, and every write, truncation, flush and deletion is
//! noted in one order. [`workload`] uses a store on top of it and notes for each
//! verb when it was asked and when it was answered. Afterwards [`Disk`] builds
//! what a disk may hold at any point of that order (what was flushed, and of the
//! rest whatever chance leaves), and [`check`] opens it with the real store and
//! looks for everything that had been acknowledged.
//!
//! The disk of this model writes sectors of 512 bytes whole, and does not spoil
//! a neighbour of what it writes (`SQLite` calls that a power-safe overwrite).
//! Blobs do not go through `SQLite`; their own test says how they are kept.

pub mod check;
pub mod disk;
pub mod points;
pub mod trace;
mod vfs;
pub mod workload;

pub use crate::disk::Disk;
pub use crate::trace::{Change, Fault, Recorder};
