//! Tokens of the app: made, refreshed, thrown away.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::options::Options;
use crate::clock::epoch_ms;
use crate::sign::hmac_sha256;

/// The tokens that were made.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    made: u64,
    live: Vec<(String, Duration)>,
}

impl Tokens {
    /// Whether a token is valid now.
    pub(super) fn is_valid(&self, token: Option<&str>, now: Duration) -> bool {
        self.live.iter().any(|(known, until)| Some(&**known) == token && now < *until)
    }

    /// A new token. One is active: the one before stays valid for a while, if at all.
    pub(super) fn make(&mut self, options: &Options, now: Duration, old: Duration) -> Value {
        for (_, until) in &mut self.live {
            *until = (*until).min(now + old);
        }
        self.made += 1;
        let expires = epoch_ms() + u64::try_from(options.token_life.as_millis()).unwrap_or(0);
        let token = jwt(options, self.made, expires);
        self.live.push((token.clone(), now + options.token_life));
        json!({ "token": token, "expiresAtMillis": expires })
    }

    /// Throws all away.
    pub(super) fn clear(&mut self) {
        self.live.clear();
    }
}

fn jwt(options: &Options, number: u64, expires: u64) -> String {
    let head = json!({ "alg": "HS256", "typ": "JWT" });
    let claims =
        json!({ "sub": options.app_id, "jti": number.to_string(), "exp": expires / 1_000 });
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(hmac_sha256("twin", signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// The value of an `Authorization: Basic` header.
pub(super) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{name}:{password}")))
}
