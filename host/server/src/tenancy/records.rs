//! What the catalog keeps of tenants. These forms are stored: fields are added with a
//! default and never given another meaning.

use std::collections::BTreeMap;

use botyard_kernel::id::{BotId, Digest};
use botyard_kernel::limits::Limits;
use botyard_kernel::time::Millis;
use botyard_runtime::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::envelope::Sealed;
use crate::registry::Asks;
use crate::send::HostPattern;

pub use botyard_kernel::access::OPERATOR;
/// The name of the one record of a tenant about itself.
pub const SELF: &str = "self";

/// Kinds of records.
pub mod kind {
    /// The tenant itself.
    pub const TENANT: &str = "tenant";
    /// What is set of a bot.
    pub const BOT: &str = "bot";
    /// A component that was uploaded for a bot.
    pub const VERSION: &str = "version";
    /// Which version of a bot answers.
    pub const DEPLOYMENT: &str = "deployment";
    /// What is set of a channel.
    pub const CHANNEL: &str = "channel";
    /// What is set of an external bot.
    pub const RELAY: &str = "relay";
    /// A secret, sealed.
    pub const SECRET: &str = "secret";
    /// A token, as its hash.
    pub const TOKEN: &str = "token";

    /// A deployment that waits until what its version wishes for is granted.
    pub const APPROVAL: &str = "approval";
    /// A tenant that the settings file has lost.
    pub const LOST: &str = "lost-tenant";
    /// The operator's policy for all bots.
    pub const POLICY: &str = "policy";
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_default(limits: &Limits) -> bool {
    *limits == Limits::default()
}

/// Who looks after a tenant and what it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Managed {
    /// Whoever has the right token.
    #[default]
    Api,
    /// The settings file of the host: it is put there again at each start.
    Settings,
}

/// A tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TenantRecord {
    /// Who looks after it.
    #[serde(default)]
    pub managed: Managed,
    /// When it was made.
    #[serde(default)]
    pub created_ms: Millis,
    /// What it is called by people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// As in the settings file: `alert-url`, `rate`.
    #[serde(default)]
    pub settings: Value,
    /// Rows of its audit up to here tell of an earlier tenant of its name.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub audit_after: u64,
    /// What was set of its limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
}

impl TenantRecord {
    /// A tenant of which nothing is set.
    pub fn made_at(now: Millis) -> Self {
        let settings = Value::Object(serde_json::Map::new());
        Self { created_ms: now, settings, ..Self::default() }
    }
}

/// A bot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BotRecord {
    /// It runs the versions of this bot of the operator's, with its own settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<BotId>,
    /// Other tenants may run it: only of the operator's own bots.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offered: bool,
    /// As in the settings file, without `component`.
    #[serde(default)]
    pub settings: Value,
}

/// What is to be changed of a bot: what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct BotChange {
    /// Whose versions it runs; an empty name ends it.
    pub shared: Option<String>,
    /// Whether other tenants may run it.
    pub offered: Option<bool>,
    /// Its settings, whole.
    pub settings: Option<Value>,
    /// Its settings as somebody has read them: only those are changed.
    pub seen: Option<Value>,
}

impl BotChange {
    /// The bot as it is then.
    pub fn of(self, known: BotRecord) -> BotRecord {
        BotRecord {
            shared: match self.shared {
                Some(name) => (!name.is_empty()).then_some(BotId(name)),
                None => known.shared,
            },
            offered: self.offered.unwrap_or(known.offered),
            settings: self.settings.unwrap_or(known.settings),
        }
    }
}

/// A component that was uploaded for a bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VersionRecord {
    /// Whose.
    pub bot: BotId,
    /// Its SHA-256.
    pub digest: Digest,
    /// How large it is.
    pub bytes: usize,
    /// `native` or `interpreted`.
    pub tier: String,
    /// When it came.
    pub uploaded_ms: Millis,
    /// Who brought it.
    pub uploaded_by: String,
    /// What the bot says about itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Value>,
    /// What it imports.
    #[serde(default)]
    pub imports: Vec<String>,
}

/// A deployment that waits until what its version wishes for is granted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRecord {
    /// What is to answer.
    pub version: Digest,
    /// Only in so many of a hundred conversations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// When somebody wanted it.
    pub asked_ms: Millis,
    /// Who.
    pub asked_by: String,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelRecord {
    /// As in the settings file. Secrets stand there by name.
    pub settings: Value,
}

/// An external bot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelayRecord {
    /// As in the settings file. Secrets stand there by name.
    pub settings: Value,
}

/// A secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecretRecord {
    /// What it says, for nobody's eyes.
    pub sealed: Sealed,
    /// When it was put.
    pub updated_ms: Millis,
}

impl BotRecord {
    /// The hosts that it is granted.
    pub fn hosts(&self) -> Vec<HostPattern> {
        let hosts = self.settings.get("hosts").and_then(Value::as_array);
        let texts = hosts.into_iter().flatten().filter_map(Value::as_str);
        // The settings were read before they were written down.
        texts.filter_map(|text| HostPattern::read(text).ok()).collect()
    }
}

impl VersionRecord {
    /// What it asks for.
    pub fn asks(&self) -> Asks {
        let manifest = self.manifest.as_ref().and_then(|manifest| manifest.get("hosts"));
        let hosts = manifest.and_then(Value::as_array).into_iter().flatten();
        Asks::new(hosts.filter_map(Value::as_str), &self.imports)
    }

    /// The record of a version that was just loaded.
    pub fn of(bot: &BotId, version: &Version, now: Millis, by: &str) -> Self {
        // A manifest was JSON when it came.
        let manifest = version.manifest().and_then(|own| serde_json::to_value(own).ok());
        Self {
            bot: bot.clone(),
            digest: *version.digest(),
            bytes: version.component_bytes(),
            tier: version.tier().name().to_owned(),
            uploaded_ms: now,
            uploaded_by: by.to_owned(),
            manifest,
            imports: version.imports().to_vec(),
        }
    }
}

/// The name of a version's record.
pub fn version_name(bot: &BotId, digest: &Digest) -> String {
    format!("{bot}.{digest}")
}

/// Where a secret is sealed for: other things of the tenant are sealed by other names.
pub fn secret_place(name: &str) -> String {
    format!("secret/{name}")
}

/// Secrets by name that are named in settings, each with the place where it is:
/// `{"secret": "NAME"}`.
pub fn named_secrets(settings: &Value) -> Vec<(Vec<String>, &str)> {
    fn within((key, value): (String, &Value)) -> Vec<(Vec<String>, &str)> {
        let named = named_secrets(value).into_iter();
        named.map(|(place, name)| ([vec![key.clone()], place].concat(), name)).collect()
    }
    match settings {
        Value::Object(table) => match (table.get("secret"), table.len()) {
            (Some(Value::String(name)), 1) => vec![(Vec::new(), name)],
            _ => table.iter().map(|(key, value)| (key.clone(), value)).flat_map(within).collect(),
        },
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.map(|(number, value)| (number.to_string(), value)).flat_map(within).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

/// The secrets of a tenant as they are opened.
pub type Opened = BTreeMap<String, String>;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_found_wherever_they_are_named() {
        let settings = json!({
            "api-token": {"secret": "token"},
            "http-headers": {"a.example": {"x-key": {"secret": "key"}}},
            "list": [{"secret": "third"}],
            "other": {"secret": "no", "more": 1},
            "secret": 7,
        });
        let named: Vec<_> = named_secrets(&settings)
            .into_iter()
            .map(|(place, name)| (place.join("/"), name))
            .collect();
        let expected =
            [("api-token", "token"), ("http-headers/a.example/x-key", "key"), ("list/0", "third")];
        assert_eq!(named, expected.map(|(place, name)| (place.to_owned(), name)));
    }
}
