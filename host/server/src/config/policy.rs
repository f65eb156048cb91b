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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};

    use super::*;
    use crate::config::Secrets;

    fn policy(settings: Value) -> Result<Policy, String> {
        let read = Secrets::new(BTreeMap::new()).policy(settings);
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn a_policy_is_read_in_the_form_in_which_it_is_compared() {
        let settings = json!({"hosts": ["*.EXAMPLE.com"], "forbidden-hosts": [], "imports": []});
        let read = policy(settings).unwrap();
        assert_eq!(json!(read), json!({"hosts": ["*.example.com"], "imports": []}));
        assert_eq!(
            policy(json!({})),
            Ok(Policy::default()),
            "nothing is said, nothing is narrowed"
        );
        // What is absent allows all, and an empty list nothing.
        assert_eq!(policy(json!({"hosts": []})).unwrap().hosts, Some(BTreeSet::new()));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key() {
        for (settings, expected) in [
            (json!({"hosts": ["https://a.example"]}), "`hosts.0` must be a host like"),
            (json!({"hosts": "a.example"}), "`hosts` must be a list"),
            (json!({"imports": ["log"]}), "`imports.0` must be \"http\""),
            (json!({"forbidden": []}), "`forbidden` does not exist"),
        ] {
            let said = policy(settings).unwrap_err();
            assert!(said.contains(expected), "{said}");
        }
    }
}
