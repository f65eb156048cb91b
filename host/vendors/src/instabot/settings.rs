//! What a tenant writes down for a channel.

use std::fmt;

use botyard_kernel::time::{MINUTE, Millis};
use serde_json::Value;

use super::NAME;
use super::dialect::Dialect;
use super::stream::StreamKeys;
use crate::SettingsError;
use crate::paste::{Paste, secret};
use crate::secrets::Secrets;
use crate::written::{Written, wrong};

/// The names of all settings of a channel.
pub const KEYS: [&str; 7] = [
    "bot-id",
    "api-key",
    "stream-secret",
    "allow-callbacks",
    "hold-ambiguous",
    "age-max-ms",
    "dialect",
];

const API_KEY_BYTES_MAX: usize = 200;
/// Nobody types it, so it may be long; a short one could be found by trying.
const STREAM_SECRET_BYTES: std::ops::RangeInclusive<usize> = 32..=200;

/// A channel's settings, checked.
pub(super) struct Settings {
    /// What clients call the bot.
    pub(super) bot_id: u64,
    /// What clients show.
    pub(super) api_keys: Secrets,
    /// What stream ids are signed with.
    pub(super) streams: StreamKeys,
    /// What comes late may be posted to a chat's callback URL.
    pub(super) allow_callbacks: bool,
    /// Posts of unknown outcome wait for a human.
    pub(super) hold_ambiguous: bool,
    /// Older actions are given up.
    pub(super) age_max_ms: Millis,
    /// What the evidence does not prove.
    pub(super) dialect: Dialect,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("bot_id", &self.bot_id)
            .field("allow_callbacks", &self.allow_callbacks)
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn read(written: Value) -> Result<Self, SettingsError> {
        let mut written = Written::new(NAME, &KEYS, written)?;
        let bot_id = written.plain("bot-id")?.ok_or_else(|| {
            wrong("`bot-id` is missing: set it to the number that clients send as `botId`")
        })?;
        let api_keys = written.secrets("api-key", api_key)?.ok_or_else(|| {
            wrong("`api-key` is missing: set it to what clients shall send as `apiKey`")
        })?;
        let stream_secrets =
            written.secret_texts("stream-secret", stream_secret)?.ok_or_else(|| {
                wrong(
                    "`stream-secret` is missing: without one strangers could make up stream ids; \
                     set it to 32 random characters or more, which no client needs to know",
                )
            })?;
        let dialect: Dialect = written.plain("dialect")?.unwrap_or_default();
        check_statuses(&dialect)?;
        Ok(Self {
            bot_id,
            api_keys,
            streams: StreamKeys::new(&stream_secrets, bot_id)?,
            allow_callbacks: written.plain("allow-callbacks")?.unwrap_or(true),
            hold_ambiguous: written.plain("hold-ambiguous")?.unwrap_or(false),
            age_max_ms: written.plain("age-max-ms")?.unwrap_or(15 * MINUTE),
            dialect,
        })
    }
}

/// A refusal must look like one: no client may take it for a chat.
fn check_statuses(dialect: &Dialect) -> Result<(), SettingsError> {
    let statuses = dialect.errors.statuses();
    match statuses.iter().find(|(_, status)| !(400..=599).contains(status)) {
        Some((name, status)) => Err(wrong(format!(
            "`dialect` is wrong: `errors.{name}` must be a status from 400 to 599, not {status}"
        ))),
        None => Ok(()),
    }
}

fn api_key(key: &str) -> Result<(), &'static str> {
    if key.is_empty() || key.trim() != key {
        return Err("must not be empty nor begin or end with a blank");
    }
    if key.len() > API_KEY_BYTES_MAX {
        return Err("must have at most 200 bytes");
    }
    Ok(())
}

fn stream_secret(secret: &str) -> Result<(), &'static str> {
    if !STREAM_SECRET_BYTES.contains(&secret.len()) {
        return Err("must have 32 to 200 bytes, at random");
    }
    Ok(())
}

/// What is pasted into a client of the Chat API.
pub(crate) fn paste(settings: &Value, url: &str) -> Vec<Paste> {
    let mut pastes = vec![Paste::new("address, before `/secure/send`", url)];
    if !settings["bot-id"].is_null() {
        let number = &settings["bot-id"];
        let number = number.as_str().map_or_else(|| number.to_string(), str::to_owned);
        pastes.push(Paste::new("botId", number));
    }
    pastes.extend(secret(settings, "api-key").map(|key| Paste::new("apiKey", key)));
    pastes
}
