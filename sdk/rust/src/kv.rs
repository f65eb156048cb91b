//! Values that outlive a session.
//!
//! Writes are part of the turn: they take effect when it is committed and vanish
//! when it fails. Keys are 1 to 256 bytes, values at most 64 KiB.
//!
//! A turn has at most 1,000 writes of together at most 256 KiB (keys and the values
//! that they leave), and reads at most 1,000 different keys of the bot's scope,
//! those that it wrote included. What goes beyond fails with [`Cause::Other`].
//!
//! The conversation's scope says at once when it is full, the bot's does not:
//! others write to it at the same time. A write that would carry it beyond 16 MiB
//! is left out when the turn is committed; the turn itself stands, and the host's
//! log names the bot. In a test the line is in
//! [`Chat::log`](crate::testing::Chat::log).

use std::fmt;

use crate::turn::Host;

pub use crate::bindings::botyard::bot::kv::{Error as Cause, Scope};

/// The values of one [`Scope`]; see [`Turn::conversation_kv`](crate::Turn::conversation_kv)
/// and [`Turn::bot_kv`](crate::Turn::bot_kv).
#[derive(Clone, Copy)]
pub struct Kv<'a> {
    host: &'a Host,
    scope: Scope,
}

impl<'a> Kv<'a> {
    pub(crate) fn new(host: &'a Host, scope: Scope) -> Self {
        Self { host, scope }
    }

    /// The value of a key, if there is one.
    ///
    /// # Errors
    /// [`Cause::InvalidKey`], or [`Cause::Other`] past the limits of a turn.
    pub fn get(&self, key: &str) -> Result<Option<String>, Error> {
        self.host.kv_get(self.scope, key).map_err(|cause| Error::new(key, cause))
    }

    /// Puts a value in the place of the old one.
    ///
    /// # Errors
    /// [`Cause::InvalidKey`], [`Cause::ValueTooLarge`], in the conversation's scope
    /// [`Cause::QuotaExceeded`], or [`Cause::Other`] past the limits of a turn.
    pub fn set(&self, key: &str, value: &str) -> Result<(), Error> {
        self.host.kv_set(self.scope, key, value).map_err(|cause| Error::new(key, cause))
    }

    /// Takes a value away; a key without one is no error.
    ///
    /// # Errors
    /// [`Cause::InvalidKey`], or [`Cause::Other`] past the limits of a turn.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        self.host.kv_delete(self.scope, key).map_err(|cause| Error::new(key, cause))
    }

    /// Adds to a decimal integer, 0 where there is none. Answers the sum as this
    /// turn sees it.
    ///
    /// # Errors
    /// [`Cause::InvalidKey`], [`Cause::NotANumber`], in the conversation's scope
    /// [`Cause::QuotaExceeded`], or [`Cause::Other`] past the limits of a turn.
    pub fn add(&self, key: &str, delta: i64) -> Result<i64, Error> {
        self.host.kv_add(self.scope, key, delta).map_err(|cause| Error::new(key, cause))
    }
}

/// Why a value could not be read or written.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// The key.
    pub key: String,
    /// What is wrong.
    pub cause: Cause,
}

impl Error {
    fn new(key: &str, cause: Cause) -> Self {
        Self { key: key.to_owned(), cause }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.cause {
            Cause::InvalidKey => {
                write!(f, "a key has to be 1 to 256 bytes, this one has {}", key.len())
            }
            Cause::ValueTooLarge => write!(f, "the value of `{key}` is longer than 64 KiB"),
            Cause::QuotaExceeded => {
                write!(f, "there is no room for `{key}`; delete values or store less")
            }
            Cause::NotANumber => {
                write!(f, "`{key}` holds no decimal integer of 64 bits that could be added to")
            }
            Cause::Other(reason) => write!(f, "`{key}` is not usable: {reason}"),
        }
    }
}

impl std::error::Error for Error {}
