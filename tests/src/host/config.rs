//! The host's configuration file.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Value, json};

/// What a host is started with: one tenant, `demo`.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the host keeps its store, and this file beside it.
    pub directory: PathBuf,
    /// The bots by name.
    pub bots: BTreeMap<String, Bot>,
    /// The channels by name.
    pub channels: BTreeMap<String, Channel>,
    /// More settings, merged over the others.
    pub more: Value,
}

/// A bot.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Bot {
    /// Its component.
    pub component: PathBuf,
    /// What the tenant configured for it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// Hosts that it may call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// A Userlike account, connected to a bot.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Channel {
    /// `userlike`.
    pub vendor: String,
    /// The bot that answers.
    pub bot: String,
    /// The header that proves a webhook to come from the vendor; absent where
    /// the secret stands in the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_header: Option<String>,
    /// What it has to carry.
    pub webhook_secret: String,
    /// The vendor's API URL.
    pub api_url: String,
    /// The vendor's token.
    pub api_token: String,
    /// What the tenant's own systems show to send signals.
    pub signal_token: String,
    /// What humans show at the desk, where it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desk_token: Option<String>,
}

impl Config {
    /// A host without bots, on a store in this directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            bots: BTreeMap::new(),
            channels: BTreeMap::new(),
            more: json!({}),
        }
    }

    /// Adds a bot.
    #[must_use]
    pub fn bot(mut self, name: &str, bot: Bot) -> Self {
        self.bots.insert(name.to_owned(), bot);
        self
    }

    /// Adds a channel.
    #[must_use]
    pub fn channel(mut self, name: &str, channel: Channel) -> Self {
        self.channels.insert(name.to_owned(), channel);
        self
    }

    /// Adds settings, for example `{"server": {"trusted-proxies": []}}`; `null`
    /// takes one away.
    #[must_use]
    pub fn with(mut self, more: Value) -> Self {
        merge(&mut self.more, more);
        self
    }

    /// Writes the file and answers its path.
    ///
    /// # Errors
    ///
    /// The directory cannot be written to.
    pub fn write(&self) -> Result<PathBuf> {
        fs::create_dir_all(&self.directory)?;
        let file = self.directory.join("botyard.toml");
        let mut value = json!({
            "server": { "listen": "127.0.0.1:0" },
            // However full the disk is that tests share with builds, it is not what they are about.
            "store": { "directory": self.directory, "disk": { "counted-bytes": 1 << 28 } },
            "egress": { "allow-loopback": true },
            "tenants": { "demo": { "bots": self.bots, "channels": self.channels } },
        });
        merge(&mut value, self.more.clone());
        drop_nulls(&mut value);
        fs::write(&file, toml::to_string(&value)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

/// Objects are merged key by key, everything else is replaced.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn drop_nulls(value: &mut Value) {
    if let Value::Object(table) = value {
        table.retain(|_, value| !value.is_null());
        table.values_mut().for_each(drop_nulls);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_kebab_case_names_of_the_settings() {
        let directory = tempfile::tempdir().unwrap();
        let channel = Channel {
            vendor: "userlike".into(),
            bot: "echo".into(),
            webhook_header: None,
            webhook_secret: "s".into(),
            api_url: "http://127.0.0.1:1/v1/".into(),
            api_token: "t".into(),
            signal_token: "u".into(),
            desk_token: None,
        };
        let config = Config::new(directory.path())
            .channel("c", channel)
            .with(json!({ "egress": { "allow-loopback": false } }))
            .with(json!({ "tenants": { "demo": { "channels": { "c": { "api-token": null } } } } }));
        let text = fs::read_to_string(config.write().unwrap()).unwrap();
        let read: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(read["egress"]["allow-loopback"].as_bool(), Some(false));
        assert_eq!(read["server"]["listen"].as_str(), Some("127.0.0.1:0"));
        let channel = &read["tenants"]["demo"]["channels"]["c"];
        assert_eq!(channel["webhook-secret"].as_str(), Some("s"));
        assert!(channel.get("webhook-header").is_none());
        assert!(channel.get("api-token").is_none());
    }
}
