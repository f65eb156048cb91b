//! How entries of a log are written down: versioned, apart from the types that
//! the code computes with, so that either can change without the other.
//!
//! An entry is one JSON text, `{"v":1,"e":…}`. What has a canonical JSON of its
//! own (events, actions, facts, ids, staged writes) is kept in that form. A
//! version, once released, is only ever read differently, never written
//! differently: a change of form is a new version with its own file here.

pub mod v1;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::log;

/// Why a stored entry cannot be read. It is the host's fault, never a bot's.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// A newer host wrote it.
    #[error(
        "the entry has form {found}, this host reads up to form {newest}: start a host at least as new as the one that wrote it"
    )]
    UnknownVersion {
        /// What the entry says.
        found: u32,
        /// The newest form that this host reads.
        newest: u32,
    },
    /// It is no entry, or a damaged one.
    #[error("the entry is damaged ({0}): restore it from a backup")]
    Malformed(#[from] serde_json::Error),
}

/// Writes an entry in the newest form.
///
/// Takes an entry or, without copying it, one of its parts: an arrival, a
/// call, a turn, a settlement.
pub fn encode<'a>(entry: impl Into<v1::Entry<'a>>) -> Vec<u8> {
    let envelope = Envelope { v: v1::VERSION, e: entry.into() };
    serde_json::to_vec(&envelope).expect("every map of a stored form has text keys")
}

/// Reads an entry in any known form.
pub fn decode(bytes: &[u8]) -> Result<log::Entry, StoredError> {
    let envelope: Envelope<&RawValue> = serde_json::from_slice(bytes)?;
    match envelope.v {
        v1::VERSION => Ok(serde_json::from_str::<v1::Entry<'_>>(envelope.e.get())?.into()),
        found => Err(StoredError::UnknownVersion { found, newest: v1::VERSION }),
    }
}

#[derive(Serialize, Deserialize)]
struct Envelope<E> {
    v: u32,
    e: E,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_version_is_said_in_words() {
        let error = decode(br#"{"v":2,"e":{"something":"else"}}"#).unwrap_err();
        assert!(matches!(error, StoredError::UnknownVersion { found: 2, newest: 1 }), "{error}");
        assert!(error.to_string().contains("start a host at least as new"), "{error}");
    }

    #[test]
    fn damage_is_an_error() {
        for damaged in
            ["", "{", "null", r#"{"v":1}"#, r#"{"v":1,"e":{}}"#, r#"{"v":1,"e":{"turn":{}}}"#]
        {
            let error = decode(damaged.as_bytes()).unwrap_err();
            assert!(matches!(error, StoredError::Malformed(_)), "{damaged}: {error}");
        }
    }
}
