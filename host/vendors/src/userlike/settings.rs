//! What a tenant writes down for a channel.

use std::fmt;

use botyard_kernel::time::{MINUTE, Millis};
use http::{HeaderName, HeaderValue, Uri};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::dialect::Dialect;
use super::verify::Secrets;
use crate::SettingsError;

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
const WEBHOOK_HEADER: HeaderName = HeaderName::from_static("api-security-token");
/// A URL is easier to guess at and to come by than a header.
const URL_SECRET_CHARACTERS: std::ops::RangeInclusive<usize> = 16..=200;

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
        let Value::Object(mut written) = written else {
            return Err(wrong("the settings of a userlike channel are an object"));
        };
        if let Some(key) = written.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let known = KEYS.join(", ");
            return Err(wrong(&format!("there is no setting `{key}`; known are: {known}")));
        }
        let settings = Self {
            webhook_header: header_name(&mut written)?,
            webhook_secrets: secrets(&mut written, "webhook-secret", header_secret)?,
            url_secrets: secrets(&mut written, "webhook-url-secret", url_secret)?,
            api_url: api_url(&mut written)?,
            api_token: api_token(&mut written)?,
            inline: plain(&mut written, "inline")?.unwrap_or(true),
            hold_ambiguous: plain(&mut written, "hold-ambiguous")?.unwrap_or(false),
            age_max_ms: plain(&mut written, "age-max-ms")?.unwrap_or(15 * MINUTE),
            dialect: plain(&mut written, "dialect")?.unwrap_or_default(),
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

fn wrong(text: &str) -> SettingsError {
    SettingsError(text.to_owned())
}

/// A setting that is no secret: its value may stand in the error.
fn plain<T: DeserializeOwned>(
    written: &mut Map<String, Value>,
    key: &str,
) -> Result<Option<T>, SettingsError> {
    match written.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value)
            .map(Some)
            .map_err(|error| wrong(&format!("`{key}` is wrong: {error}"))),
    }
}

/// A setting whose value must not stand anywhere.
fn text(written: &mut Map<String, Value>, key: &str) -> Result<String, SettingsError> {
    match written.remove(key) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        None | Some(Value::Null) => Err(wrong(&format!(
            "`{key}` is missing: copy it from the bot's API settings in the Userlike dashboard"
        ))),
        Some(_) => Err(wrong(&format!("`{key}` must be a text that is not empty"))),
    }
}

fn header_name(written: &mut Map<String, Value>) -> Result<HeaderName, SettingsError> {
    let Some(name) = plain::<String>(written, "webhook-header")? else {
        return Ok(WEBHOOK_HEADER);
    };
    name.parse().map_err(|_| {
        wrong("`webhook-header` is no name of an HTTP header: use letters, digits, `-`")
    })
}

fn api_url(written: &mut Map<String, Value>) -> Result<String, SettingsError> {
    let url = text(written, "api-url")?;
    let whole = url.parse::<Uri>().is_ok_and(|parsed| {
        matches!(parsed.scheme_str(), Some("http" | "https")) && parsed.host().is_some()
    });
    if !whole {
        return Err(wrong("`api-url` must be a whole address that begins with https://"));
    }
    Ok(url)
}

fn api_token(written: &mut Map<String, Value>) -> Result<HeaderValue, SettingsError> {
    let token = text(written, "api-token")?;
    let mut token = HeaderValue::from_str(&token)
        .map_err(|_| wrong("`api-token` holds characters that no HTTP header can carry"))?;
    token.set_sensitive(true);
    Ok(token)
}

/// One secret, or the old and the new one.
fn secrets(
    written: &mut Map<String, Value>,
    key: &str,
    check: fn(&str) -> Result<(), &'static str>,
) -> Result<Option<Secrets>, SettingsError> {
    let listed = match written.remove(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(listed)) => listed,
        Some(one) => vec![one],
    };
    if listed.is_empty() || listed.len() > 2 {
        return Err(wrong(&format!("`{key}` takes one secret, or two while it is being changed")));
    }
    let texts = listed.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
    let Some(texts) = texts else {
        return Err(wrong(&format!("`{key}` must be a text or a list of two texts")));
    };
    for text in &texts {
        check(text).map_err(|why| wrong(&format!("`{key}` {why}")))?;
    }
    Ok(Some(Secrets::new(&texts)))
}

fn header_secret(secret: &str) -> Result<(), &'static str> {
    if secret.is_empty() || secret.trim() != secret {
        return Err("must not be empty nor begin or end with a blank");
    }
    HeaderValue::from_str(secret)
        .map(|_| ())
        .map_err(|_| "holds characters that no HTTP header can carry")
}

fn url_secret(secret: &str) -> Result<(), &'static str> {
    if !URL_SECRET_CHARACTERS.contains(&secret.len()) {
        return Err("must have 16 to 200 characters");
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if !secret.chars().all(safe) {
        return Err("may hold letters, digits, `-`, `_`, `.` and `~` only: it stands in a URL");
    }
    Ok(())
}
