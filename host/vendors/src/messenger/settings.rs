//! What a tenant writes down for a channel.

use std::fmt;

use botyard_kernel::time::{MINUTE, Millis};
use http::HeaderValue;
use serde_json::Value;

use super::NAME;
use super::dialect::Dialect;
use crate::SettingsError;
use crate::paste::{Paste, secret};
use crate::secrets::Secrets;
use crate::written::{Written, is_whole, wrong};

/// The names of all settings of a channel.
pub const KEYS: [&str; 9] = [
    "app-secret",
    "verify-token",
    "page-token",
    "app-id",
    "graph-url",
    "handover-roles",
    "hold-ambiguous",
    "age-max-ms",
    "dialect",
];

/// What an app subscribes to for a page.
const WEBHOOK_FIELDS: &str = "messages, messaging_postbacks, message_echoes, \
    messaging_referrals, messaging_handovers, standby";

const APP_SECRET: &str = "copy it from the app's basic settings in the Meta dashboard";
const VERIFY_TOKEN: &str =
    "make one up and type the same in where the Meta dashboard subscribes the webhook";
const PAGE_TOKEN: &str =
    "generate one for the page in the Messenger settings of the Meta dashboard";
const APP_ID: &str = "copy it from the top of the app's page in the Meta dashboard";

/// A channel's settings, checked.
pub(super) struct Settings {
    /// What webhooks are signed with: one text, or two.
    pub(super) app_secrets: Vec<String>,
    /// What the subscription of the webhook shows.
    pub(super) verify_tokens: Secrets,
    /// What calls carry: `Bearer` and the token.
    pub(super) authorization: HeaderValue,
    /// Our own id at the vendor.
    pub(super) app_id: String,
    /// Where calls go, without a slash at the end.
    pub(super) graph_url: String,
    /// Sends of unknown outcome wait for a human.
    pub(super) hold_ambiguous: bool,
    /// Older actions are given up.
    pub(super) age_max_ms: Millis,
    /// What the evidence does not prove.
    pub(super) dialect: Dialect,
    /// A hand-off passes control of the thread on. Who rides on this vendor may hand over
    /// in another way.
    pub(super) passes_threads: bool,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("app_id", &self.app_id)
            .field("app_secrets", &self.app_secrets.len())
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Whether what comes in `messaging` is the bot's to answer, whoever spoke before.
    /// An app that takes threads back has no other word: nothing tells it that the
    /// thread is its own again, and what was on its way to `standby` by then says that
    /// it is not.
    pub(super) fn messaging_means_ours(&self) -> bool {
        self.dialect.messaging_means_ours || self.dialect.take_thread && self.passes_threads
    }

    pub(super) fn read(written: Value) -> Result<Self, SettingsError> {
        let mut written = Written::new(NAME, &KEYS, written)?;
        let missing = |key: &str, remedy: &str| wrong(format!("`{key}` is missing: {remedy}"));
        let dialect: Dialect = written.plain("dialect")?.unwrap_or_default();
        Ok(Self {
            app_secrets: written
                .secret_texts("app-secret", unpadded)?
                .ok_or_else(|| missing("app-secret", APP_SECRET))?,
            verify_tokens: written
                .secrets("verify-token", unpadded)?
                .ok_or_else(|| missing("verify-token", VERIFY_TOKEN))?,
            authorization: bearer(&written.token("page-token", PAGE_TOKEN)?)?,
            app_id: app_id(written.plain("app-id")?)?,
            graph_url: graph_url(written.plain("graph-url")?, &dialect)?,
            hold_ambiguous: written.plain("hold-ambiguous")?.unwrap_or(false),
            age_max_ms: written.plain("age-max-ms")?.unwrap_or(15 * MINUTE),
            dialect,
            passes_threads: written.plain("handover-roles")?.unwrap_or(true),
        })
    }
}

fn unpadded(secret: &str) -> Result<(), &'static str> {
    if secret.is_empty() || secret.trim() != secret {
        return Err("must not be empty nor begin or end with a blank");
    }
    Ok(())
}

fn bearer(token: &HeaderValue) -> Result<HeaderValue, SettingsError> {
    let mut value = HeaderValue::from_bytes(&[b"Bearer ", token.as_bytes()].concat())
        .map_err(|_| wrong("`page-token` holds characters that no HTTP header can carry"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// The dashboard shows a number, which a settings file may hold as one.
fn app_id(written: Option<Value>) -> Result<String, SettingsError> {
    let id = match written {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text,
        Some(_) => String::from("?"),
        None => return Err(wrong(format!("`app-id` is missing: {APP_ID}"))),
    };
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong(format!("`app-id` must be digits only: {APP_ID}")));
    }
    Ok(id)
}

fn graph_url(written: Option<String>, dialect: &Dialect) -> Result<String, SettingsError> {
    let url = written.unwrap_or_else(|| dialect.graph_url.clone());
    if !is_whole(&url) {
        return Err(wrong("`graph-url` must be a whole address that begins with https://"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

/// What is pasted at Facebook.
pub(crate) fn paste(settings: &Value, url: &str) -> Vec<Paste> {
    let mut pastes = vec![Paste::new("Callback URL", url)];
    let token = secret(settings, "verify-token");
    pastes.extend(token.map(|token| Paste::new("Verify Token", token)));
    pastes.push(Paste::new("Webhook fields", WEBHOOK_FIELDS));
    pastes
}
