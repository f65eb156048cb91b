//! Whether a webhook really comes from the tenant's Userlike account.
//!
//! The vendor signs nothing: it repeats headers that the tenant typed into the
//! dashboard, or calls a URL that nobody else knows.

use http::Method;

use super::settings::Settings;
use crate::webhook::{only, unauthorized};
use crate::{Inbound, Rejection};

/// Refuses what is no POST or does not know the secrets.
pub(super) fn verify(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    only(&Method::POST, "Userlike", request)?;
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
        return Err(unauthorized(reason));
    }
    Ok(())
}
