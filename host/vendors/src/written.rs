//! The settings of a channel as the tenant wrote them down. Errors name the key and
//! what to do, never the value of a secret.

use http::{HeaderName, HeaderValue, Uri};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::SettingsError;
use crate::secrets::Secrets;

/// A URL is easier to guess at and to come by than a header.
const URL_SECRET_CHARACTERS: std::ops::RangeInclusive<usize> = 16..=200;

/// Settings of which some are not read yet.
pub(crate) struct Written(Map<String, Value>);

impl Written {
    /// The settings of a vendor's channel: an object with none but these keys.
    pub(crate) fn new(vendor: &str, keys: &[&str], written: Value) -> Result<Self, SettingsError> {
        let Value::Object(written) = written else {
            return Err(wrong(format!("the settings of a {vendor} channel are an object")));
        };
        if let Some(key) = written.keys().find(|key| !keys.contains(&key.as_str())) {
            let known = keys.join(", ");
            return Err(wrong(format!("there is no setting `{key}`; known are: {known}")));
        }
        Ok(Self(written))
    }

    /// A setting that is no secret: its value may stand in the error.
    pub(crate) fn plain<T: DeserializeOwned>(
        &mut self,
        key: &str,
    ) -> Result<Option<T>, SettingsError> {
        match self.0.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value)
                .map(Some)
                .map_err(|error| wrong(format!("`{key}` is wrong: {error}"))),
        }
    }

    /// A text whose value must not stand anywhere, where there is one.
    pub(crate) fn secret(&mut self, key: &str) -> Result<Option<String>, SettingsError> {
        match self.0.remove(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text)),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(wrong(format!("`{key}` must be a text that is not empty"))),
        }
    }

    /// A text whose value must not stand anywhere; `remedy` says where to get it.
    pub(crate) fn text(&mut self, key: &str, remedy: &str) -> Result<String, SettingsError> {
        self.secret(key)?.ok_or_else(|| wrong(format!("`{key}` is missing: {remedy}")))
    }

    /// A secret that calls carry in a header.
    pub(crate) fn token(&mut self, key: &str, remedy: &str) -> Result<HeaderValue, SettingsError> {
        let token = self.text(key, remedy)?;
        let mut token = HeaderValue::from_str(&token).map_err(|_| {
            wrong(format!("`{key}` holds characters that no HTTP header can carry"))
        })?;
        token.set_sensitive(true);
        Ok(token)
    }

    /// A whole address that calls go to. It may be a secret.
    pub(crate) fn url(&mut self, key: &str, remedy: &str) -> Result<String, SettingsError> {
        let url = self.text(key, remedy)?;
        if is_whole(&url) {
            return Ok(url);
        }
        Err(wrong(format!("`{key}` must be a whole address that begins with https://")))
    }

    /// The name of a header; `usual` where none is set.
    pub(crate) fn header_name(
        &mut self,
        key: &str,
        usual: &str,
    ) -> Result<HeaderName, SettingsError> {
        let name = self.plain::<String>(key)?;
        name.as_deref().unwrap_or(usual).parse().map_err(|_| {
            wrong(format!("`{key}` is no name of an HTTP header: use letters, digits, `-`"))
        })
    }

    /// One secret, or the old and the new one, each checked.
    pub(crate) fn secrets(
        &mut self,
        key: &str,
        check: fn(&str) -> Result<(), &'static str>,
    ) -> Result<Option<Secrets>, SettingsError> {
        let texts = self.secret_texts(key, check)?;
        let texts = texts.as_ref().map(|texts| texts.iter().map(String::as_str).collect());
        Ok(texts.map(|texts: Vec<&str>| Secrets::new(&texts)))
    }

    /// As [`Written::secrets`], where a hash of them is not enough: for signatures.
    pub(crate) fn secret_texts(
        &mut self,
        key: &str,
        check: fn(&str) -> Result<(), &'static str>,
    ) -> Result<Option<Vec<String>>, SettingsError> {
        let listed = match self.0.remove(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(listed)) => listed,
            Some(one) => vec![one],
        };
        if listed.is_empty() || listed.len() > 2 {
            let takes = "takes one secret, or two while it is being changed";
            return Err(wrong(format!("`{key}` {takes}")));
        }
        let texts = listed.iter().map(|text| text.as_str().map(str::to_owned));
        let Some(texts) = texts.collect::<Option<Vec<_>>>() else {
            return Err(wrong(format!("`{key}` must be a text or a list of two texts")));
        };
        for text in &texts {
            check(text).map_err(|why| wrong(format!("`{key}` {why}")))?;
        }
        Ok(Some(texts))
    }
}

/// An error in words for the tenant.
pub(crate) fn wrong(text: impl Into<String>) -> SettingsError {
    SettingsError(text.into())
}

/// Whether an address is whole, as calls need it.
pub(crate) fn is_whole(url: &str) -> bool {
    url.parse::<Uri>().is_ok_and(|parsed| {
        matches!(parsed.scheme_str(), Some("http" | "https")) && parsed.host().is_some()
    })
}

/// A secret that a header carries.
pub(crate) fn header_secret(secret: &str) -> Result<(), &'static str> {
    if secret.is_empty() || secret.trim() != secret {
        return Err("must not be empty nor begin or end with a blank");
    }
    HeaderValue::from_str(secret)
        .map(|_| ())
        .map_err(|_| "holds characters that no HTTP header can carry")
}

/// A secret that stands in a URL.
pub(crate) fn url_secret(secret: &str) -> Result<(), &'static str> {
    if !URL_SECRET_CHARACTERS.contains(&secret.len()) {
        return Err("must have 16 to 200 characters");
    }
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    if !secret.chars().all(safe) {
        return Err("may hold letters, digits, `-`, `_`, `.` and `~` only: it stands in a URL");
    }
    Ok(())
}
