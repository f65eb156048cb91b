//! What a host needs to know of a twin: the channel's settings, to be copied.

use anyhow::Context as _;
use serde_json::{Value, json};

/// Shown in the place of a secret that was given on the command line.
pub(super) const GIVEN: &str = "...";

/// A secret that both sides have to know, and who does not care gets one.
#[derive(Debug)]
pub(super) struct Secret {
    given: Option<String>,
    usual: &'static str,
}

impl Secret {
    pub(super) fn new(given: Option<String>, usual: &'static str) -> Self {
        Self { given, usual }
    }

    /// What it is.
    pub(super) fn value(&self) -> &str {
        self.given.as_deref().unwrap_or(self.usual)
    }

    /// What is printed: nothing that somebody chose.
    pub(super) fn shown(&self) -> &str {
        if self.given.is_some() { GIVEN } else { self.usual }
    }
}

/// What a twin says first.
///
/// # Errors
///
/// The settings cannot be written as TOML.
pub(super) fn greeting(
    who: &str,
    webhook: &str,
    vendor: &str,
    channel: Value,
) -> anyhow::Result<String> {
    let name = webhook.rsplit_once("/webhooks/").map_or("NAME", |(_, name)| name);
    let name = name.split('/').next().unwrap_or(name);
    let mut settings = json!({ "vendor": vendor, "bot": "BOT" });
    if let (Value::Object(settings), Value::Object(channel)) = (&mut settings, channel) {
        settings.extend(channel);
    }
    let file = json!({
        "egress": { "allow-loopback": true },
        "tenants": { "TENANT": { "channels": { name: settings } } },
    });
    let file = toml::to_string(&file).context("the settings are no TOML")?;
    Ok(format!(
        "{who} and the bot at {webhook}\n\
         Your host needs these settings, with your tenant's and your bot's names:\n\n{file}\n\
         Write to the bot; /help lists what else can be done."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_first_can_be_copied_and_tells_no_chosen_secret() {
        let given = Secret::new(Some("mine".to_owned()), "usual");
        assert_eq!((given.value(), given.shown()), ("mine", "..."));
        let usual = Secret::new(None, "usual");
        assert_eq!((usual.value(), usual.shown()), ("usual", "usual"));
        let channel = json!({ "api-key": "usual", "dialect": { "rest-base": "http://a" } });
        let webhook = "http://127.0.0.1:8080/webhooks/acme-alice/text/menu";
        let said = greeting("A customer", webhook, "myalice", channel).unwrap();
        let (_, rest) = said.split_once("\n\n").unwrap();
        let (file, _) = rest.rsplit_once("\n\n").unwrap();
        let file: toml::Table = toml::from_str(file).unwrap();
        let channel = &file["tenants"]["TENANT"]["channels"]["acme-alice"];
        assert_eq!(channel["vendor"].as_str(), Some("myalice"));
        assert_eq!(channel["dialect"]["rest-base"].as_str(), Some("http://a"));
    }
}
