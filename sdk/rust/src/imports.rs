//! Where a turn's calls go in a component: straight to the host.

use crate::bindings::botyard::bot::types::Setting;
use crate::bindings::botyard::bot::{config, http, kv, log};

/// The imports of the component. One method for each, so that a component
/// imports only what its bot really calls.
pub(crate) struct Imports;

impl Imports {
    pub(crate) fn log(&self, level: log::Level, message: &str) {
        log::log(level, message);
    }

    pub(crate) fn config_get(&self, key: &str) -> Option<String> {
        config::get(key)
    }

    pub(crate) fn config_all(&self) -> Vec<Setting> {
        config::all()
    }

    pub(crate) fn kv_get(&self, scope: kv::Scope, key: &str) -> Result<Option<String>, kv::Error> {
        kv::get(scope, key)
    }

    pub(crate) fn kv_set(&self, scope: kv::Scope, key: &str, value: &str) -> Result<(), kv::Error> {
        kv::set(scope, key, value)
    }

    pub(crate) fn kv_delete(&self, scope: kv::Scope, key: &str) -> Result<(), kv::Error> {
        kv::delete(scope, key)
    }

    pub(crate) fn kv_add(&self, scope: kv::Scope, key: &str, delta: i64) -> Result<i64, kv::Error> {
        kv::add(scope, key, delta)
    }

    pub(crate) fn http(&self, request: &http::Request) -> Result<http::Response, http::Error> {
        http::send(request)
    }
}
