//! Headers of the calls that bots make, whichever way: what goes out, what comes back.

use botyard_kernel::call::{CALL_HEADER_BYTES_MAX, CALL_HEADERS_MAX};
use botyard_kernel::event::Setting;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The method by its name.
pub(super) fn method(name: &str) -> Result<Method, String> {
    Method::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no HTTP method"))
}

/// What a bot wants to send, with the key by which a second try is known.
pub(super) fn outgoing(wanted: &[Setting], idempotency_key: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for Setting { name, value } in wanted {
        let field = HeaderName::try_from(name.as_str());
        let field = field.map_err(|_| format!("`{name}` is no name of a header"))?;
        let value = HeaderValue::try_from(value.as_str());
        let value = value.map_err(|_| format!("the value of the header `{name}` is not legal"))?;
        headers.append(field, value);
    }
    let key = HeaderValue::try_from(idempotency_key).map_err(|error| error.to_string())?;
    headers.insert("idempotency-key", key);
    Ok(headers)
}

/// What a bot is told of an answer's headers: those that are text, as many as fit.
pub(super) fn answered(headers: &HeaderMap) -> Vec<Setting> {
    let mut bytes = 0;
    headers
        .iter()
        .filter_map(|(name, value)| Some(Setting::new(name.as_str(), value.to_str().ok()?)))
        .take(CALL_HEADERS_MAX)
        .take_while(|header| {
            bytes += header.name.len() + header.value.len();
            bytes <= CALL_HEADER_BYTES_MAX
        })
        .collect()
}
