//! What a channel tells Khoros of itself.

use botyard_kernel::id::Digest;
use serde_json::{Map, Value, json};

use super::settings::{Mode, Place, Registration, Settings, WebhookMethod};
use crate::fields::Fields;

/// A registration by what it says: when that changes it is made again.
pub(super) struct Entry {
    /// The body that registers.
    pub(super) body: Value,
    /// The mode that it begins with.
    pub(super) begins: String,
    /// Stands for all of it but the mode; says nothing of the secrets in it.
    pub(super) digest: String,
    /// Where it is found afterwards.
    pub(super) path: String,
}

/// All registrations that the channel wants.
pub(super) fn entries(settings: &Settings) -> Vec<Entry> {
    let Some(registration) = &settings.registration else { return Vec::new() };
    let entry = |place| entry(settings, registration, place);
    registration.places.iter().map(entry).collect()
}

fn entry(settings: &Settings, registration: &Registration, place: &Place) -> Entry {
    let usual = &settings.dialect.registration.mode;
    // A bot that shall rest must not take the place of another for a moment.
    let begins = match settings.mode {
        Mode::Maintenance => Mode::Maintenance.word().unwrap_or_default(),
        Mode::Live | Mode::Retired => usual,
    };
    let path = format!(
        "/registrations/network/{}/externalId/{}/appId/{}",
        super::place::in_url(&place.network),
        super::place::in_url(&place.external_id),
        super::place::in_url(&settings.app_id)
    );
    let said = body(settings, registration, place, usual).to_string();
    Entry {
        body: body(settings, registration, place, begins),
        begins: begins.to_owned(),
        digest: Digest::of(said.as_bytes()).to_string(),
        path,
    }
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
