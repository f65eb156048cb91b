//! How large things may be, and how they are written down.

use botyard_kernel::id::ConversationKey;
use botyard_kernel::limits::Limit;
use botyard_kernel::log::{Arrival, Call, Entry, Settled, Turn};
use botyard_kernel::stored;

use crate::{Change, StoreError};

/// An event on its way, as it is written (bytes).
pub const ARRIVAL_BYTES_MAX: usize = 256 * 1024;
/// A turn, as it is written (bytes).
pub const TURN_BYTES_MAX: usize = 512 * 1024;
/// A recorded call, as it is written (bytes): the 1 MiB that an answer may
/// have, and room for its escaping.
pub const CALL_BYTES_MAX: usize = 2 * 1024 * 1024;
/// A settlement without its events, as it is written (bytes).
pub const SETTLED_BYTES_MAX: usize = 256 * 1024;
/// The vendor's own key of a conversation (bytes).
pub const VENDOR_KEY_BYTES_MAX: usize = 1024;
/// All values of one bot with their keys (bytes).
pub const BOT_VALUES_BYTES_MAX: usize = Limit::BotValuesBytes.preset_size();
/// A record of the catalog (bytes of JSON).
pub const RECORD_BYTES_MAX: usize = 256 * 1024;
/// A note (bytes of JSON).
pub const NOTE_BYTES_MAX: usize = 256 * 1024;
/// What a sweep changes in one step (rows), so that nobody waits behind it for long.
pub const SWEEP_ROWS_MAX: usize = 256;
/// Changes of records that are made in one step.
pub const CHANGES_MAX: usize = 64;
/// A blob (bytes).
pub const BLOB_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(crate) fn arrival(arrival: &Arrival) -> Result<Vec<u8>, StoreError> {
    bounded("an event", stored::encode(arrival), ARRIVAL_BYTES_MAX)
}

pub(crate) fn call(call: &Call) -> Result<Vec<u8>, StoreError> {
    bounded("a recorded call", stored::encode(call), CALL_BYTES_MAX)
}

pub(crate) fn turn(turn: &Turn) -> Result<Vec<u8>, StoreError> {
    bounded("a turn", stored::encode(turn), TURN_BYTES_MAX)
}

/// The settlement alone: its events are entries of their own.
pub(crate) fn settled(settled: &Settled) -> Result<Vec<u8>, StoreError> {
    let alone = Settled { events: Vec::new(), ..settled.clone() };
    bounded("a settlement", stored::encode(&alone), SETTLED_BYTES_MAX)
}

/// Any entry.
pub(crate) fn entry(entry: &Entry) -> Result<Vec<u8>, StoreError> {
    match entry {
        Entry::Accepted(accepted) => arrival(accepted),
        Entry::Called(called) => call(called),
        Entry::Turn(own) => turn(own),
        Entry::Settled(own) => settled(own),
    }
}

pub(crate) fn record(value: &serde_json::Value) -> Result<String, StoreError> {
    let text = value.to_string();
    check("a record", text.len(), RECORD_BYTES_MAX)?;
    Ok(text)
}

pub(crate) fn changes(changes: &[Change]) -> Result<(), StoreError> {
    let count = changes.len();
    if count > CHANGES_MAX { Err(StoreError::TooMany { count, max: CHANGES_MAX }) } else { Ok(()) }
}

pub(crate) fn note(value: &serde_json::Value) -> Result<String, StoreError> {
    let text = value.to_string();
    check("a note", text.len(), NOTE_BYTES_MAX)?;
    Ok(text)
}

pub(crate) fn blob(bytes: &[u8]) -> Result<(), StoreError> {
    check("a blob", bytes.len(), BLOB_BYTES_MAX)
}

pub(crate) fn key(key: &ConversationKey) -> Result<(), StoreError> {
    check("the vendor's key of a conversation", key.vendor_key.len(), VENDOR_KEY_BYTES_MAX)
}

/// Reads an entry that the store has written.
pub(crate) fn decode(bytes: &[u8]) -> Result<Entry, StoreError> {
    stored::decode(bytes).map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn bounded(what: &'static str, bytes: Vec<u8>, max: usize) -> Result<Vec<u8>, StoreError> {
    check(what, bytes.len(), max)?;
    Ok(bytes)
}

fn check(what: &'static str, bytes: usize, max: usize) -> Result<(), StoreError> {
    if bytes > max { Err(StoreError::TooLarge { what, bytes, max }) } else { Ok(()) }
}
