//! What the operator allows to bots, whatever their tenants grant.

use std::collections::BTreeSet;

use botyard_kernel::grants::{HTTP, Policy};

use super::error::Wrong;
use super::section::Section;
use crate::send::HostPattern;

/// What is expected of an import.
const IMPORT: &str = "\"http\", the one import that reaches beyond the bot";

/// Reads a policy. The same keys come by the API.
pub(super) fn read(mut section: Section<'_>) -> Result<Policy, Wrong> {
    let mut hosts = |key| {
        let entry = section.optional(key);
        let hosts = entry.map(|entry| entry.list(HostPattern::EXPECTED, HostPattern::read));
        hosts.transpose().map(|hosts| hosts.map(BTreeSet::from_iter))
    };
    let (only, forbidden) = (hosts("hosts")?, hosts("forbidden-hosts")?);
    let imports = section.optional("imports");
    let imports = imports.map(|entry| entry.list(IMPORT, import)).transpose()?;
    section.finish()?;
    Ok(Policy {
        hosts: only,
        forbidden_hosts: forbidden.unwrap_or_default(),
        imports: imports.map(BTreeSet::from_iter),
    })
}

fn import(name: &str) -> Result<String, String> {
    if name == HTTP { Ok(name.to_owned()) } else { Err(format!("`{name}` is none")) }
}
