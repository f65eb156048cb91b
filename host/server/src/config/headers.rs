//! Headers that are added to a bot's calls.

use http::{HeaderName, HeaderValue};

use super::error::Wrong;
use super::section::Section;
use crate::send::{HostPattern, SecretHeaders, is_reserved};

/// Reads headers by host. Their values never stand in errors.
pub(super) fn read(section: Section<'_>) -> Result<SecretHeaders, Wrong> {
    let mut hosts = Vec::new();
    for (host, entry) in section.entries() {
        let path = entry.path.clone();
        let wrong = |problem: String| Wrong { path: path.clone(), problem };
        let pattern = HostPattern::read(&host);
        let pattern =
            pattern.map_err(|why| wrong(format!("must be {}: {why}", HostPattern::EXPECTED)))?;
        let mut headers = Vec::new();
        for (name, value) in entry.texts()? {
            headers.push(header(&name, &value).map_err(wrong)?);
        }
        hosts.push((pattern, headers));
    }
    Ok(SecretHeaders::new(hosts))
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let field = HeaderName::from_bytes(name.as_bytes());
    let field = field.map_err(|_| format!("has `{name}`, which is no name of a header"))?;
    if is_reserved(&field) {
        return Err(format!("has `{field}`, which is this host's own header"));
    }
    let value = HeaderValue::from_str(value);
    let mut value = value
        .map_err(|_| format!("has a value for `{field}` that no header may have: use ASCII"))?;
    value.set_sensitive(true);
    Ok((field, value))
}
