//! `config`: what the tenant configured for this bot.

use crate::bindings::v1::config::Host;
use crate::bindings::v1::types::Setting;
use crate::turn::Turn;

impl Host for Turn {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.config.get(&key).cloned())
    }

    fn all(&mut self) -> wasmtime::Result<Vec<Setting>> {
        let settings = self.config.iter();
        Ok(settings
            .map(|(name, value)| Setting { name: name.clone(), value: value.clone() })
            .collect())
    }
}
