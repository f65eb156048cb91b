//! What a tenant writes down for a channel.

use std::fmt;

use botyard_kernel::time::{MINUTE, Millis};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::NAME;
use super::dialect::Dialect;
use crate::SettingsError;
use crate::paste::{Paste, secret};
use crate::written::{Written, wrong};

/// The names of all settings of a channel.
pub const KEYS: [&str; 21] = [
    "company-key",
    "app-id",
    "gateway-url",
    "token",
    "token-url",
    "user",
    "password",
    "webhook-method",
    "webhook-identity",
    "webhook-secret",
    "callback-url",
    "registrations",
    "mode",
    "bot-name",
    "contact-email",
    "avatar-url",
    "public-filter",
    "metadata",
    "hold-ambiguous",
    "age-max-ms",
    "dialect",
];

const COMPANY: &str = "it is the Analytics API company key in the account's general settings";
const APP: &str = "it is the bot's own name at Khoros, which its token and its registration carry";
const GATEWAY: &str = "it is the Bot API's address for the account's region, for example \
                       https://api.app.lithium.com/bots/v3";
const IDENTITY: &str = "it is the `identity` of the registration's credentials";

/// A channel's settings, checked.
pub(super) struct Settings {
    /// Whose conversations these are; every coordinate says it.
    pub(super) company_key: String,
    /// The bot's id at Khoros.
    pub(super) app_id: String,
    /// Where the Bot API is, without a slash at its end.
    pub(super) gateway_url: String,
    /// A token that exists already.
    pub(super) token: Option<String>,
    /// How to get a token where there is none.
    pub(super) creation: Option<Creation>,
    /// What webhooks show.
    pub(super) webhook: Webhook,
    /// Where this channel registers itself; absent where somebody else did.
    pub(super) registration: Option<Registration>,
    /// How these registrations stand.
    pub(super) mode: Mode,
    /// Sends of unknown outcome wait for a human.
    pub(super) hold_ambiguous: bool,
    /// Older actions are given up.
    pub(super) age_max_ms: Millis,
    /// What the evidence does not prove.
    pub(super) dialect: Dialect,
}

/// How a token is made.
pub(super) struct Creation {
    /// Where.
    pub(super) url: String,
    /// The `Authorization` header of the user.
    pub(super) basic: HeaderValue,
}

/// What webhooks show.
pub(super) struct Webhook {
    /// How.
    pub(super) method: WebhookMethod,
    /// The user name, or the name of the key.
    pub(super) identity: String,
    /// One, or two while it is being changed; a registration gets the first.
    pub(super) secrets: Vec<String>,
    /// The header of signatures, out of the dialect.
    pub(super) signature_header: HeaderName,
}

/// How webhooks show that they know the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WebhookMethod {
    /// HTTP Basic authentication.
    Basic,
    /// A signature of the body.
    Hmac,
}

/// What this channel tells Khoros of itself.
pub(super) struct Registration {
    /// Where webhooks go.
    pub(super) callback_url: String,
    /// On which networks.
    pub(super) places: Vec<Place>,
    /// What people see.
    pub(super) name: String,
    /// Whom Khoros may write to.
    pub(super) contact_email: Option<String>,
    /// The address of a picture.
    pub(super) avatar_url: Option<String>,
    /// Which public messages the bot gets, in the vendor's own form.
    pub(super) public_filter: Option<Map<String, Value>>,
    /// Comes back with each event.
    pub(super) metadata: Option<Map<String, Value>>,
}

/// How the channel's registrations stand at Khoros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    /// The bot gets webhooks.
    #[default]
    Live,
    /// It gets none: what comes goes to agents.
    Maintenance,
    /// There are none any more, nor the token that the host got for them.
    Retired,
}

impl Mode {
    /// The vendor's word for it.
    pub(super) fn word(self) -> Option<&'static str> {
        match self {
            Self::Live => Some("LIVE"),
            Self::Maintenance => Some("MAINTENANCE"),
            Self::Retired => None,
        }
    }
}

/// An account of the brand on a network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Place {
    /// The `networkKey`.
    pub(super) network: String,
    /// The account's id there.
    pub(super) external_id: String,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("app_id", &self.app_id)
            .field("webhook_method", &self.webhook.method)
            .field("has_token", &self.token.is_some())
            .field("makes_tokens", &self.creation.is_some())
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn read(written: Value) -> Result<Self, SettingsError> {
        let mut written = Written::new(NAME, &KEYS, written)?;
        let dialect: Dialect = written.plain("dialect")?.unwrap_or_default();
        let token = written.secret("token")?;
        if token.as_ref().is_some_and(|token| bearer(token).is_none()) {
            return Err(wrong("`token` holds characters that no HTTP header can carry"));
        }
        let settings = Self {
            company_key: written.text("company-key", COMPANY)?,
            app_id: written.text("app-id", APP)?,
            gateway_url: written.url("gateway-url", GATEWAY)?.trim_end_matches('/').to_owned(),
            token,
            creation: creation(&mut written)?,
            webhook: webhook(&mut written, &dialect)?,
            registration: registration(&mut written)?,
            mode: written.plain("mode")?.unwrap_or_default(),
            hold_ambiguous: written.plain("hold-ambiguous")?.unwrap_or(false),
            age_max_ms: written.plain("age-max-ms")?.unwrap_or(15 * MINUTE),
            dialect,
        };
        if settings.mode != Mode::Live && settings.registration.is_none() {
            return Err(wrong(
                "`mode` is that of the channel's own `registrations`, and there are none: change \
                 it with the program that registered the bot",
            ));
        }
        if settings.token.is_none() && settings.creation.is_none() {
            return Err(wrong(
                "no call can be made: set `token` to the bot's token, or `token-url`, `user` and \
                 `password` so that one can be made",
            ));
        }
        Ok(settings)
    }
}

/// The header that calls carry.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn creation(written: &mut Written) -> Result<Option<Creation>, SettingsError> {
    let (user, password) = (written.secret("user")?, written.secret("password")?);
    let url = written.secret("token-url")?;
    match (url, user, password) {
        (None, None, None) => Ok(None),
        (Some(url), Some(user), Some(password)) => {
            if !crate::written::is_whole(&url) {
                return Err(wrong("`token-url` must be a whole address that begins with https://"));
            }
            if user.contains(':') {
                return Err(wrong("`user` must not hold a colon: HTTP Basic cannot carry it"));
            }
            Ok(Some(Creation { url, basic: super::verify::basic(&user, &password) }))
        }
        _ => Err(wrong("`token-url`, `user` and `password` belong together: set all or none")),
    }
}

fn webhook(written: &mut Written, dialect: &Dialect) -> Result<Webhook, SettingsError> {
    let identity = written.text("webhook-identity", IDENTITY)?;
    if identity.contains(':') {
        return Err(wrong("`webhook-identity` must not hold a colon: HTTP Basic cannot carry it"));
    }
    let secrets = written.secret_texts("webhook-secret", not_empty)?.ok_or_else(|| {
        wrong("`webhook-secret` is missing: it is the `secret` of the registration's credentials")
    })?;
    let signature_header = dialect.hmac.header.parse().map_err(|_| {
        wrong("`header` of the dialect's `hmac` is no name of an HTTP header: use letters, digits, `-`")
    })?;
    Ok(Webhook {
        method: written.plain("webhook-method")?.unwrap_or(WebhookMethod::Basic),
        identity,
        secrets,
        signature_header,
    })
}

fn not_empty(secret: &str) -> Result<(), &'static str> {
    if secret.trim().is_empty() { Err("must not be empty") } else { Ok(()) }
}

fn registration(written: &mut Written) -> Result<Option<Registration>, SettingsError> {
    let places: Vec<Place> = written.plain("registrations")?.unwrap_or_default();
    // Whoever knows the URL still needs the secret, but it may hold one itself.
    let callback_url = written.secret("callback-url")?;
    let name: Option<String> = written.plain("bot-name")?;
    let contact_email = written.plain("contact-email")?;
    let avatar_url = written.plain("avatar-url")?;
    let public_filter = written.plain("public-filter")?;
    let metadata = written.plain("metadata")?;
    if places.is_empty() {
        return Ok(None);
    }
    if places.iter().any(|place| place.network.is_empty() || place.external_id.is_empty()) {
        return Err(wrong("each of `registrations` needs a `network` and an `external-id`"));
    }
    let Some(callback_url) = callback_url else {
        return Err(wrong("`callback-url` is missing: registrations say where webhooks go"));
    };
    if !crate::written::is_whole(&callback_url) {
        return Err(wrong("`callback-url` must be a whole address that begins with https://"));
    }
    let name = name.unwrap_or_else(|| "Botyard".to_owned());
    let optional = (contact_email, avatar_url, public_filter, metadata);
    let (contact_email, avatar_url, public_filter, metadata) = optional;
    Ok(Some(Registration {
        callback_url,
        places,
        name,
        contact_email,
        avatar_url,
        public_filter,
        metadata,
    }))
}

/// What is pasted at Khoros, where the host does not register by itself.
pub(crate) fn paste(settings: &Value, url: &str) -> Vec<Paste> {
    if settings["registrations"].as_array().is_some_and(|registrations| !registrations.is_empty()) {
        let what = format!("nothing: the host registers {url} by itself");
        return vec![Paste::new("callbackUrl", what)];
    }
    let method = settings["webhook-method"].as_str().unwrap_or("basic");
    let kind = if method == "hmac" { "HMAC" } else { "BASIC_AUTH" };
    let mut pastes = vec![Paste::new("callbackUrl", url), Paste::new("credentials, type", kind)];
    if let Some(identity) = settings["webhook-identity"].as_str() {
        pastes.push(Paste::new("credentials, identity", identity));
    }
    let secret = secret(settings, "webhook-secret");
    pastes.extend(secret.map(|secret| Paste::new("credentials, secret", secret)));
    pastes
}
