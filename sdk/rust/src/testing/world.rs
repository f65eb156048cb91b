//! What the host keeps for a bot: configuration, values, log, web services.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::http;
use crate::kv::{Cause, Scope};
use crate::log::Level;
use crate::session::Setting;

const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 64 * 1024;
const CONVERSATION_BYTES_MAX: usize = 64 * 1024;
const BOT_BYTES_MAX: usize = 16 * 1024 * 1024;

type Web = Box<dyn FnMut(&http::Request) -> Result<http::Response, http::Error>>;

/// What the host keeps for a bot. [`Chat`](super::Chat) has one.
#[derive(Default)]
pub struct World(RefCell<State>);

#[derive(Default)]
struct State {
    config: BTreeMap<String, String>,
    values: Values,
    log: Vec<(Level, String)>,
    web: Option<Web>,
}

/// The values of both scopes.
#[derive(Clone, Default)]
pub(super) struct Values {
    conversation: BTreeMap<String, String>,
    bot: BTreeMap<String, String>,
}

impl World {
    pub(super) fn configure(&self, key: &str, value: &str) {
        self.0.borrow_mut().config.insert(key.to_owned(), value.to_owned());
    }

    pub(super) fn answer_web(&self, web: Web) {
        self.0.borrow_mut().web = Some(web);
    }

    pub(super) fn log_lines(&self) -> Vec<(Level, String)> {
        self.0.borrow().log.clone()
    }

    /// The values as they are now, to be put back when the turn fails.
    pub(super) fn values(&self) -> Values {
        self.0.borrow().values.clone()
    }

    pub(super) fn put_back(&self, values: Values) {
        self.0.borrow_mut().values = values;
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        self.0.borrow_mut().log.push((level, message.to_owned()));
    }

    pub(crate) fn config_get(&self, key: &str) -> Option<String> {
        self.0.borrow().config.get(key).cloned()
    }

    pub(crate) fn config_all(&self) -> Vec<Setting> {
        let setting = |(name, value): (&String, &String)| Setting {
            name: name.clone(),
            value: value.clone(),
        };
        self.0.borrow().config.iter().map(setting).collect()
    }

    pub(crate) fn kv_get(&self, scope: Scope, key: &str) -> Result<Option<String>, Cause> {
        check_key(key)?;
        Ok(self.0.borrow().values.of(scope).get(key).cloned())
    }

    pub(crate) fn kv_set(&self, scope: Scope, key: &str, value: &str) -> Result<(), Cause> {
        check_key(key)?;
        if value.len() > VALUE_BYTES_MAX {
            return Err(Cause::ValueTooLarge);
        }
        let mut state = self.0.borrow_mut();
        let others: usize = (state.values.of(scope).iter())
            .filter(|(other, _)| *other != key)
            .map(|(other, value)| other.len() + value.len())
            .sum();
        if others + key.len() + value.len() > scope_bytes_max(scope) {
            return Err(Cause::QuotaExceeded);
        }
        state.values.of_mut(scope).insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    pub(crate) fn kv_delete(&self, scope: Scope, key: &str) -> Result<(), Cause> {
        check_key(key)?;
        self.0.borrow_mut().values.of_mut(scope).remove(key);
        Ok(())
    }

    pub(crate) fn kv_add(&self, scope: Scope, key: &str, delta: i64) -> Result<i64, Cause> {
        let old = self.kv_get(scope, key)?.unwrap_or_else(|| "0".to_owned());
        let old: i64 = old.parse().map_err(|_| Cause::NotANumber)?;
        let sum = old.checked_add(delta).ok_or(Cause::NotANumber)?;
        self.kv_set(scope, key, &sum.to_string())?;
        Ok(sum)
    }

    pub(crate) fn http(&self, request: &http::Request) -> Result<http::Response, http::Error> {
        match &mut self.0.borrow_mut().web {
            Some(web) => web(request),
            None => Err(http::Error::Denied(
                "this test answers no calls: say what comes back with `Chat::web`".to_owned(),
            )),
        }
    }
}

impl Values {
    fn of(&self, scope: Scope) -> &BTreeMap<String, String> {
        match scope {
            Scope::Conversation => &self.conversation,
            Scope::Bot => &self.bot,
        }
    }

    fn of_mut(&mut self, scope: Scope) -> &mut BTreeMap<String, String> {
        match scope {
            Scope::Conversation => &mut self.conversation,
            Scope::Bot => &mut self.bot,
        }
    }
}

fn check_key(key: &str) -> Result<(), Cause> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX { Err(Cause::InvalidKey) } else { Ok(()) }
}

fn scope_bytes_max(scope: Scope) -> usize {
    match scope {
        Scope::Conversation => CONVERSATION_BYTES_MAX,
        Scope::Bot => BOT_BYTES_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_values() {
        let world = World::default();
        let set = |key: &str, bytes| world.kv_set(Scope::Conversation, key, &"x".repeat(bytes));
        assert_eq!(set("", 1), Err(Cause::InvalidKey));
        assert_eq!(set(&"k".repeat(257), 1), Err(Cause::InvalidKey));
        assert_eq!(set("k", VALUE_BYTES_MAX + 1), Err(Cause::ValueTooLarge));
        assert_eq!(set("k", VALUE_BYTES_MAX), Err(Cause::QuotaExceeded));
        assert_eq!(set("k", VALUE_BYTES_MAX - 1), Ok(()));
        assert_eq!(set("k", VALUE_BYTES_MAX - 1), Ok(()), "the old value makes room");
        assert_eq!(set("l", 1), Err(Cause::QuotaExceeded));
    }

    #[test]
    fn numbers_are_added() {
        let world = World::default();
        assert_eq!(world.kv_add(Scope::Bot, "n", 3), Ok(3));
        assert_eq!(world.kv_add(Scope::Bot, "n", -5), Ok(-2));
        assert_eq!(world.kv_get(Scope::Conversation, "n"), Ok(None));
        world.kv_set(Scope::Bot, "n", "many").unwrap();
        assert_eq!(world.kv_add(Scope::Bot, "n", 1), Err(Cause::NotANumber));
        world.kv_set(Scope::Bot, "n", &i64::MAX.to_string()).unwrap();
        assert_eq!(world.kv_add(Scope::Bot, "n", 1), Err(Cause::NotANumber));
    }
}
