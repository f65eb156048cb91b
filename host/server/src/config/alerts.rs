//! Who hears when something stops working.

use url::Url;

use super::entry::Entry;
use super::error::Wrong;
use super::secret::Secret;
use super::section::Section;

/// Who hears when something stops working.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// The operator's address, which may hold a token; absent: nobody.
    pub url: Option<Secret>,
}

impl Alerts {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let url = section.optional("url").map(address).transpose()?;
        section.finish()?;
        Ok(Self { url })
    }
}

/// An address that alerts are posted to. It is not shown: services put tokens
/// into it.
pub(super) fn address(entry: Entry<'_>) -> Result<Secret, Wrong> {
    entry.hidden("an address like \"https://alerts.example.com/botyard\"", |text| {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        if web { Ok(()) } else { Err("it begins with https://".to_owned()) }
    })
}
