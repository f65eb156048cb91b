//! Who hears when something stops working.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::Url;

use super::entry::Entry;
use super::error::Wrong;
use super::secret::Secret;
use super::section::Section;

/// Who hears of the host as a whole.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// The operator; absent: nobody.
    pub operator: Option<AlertPlace>,
}

/// Where alerts go, and by what whoever is there knows that they are ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertPlace {
    /// The address, which may hold a token.
    pub url: Secret,
    /// What they are signed with (Standard Webhooks); absent: they are not.
    pub secret: Option<Secret>,
}

/// What a secret of Standard Webhooks begins with.
const PREFIX: &str = "whsec_";

impl Alerts {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let operator = place(&mut section, "url", "secret")?;
        section.finish()?;
        Ok(Self { operator })
    }
}

/// An address and its secret under these keys.
pub(super) fn place(
    section: &mut Section<'_>,
    url: &'static str,
    secret: &'static str,
) -> Result<Option<AlertPlace>, Wrong> {
    let address = section.optional(url).map(address).transpose()?;
    let secret = section.optional(secret);
    let Some(url) = address else {
        let without = secret.map(|secret| secret.wrong(format!("signs nothing without `{url}`")));
        return without.map_or(Ok(None), Err);
    };
    Ok(Some(AlertPlace { url, secret: secret.map(signing).transpose()? }))
}

fn signing(entry: Entry<'_>) -> Result<Secret, Wrong> {
    let expected = "a secret as `whsec_` and 24 to 64 bytes in base64";
    entry.hidden(expected, |text| {
        signing_key(text).map(drop).ok_or_else(|| "it is something else".to_owned())
    })
}

/// The bytes of a secret of Standard Webhooks.
pub fn signing_key(secret: &str) -> Option<Vec<u8>> {
    let key = BASE64_STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

/// An address that alerts are posted to. It is not shown: services put tokens
/// into it.
fn address(entry: Entry<'_>) -> Result<Secret, Wrong> {
    entry.hidden("an address like \"https://alerts.example.com/botyard\"", |text| {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        if web { Ok(()) } else { Err("it begins with https://".to_owned()) }
    })
}
