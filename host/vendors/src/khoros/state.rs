//! What upkeep keeps for a channel: its token, and how its registrations stand.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use botyard_kernel::time::{Millis, SECOND};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::receive::millis;
use super::settings::bearer;

/// What is kept for a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct State {
    /// The token that calls carry; absent where it is still that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
    /// When it ends, and since when we have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) obtained_ms: Option<Millis>,
    /// When the last one was made with the user's name and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) made_ms: Option<Millis>,
    /// Stands for the token of the settings that this began with: another one there
    /// means that the tenant wants to begin anew.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) adopted: String,
    /// Khoros does not take the token any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) refused: bool,
    /// The registrations that Khoros took.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) registered: Vec<String>,
    /// The mode of each of them, by the last word that Khoros took.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) modes: BTreeMap<String, String>,
    /// Registrations of which Khoros refused something for good, and when that was.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) put_off: BTreeMap<String, Millis>,
    /// The last look at the bot's health.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) checked_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) health: Option<String>,
    /// Since when each look has found the bot unwell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unwell_ms: Option<Millis>,
}

impl State {
    /// One that cannot be read says nothing.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// As it is kept.
    pub(super) fn written(&self) -> String {
        // Texts, numbers, and lists and tables of texts: it is JSON in any case.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes the token out of an answer; tells whether there was one.
    pub(super) fn take_token(&mut self, body: &[u8], now: Millis) -> bool {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let token = body.pointer("/data/token").and_then(Value::as_str).unwrap_or_default();
        if token.trim().is_empty() || bearer(token).is_none() {
            return false;
        }
        self.token = Some(token.to_owned());
        let told = body.pointer("/data/expiresAtMillis").and_then(millis);
        self.expires_ms = told.or_else(|| Claims::of(token).expires_ms);
        self.obtained_ms = Some(now);
        self.refused = false;
        true
    }
}

/// What a token says of itself. It is Khoros that verifies tokens: here it is only read
/// when a token that somebody else made ends, and how old it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    /// The claim `iat`.
    pub(super) issued_ms: Option<Millis>,
    /// The claim `exp`.
    pub(super) expires_ms: Option<Millis>,
}

impl Claims {
    /// What stands in the middle part of a JWT; nothing where it is none.
    pub(super) fn of(token: &str) -> Self {
        let claims = token.split('.').nth(1).unwrap_or_default().trim_end_matches('=');
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap_or_default();
        let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
        // "NumericDate": seconds, which may have a fraction.
        let time = |name: &str| {
            let seconds = claims.get(name).and_then(Value::as_f64).filter(|it| *it > 0.0)?;
            Some((seconds as Millis).saturating_mul(SECOND))
        };
        Self { issued_ms: time("iat"), expires_ms: time("exp") }
    }
}
