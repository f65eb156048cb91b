//! What the host keeps for a bot: configuration, values, log, web services.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::values::Values;
use super::web::Web;
use crate::http;
use crate::kv::{Cause, Scope};
use crate::log::Level;
use crate::session::Setting;

/// What the host keeps for a bot. [`Chat`](super::Chat) has one.
#[derive(Default)]
pub struct World(RefCell<State>);

#[derive(Default)]
struct State {
    config: BTreeMap<String, String>,
    values: Values,
    log: Vec<(Level, String)>,
    web: Web,
}

impl World {
    pub(super) fn configure(&self, key: &str, value: &str) {
        self.0.borrow_mut().config.insert(key.to_owned(), value.to_owned());
    }

    pub(super) fn answer_web(
        &self,
        answers: impl FnMut(&http::Request) -> Result<http::Response, http::Error> + 'static,
    ) {
        self.0.borrow_mut().web.answer(Box::new(answers));
    }

    pub(super) fn log_lines(&self) -> Vec<(Level, String)> {
        self.0.borrow().log.clone()
    }

    /// Begins a turn: what the one before did not commit is forgotten.
    pub(super) fn begin(&self) {
        let state = &mut *self.0.borrow_mut();
        state.values.begin();
        state.web.begin();
    }

    /// Keeps what the turn has written.
    pub(super) fn commit(&self) {
        let left_out = self.0.borrow_mut().values.commit();
        if !left_out.is_empty() {
            let writes = left_out.len();
            let line = format!("the bot's values are full: {writes} writes were left out");
            self.log(Level::Warn, &line);
        }
    }

    /// Keeps a value, as if a turn had written it.
    pub(super) fn keep(&self, scope: Scope, key: &str, value: &str) -> Result<(), Cause> {
        let values = &mut self.0.borrow_mut().values;
        values.begin();
        values.set(scope, key, value)?;
        if values.commit().is_empty() { Ok(()) } else { Err(Cause::QuotaExceeded) }
    }

    /// What is kept.
    pub(super) fn kept(&self, scope: Scope, key: &str) -> Option<String> {
        self.0.borrow().values.kept(scope, key)
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
        self.0.borrow_mut().values.get(scope, key)
    }

    pub(crate) fn kv_set(&self, scope: Scope, key: &str, value: &str) -> Result<(), Cause> {
        self.0.borrow_mut().values.set(scope, key, value)
    }

    pub(crate) fn kv_delete(&self, scope: Scope, key: &str) -> Result<(), Cause> {
        self.0.borrow_mut().values.delete(scope, key)
    }

    pub(crate) fn kv_add(&self, scope: Scope, key: &str, delta: i64) -> Result<i64, Cause> {
        self.0.borrow_mut().values.add(scope, key, delta)
    }

    pub(crate) fn http(&self, request: &http::Request) -> Result<http::Response, http::Error> {
        self.0.borrow_mut().web.send(request)
    }
}
