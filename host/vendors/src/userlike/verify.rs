//! Whether a webhook really comes from the tenant's Userlike account.
//!
//! The vendor signs nothing: it repeats headers that the tenant typed into the
//! dashboard, or calls a URL that nobody else knows.

use botyard_kernel::id::Digest;
use botyard_kernel::run::Blame;
use http::{Method, StatusCode};
use subtle::{Choice, ConstantTimeEq};

use super::settings::Settings;
use crate::{Inbound, Rejection};

/// Refuses what is no POST or does not know the secrets.
pub(super) fn verify(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    if request.method != Method::POST {
        return Err(Rejection {
            status: StatusCode::METHOD_NOT_ALLOWED,
            reason: "Userlike webhooks are POST requests".to_owned(),
            blame: Blame::Vendor,
        });
    }
    if let Some(secrets) = &settings.webhook_secrets {
        let name = &settings.webhook_header;
        let Some(value) = request.headers.get(name) else {
            return Err(unauthorized(format!(
                "the header `{name}` is missing: add it to the bot's webhook headers"
            )));
        };
        if !secrets.know(value.as_bytes()) {
            return Err(unauthorized(format!(
                "the header `{name}` is there and does not carry the channel's secret"
            )));
        }
    }
    if let Some(secrets) = &settings.url_secrets
        && !secrets.know(request.rest.as_bytes())
    {
        let reason = if request.rest.is_empty() {
            "the URL ends without the channel's secret"
        } else {
            "the URL ends with something else than the channel's secret"
        };
        return Err(unauthorized(reason.to_owned()));
    }
    Ok(())
}

fn unauthorized(reason: String) -> Rejection {
    Rejection { status: StatusCode::UNAUTHORIZED, reason, blame: Blame::Tenant }
}

/// The secrets that are valid now. Only their hashes are kept: they are of one
/// length, so that a comparison tells nothing, and they cannot be read back.
pub(super) struct Secrets(Vec<Digest>);

impl Secrets {
    pub(super) fn new(texts: &[&str]) -> Self {
        Self(texts.iter().map(|text| Digest::of(text.as_bytes())).collect())
    }

    /// Whether these bytes are one of the secrets, in constant time.
    fn know(&self, bytes: &[u8]) -> bool {
        let given = Digest::of(bytes);
        let none = Choice::from(0);
        self.0.iter().fold(none, |any, live| any | live.as_bytes().ct_eq(given.as_bytes())).into()
    }
}
