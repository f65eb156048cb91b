//! What a tenant writes down for a channel.

use std::fmt;

use botyard_kernel::time::{MINUTE, Millis};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::NAME;
use super::dialect::Dialect;
use crate::SettingsError;
use crate::paste::{Paste, secret};
use crate::secrets::Secrets;
use crate::written::{Written, header_secret, url_secret, wrong};

/// The names of all settings of a channel.
pub const KEYS: [&str; 9] = [
    "webhook-header",
    "webhook-secret",
    "webhook-url-secret",
    "api-url",
    "api-token",
    "inline",
    "hold-ambiguous",
    "age-max-ms",
    "dialect",
];

/// The header of the vendor's sample server.
const WEBHOOK_HEADER: &str = "API-SECURITY-TOKEN";
/// Where the address and the token of calls come from.
const COPY_IT: &str = "copy it from the bot's API settings in the Userlike dashboard";

/// A channel's settings, checked.
pub(super) struct Settings {
    /// The header that carries the secret.
    pub(super) webhook_header: HeaderName,
    /// What the header may say; absent where only the URL is checked.
    pub(super) webhook_secrets: Option<Secrets>,
    /// What may follow the channel's name in the URL; absent where only the
    /// header is checked.
    pub(super) url_secrets: Option<Secrets>,
    /// Where calls go. Unique to the bot, so it is kept like a secret.
    pub(super) api_url: String,
    /// What calls carry.
    pub(super) api_token: HeaderValue,
    /// Actions may ride in answers.
    pub(super) inline: bool,
    /// Sends of unknown outcome wait for a human.
    pub(super) hold_ambiguous: bool,
    /// Older actions are given up.
    pub(super) age_max_ms: Millis,
    /// What the evidence does not prove.
    pub(super) dialect: Dialect,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("webhook_header", &self.webhook_header)
            .field("header_checked", &self.webhook_secrets.is_some())
            .field("url_checked", &self.url_secrets.is_some())
            .field("inline", &self.inline)
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn read(written: Value) -> Result<Self, SettingsError> {
        let mut written = Written::new(NAME, &KEYS, written)?;
        let settings = Self {
            webhook_header: written.header_name("webhook-header", WEBHOOK_HEADER)?,
            webhook_secrets: written.secrets("webhook-secret", header_secret)?,
            url_secrets: written.secrets("webhook-url-secret", url_secret)?,
            api_url: written.url("api-url", COPY_IT)?,
            api_token: written.token("api-token", COPY_IT)?,
            inline: written.plain("inline")?.unwrap_or(true),
            hold_ambiguous: written.plain("hold-ambiguous")?.unwrap_or(false),
            age_max_ms: written.plain("age-max-ms")?.unwrap_or(15 * MINUTE),
            dialect: written.plain("dialect")?.unwrap_or_default(),
        };
        if settings.webhook_secrets.is_none() && settings.url_secrets.is_none() {
            return Err(wrong(
                "anyone could call this webhook: set `webhook-secret` to the value of a webhook \
                 header in the Userlike dashboard, or `webhook-url-secret` where there are none",
            ));
        }
        Ok(settings)
    }
}

/// What is pasted at Userlike.
pub(crate) fn paste(settings: &Value, url: &str) -> Vec<Paste> {
    let url = match secret(settings, "webhook-url-secret") {
        Some(secret) => format!("{url}/<{secret}>"),
        None => url.to_owned(),
    };
    let mut pastes = vec![Paste::new("Webhook URL", url)];
    pastes.extend(Paste::header(settings, WEBHOOK_HEADER));
    pastes
}
