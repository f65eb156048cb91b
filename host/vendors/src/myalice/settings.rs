//! What a tenant writes down for a channel.

use std::fmt;

use botyard_kernel::time::{MINUTE, Millis};
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::dialect::Dialect;
use super::form::Form;
use super::{NAME, ids, profile};
use crate::SettingsError;
use crate::paste::{Paste, secret};
use crate::secrets::Secrets;
use crate::written::{Written, header_secret, url_secret, wrong};

/// The names of all settings of a channel.
pub const KEYS: [&str; 9] = [
    "webhook-header",
    "webhook-secret",
    "tickets-url-secret",
    "api-key",
    "wait-text",
    "platform-ids",
    "hold-ambiguous",
    "age-max-ms",
    "dialect",
];
/// Characters of `wait-text`: those of any text.
pub const WAIT_TEXT_CHARACTERS_MAX: usize = profile::TEXT_CHARACTERS;

/// The vendor leaves the name to the tenant.
const WEBHOOK_HEADER: &str = "X-Secret";

/// A channel's settings, checked.
pub(super) struct Settings {
    /// The header that carries the secret.
    pub(super) webhook_header: HeaderName,
    /// What the header may say.
    pub(super) webhook_secrets: Secrets,
    /// What may follow `tickets/` in the URL; absent where ticket webhooks carry the
    /// header.
    pub(super) tickets_url_secrets: Option<Secrets>,
    /// What calls carry.
    pub(super) api_key: HeaderValue,
    /// What a text block shows when what it is to show follows later.
    pub(super) wait_text: String,
    /// The platforms that may use the channel; absent where all may.
    platform_ids: Option<Vec<String>>,
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
            .field("tickets_url_checked", &self.tickets_url_secrets.is_some())
            .field("platform_ids", &self.platform_ids)
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn read(written: Value) -> Result<Self, SettingsError> {
        let mut written = Written::new(NAME, &KEYS, written)?;
        let webhook_secrets =
            written.secrets("webhook-secret", header_secret)?.ok_or_else(|| {
                wrong(
                    "anyone could call this webhook: set `webhook-secret` to the value of a header \
                 that every API of MyAlice's Integration page carries",
                )
            })?;
        let key_is = "ask for it in the API settings of the MyAlice project";
        Ok(Self {
            webhook_header: written.header_name("webhook-header", WEBHOOK_HEADER)?,
            webhook_secrets,
            tickets_url_secrets: written.secrets("tickets-url-secret", url_secret)?,
            api_key: written.token("api-key", key_is)?,
            wait_text: wait_text(&mut written)?,
            platform_ids: platform_ids(&mut written)?,
            hold_ambiguous: written.plain("hold-ambiguous")?.unwrap_or(false),
            age_max_ms: written.plain("age-max-ms")?.unwrap_or(15 * MINUTE),
            dialect: dialect(&mut written)?,
        })
    }

    /// Whether the channel is for this platform.
    pub(super) fn takes_platform(&self, id: &str) -> bool {
        self.platform_ids.as_ref().is_none_or(|ids| ids.iter().any(|known| known == id))
    }
}

fn wait_text(written: &mut Written) -> Result<String, SettingsError> {
    let text = written.plain::<String>("wait-text")?.unwrap_or_default();
    if text.chars().count() > WAIT_TEXT_CHARACTERS_MAX {
        let most = WAIT_TEXT_CHARACTERS_MAX;
        return Err(wrong(format!("`wait-text` has more than {most} characters: shorten it")));
    }
    Ok(text)
}

fn platform_ids(written: &mut Written) -> Result<Option<Vec<String>>, SettingsError> {
    let Some(listed) = written.plain::<Vec<Value>>("platform-ids")? else { return Ok(None) };
    let ids: Option<Vec<String>> = listed.iter().map(ids::id).collect();
    match ids {
        Some(ids) if !ids.is_empty() => Ok(Some(ids)),
        Some(_) | None => Err(wrong(
            "`platform-ids` must list ids of MyAlice channels, whole numbers; leave it out to \
             take all",
        )),
    }
}

fn dialect(written: &mut Written) -> Result<Dialect, SettingsError> {
    let dialect = written.plain::<Dialect>("dialect")?.unwrap_or_default();
    dialect.check().map_err(|error| wrong(format!("`dialect` is wrong: {error}")))?;
    Ok(dialect)
}

/// What is pasted at `MyAlice`.
pub(crate) fn paste(settings: &Value, url: &str) -> Vec<Paste> {
    let mut pastes: Vec<_> = Form::ALL
        .iter()
        .map(|form| {
            let form = form.name();
            let field = format!("URL of an \"API\" with the output type {form}");
            Paste::new(field, format!("{url}/{form}/<a name for the place>"))
        })
        .collect();
    pastes.extend(Paste::header(settings, WEBHOOK_HEADER));
    let tickets = match secret(settings, "tickets-url-secret") {
        Some(secret) => format!("{url}/tickets/<{secret}>"),
        None => format!("{url}/tickets"),
    };
    pastes.push(Paste::new("URL of ticket webhooks, where the plan has them", tickets));
    pastes
}
