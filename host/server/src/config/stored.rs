//! What tenants set through the host's own interface: the same keys as in the settings
//! file, read by the same code, with secrets of their own in place of the operator's
//! variables and files.

use std::collections::{BTreeMap, BTreeSet};

use botyard_kernel::grants::Policy;
use botyard_kernel::id::BotId;
use serde_json::{Map, Value};

use super::entry::kind;
use super::environment::Environment;
use super::error::{ConfigError, Wrong};
use super::policy;
use super::section::{self, Section};
use super::tenant::TenantSettings;
use super::tenants::{Bot, Channel, Relay};

/// Whether a text can be the name of a tenant, a bot, a channel or a secret: it stands
/// in addresses.
pub fn is_name(name: &str) -> bool {
    section::is_name(name)
}

/// The secrets of a tenant, which what it sets may name: `{"secret": "NAME"}`.
pub struct Secrets(Environment);

impl Secrets {
    /// These secrets by name.
    pub fn new(secrets: BTreeMap<String, String>) -> Self {
        Self(Environment::of_secrets(secrets))
    }

    /// Reads what is set of a bot.
    ///
    /// # Errors
    /// The tenant's to correct: the text names the key and never a secret.
    pub fn bot(&self, settings: Value) -> Result<Bot, ConfigError> {
        self.read(settings, Bot::read)
    }

    /// Reads what is set of a channel whose tenant has these bots.
    ///
    /// # Errors
    /// As [`Secrets::bot`].
    pub fn channel(&self, settings: Value, bots: &BTreeSet<BotId>) -> Result<Channel, ConfigError> {
        self.read(settings, |section| Channel::read(section, bots))
    }

    /// Reads what is set of an external bot.
    ///
    /// # Errors
    /// As [`Secrets::bot`].
    pub fn relay(&self, settings: Value) -> Result<Relay, ConfigError> {
        self.read(settings, Relay::read)
    }

    /// Reads what is set of the tenant itself.
    ///
    /// # Errors
    /// As [`Secrets::bot`].
    pub fn tenant(&self, settings: Value) -> Result<TenantSettings, ConfigError> {
        self.read(settings, |mut section| {
            let own = TenantSettings::read(&mut section)?;
            section.finish()?;
            Ok(own)
        })
    }

    /// Reads what the operator sets of the policy.
    ///
    /// # Errors
    /// As [`Secrets::bot`].
    pub fn policy(&self, settings: Value) -> Result<Policy, ConfigError> {
        self.read(settings, policy::read)
    }

    fn read<'a, T>(
        &'a self,
        settings: Value,
        read: impl FnOnce(Section<'a>) -> Result<T, Wrong>,
    ) -> Result<T, ConfigError> {
        let table: Map<String, Value> = match settings {
            Value::Object(table) => table,
            other => {
                let problem = format!("must be an object and is {}", kind(&other));
                let path = vec!["the body".to_owned()];
                return Err(Wrong { path, problem }.at(None));
            }
        };
        read(Section::root(table, &self.0)).map_err(|wrong| wrong.at(None))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(BTreeMap::from([("shop-key".to_owned(), "k-123".to_owned())]))
    }

    #[test]
    fn a_bot_is_read_as_in_the_file_with_secrets_of_the_tenant() {
        let bot = secrets().bot(json!({
            "config": {"key": {"secret": "shop-key"}, "greeting": "Hello"},
            "hosts": ["shop.example"],
            "overlap": "latest",
        }));
        let bot = bot.unwrap();
        assert_eq!(bot.config["key"], "k-123");
        assert_eq!(bot.secrets, ["k-123"]);
        assert_eq!(bot.hosts[0].to_string(), "shop.example");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_key_and_without_its_value() {
        let wrong = |settings: Value| secrets().bot(settings).unwrap_err().to_string();
        let cases = [
            (json!({"host": []}), "`host` does not exist; did you mean `hosts`?"),
            (json!({"component": "/etc/passwd"}), "`component` does not exist"),
            (json!({"config": {"k": {"secret": "none"}}}), "put the secret `none` first"),
            (json!({"config": {"k": {"file": "/etc/passwd"}}}), "kept among your secrets"),
            (json!({"config": {"k": {"env": "HOME"}}}), "kept among your secrets"),
            (json!([]), "`the body` must be an object and is a list"),
        ];
        for (settings, expected) in cases {
            let said = wrong(settings);
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains("passwd"), "{said}");
        }
    }

    #[test]
    fn a_channel_needs_a_bot_that_there_is() {
        let bots = BTreeSet::from([BotId::from("orders")]);
        let settings = json!({"vendor": "userlike", "bot": "order"});
        let said = secrets().channel(settings, &bots).unwrap_err().to_string();
        assert!(said.contains("did you mean `orders`?"), "{said}");
    }
}
