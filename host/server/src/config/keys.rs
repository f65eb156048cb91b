//! The key by which what is secret lies sealed in the store, where it does not lie in a
//! file of the store's own.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::entry::Entry;
use super::error::Wrong;
use super::section::Section;
use crate::envelope::HostKey;

/// Keys that the settings name; absent: the file beside the store has it.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// The one that seals.
    pub secrets: Option<HostKey>,
    /// The one before, while something is still sealed with it.
    pub secrets_before: Option<HostKey>,
}

impl Keys {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let keys = Self {
            secrets: section.optional("secrets").map(key).transpose()?,
            secrets_before: section.optional("secrets-before").map(key).transpose()?,
        };
        section.finish()?;
        Ok(keys)
    }
}

fn key(entry: Entry<'_>) -> Result<HostKey, Wrong> {
    let expected = "32 bytes in base64, as `openssl rand -base64 32` makes them";
    let wrong = entry.wrong(format!("must be {expected}"));
    let text = entry.hidden(expected, |text| {
        bytes(text).map(drop).ok_or_else(|| "it is something else".to_owned())
    })?;
    bytes(text.expose()).map(HostKey::new).ok_or(wrong)
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    BASE64_STANDARD.decode(text.trim()).ok()?.try_into().ok()
}
