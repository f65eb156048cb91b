//! What a channel tells Khoros of itself.

use botyard_kernel::id::Digest;
use serde_json::{Map, Value, json};

use super::settings::{Place, Registration, Settings, WebhookMethod};
use crate::fields::Fields;

const LIVE: &str = "LIVE";

/// A registration by what it says: when that changes it is made again.
pub(super) struct Entry {
    /// The body that registers.
    pub(super) body: Value,
    /// Stands for it; says nothing of the secrets in it.
    pub(super) digest: String,
    /// The path that sets the bot live afterwards, where it does not begin so.
    pub(super) live: Option<String>,
}

/// All registrations that the channel wants.
pub(super) fn entries(settings: &Settings) -> Vec<Entry> {
    let Some(registration) = &settings.registration else { return Vec::new() };
    let entry = |place| entry(settings, registration, place);
    registration.places.iter().map(entry).collect()
}

fn entry(settings: &Settings, registration: &Registration, place: &Place) -> Entry {
    let mode = &settings.dialect.registration.mode;
    let body = body(settings, registration, place, mode);
    let live = (mode != LIVE).then(|| {
        format!(
            "/registrations/network/{}/externalId/{}/appId/{}/mode/{LIVE}",
            super::place::in_url(&place.network),
            super::place::in_url(&place.external_id),
            super::place::in_url(&settings.app_id)
        )
    });
    let digest = Digest::of(body.to_string().as_bytes()).to_string();
    Entry { body, digest, live }
}

fn body(settings: &Settings, registration: &Registration, place: &Place, mode: &str) -> Value {
    let webhook = &settings.webhook;
    let kind = match webhook.method {
        WebhookMethod::Basic => "BASIC_AUTH",
        WebhookMethod::Hmac => "HMAC",
    };
    // The settings hold one secret at least.
    let secret = webhook.secrets.first().map(String::as_str).unwrap_or_default();
    let credentials = json!({ "type": kind, "identity": webhook.identity, "secret": secret });
    let object = |it: &Map<String, Value>| Value::Object(it.clone());
    Fields::new()
        .with("platform", "LITHIUM")
        .with("companyKey", &*settings.company_key)
        .with("networkKey", &*place.network)
        .with("externalId", &*place.external_id)
        .with("appId", &*settings.app_id)
        .with("name", &*registration.name)
        .with("callbackUrl", &*registration.callback_url)
        .with("mode", mode)
        .some("publicFilter", registration.public_filter.as_ref().map(object))
        .with("credentials", credentials)
        .some("contact", registration.contact_email.as_ref().map(|it| json!({ "email": it })))
        .some("avatarUrl", registration.avatar_url.as_deref())
        .some("metadata", registration.metadata.as_ref().map(object))
        .into()
}
