//! The settings of a host: a commented file that is compiled in, a file of the
//! operator over it, and the environment over both.
//!
//! Nothing is guessed: a key that does not exist or has the wrong type stops the
//! start, whichever layer it stands in. Values are read by hand and not by
//! derived code, because derived errors quote what they found, and that may be
//! a secret.

use std::path::{Path, PathBuf};

use botyard_kernel::grants::Policy;
use botyard_kernel::limits::Values;
pub use botyard_runtime::{Layout, TierConfig};

pub use self::admin::Admin;
pub use self::alerts::{AlertPlace, Alerts, signing_key};
pub use self::backlog::Backlog;
pub use self::egress::Egress;
pub use self::error::ConfigError;
pub use self::keys::Keys;
pub use self::log::{Log, LogFormat};
pub use self::runtime::Runtime;
pub use self::secret::Secret;
pub use self::server::Server;
pub use self::store::Store;
pub use self::stored::{Secrets, is_name};
pub use self::tenant::{Retention, TenantSettings};
pub use self::tenants::{Bot, Channel, FileBot, Relay, Tenant, Tenants};

use self::environment::Environment;
use self::layers::Layers;
pub(crate) use self::layers::merge;
use self::section::Section;

mod admin;
mod alerts;
mod backlog;
mod egress;
mod entry;
mod environment;
mod error;
mod headers;
pub(crate) mod kept;
mod keys;
mod layers;
mod limits;
mod log;
mod policy;
mod runtime;
mod secret;
mod section;
mod server;
mod store;
mod stored;
mod tenant;
mod tenants;
#[cfg(test)]
mod tests;

/// The defaults, as a file that explains every key.
pub const DEFAULT: &str = include_str!("default.toml");

/// Everything that an operator can set.
#[derive(Clone, Debug)]
pub struct Config {
    /// How requests come in.
    pub server: Server,
    /// What is written about the host's work.
    pub log: Log,
    /// Where things are kept.
    pub store: Store,
    /// The keys that the settings name.
    pub keys: Keys,
    /// Where operators' commands come in.
    pub admin: Admin,
    /// Who hears when something stops working.
    pub alerts: Alerts,
    /// How much unfinished work is taken.
    pub backlog: Backlog,
    /// The limits of tenants of which nothing else is set.
    pub limits: Values,
    /// How bots run.
    pub runtime: Runtime,
    /// How calls go out.
    pub egress: Egress,
    /// What bots may do, whatever their tenants grant.
    pub policy: Policy,
    /// Who owns which bots and channels.
    pub tenants: Tenants,
}

impl Config {
    /// Reads the defaults, the file over them and the variables that begin with
    /// `BOTYARD__` over both. Other variables are only looked at where a setting
    /// names one.
    ///
    /// # Errors
    /// The operator's to correct: a file that cannot be read or is no TOML, a key
    /// that does not exist, is missing or has a wrong value. The text names the
    /// key, where it stands and what is expected, and never a secret.
    pub fn load(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let environment = Environment::new(env);
        let layers = Layers::read(file, &environment)?;
        let whole = Section::root(layers.merged(), &environment);
        Self::read(whole).map_err(|wrong| wrong.at(layers.source(&wrong.path)))
    }

    /// Where the host with these settings takes commands: reads nothing else, so
    /// that whoever sends one needs no secret of the host's.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn admin_socket(
        file: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<PathBuf, ConfigError> {
        let environment = Environment::new(env);
        let layers = Layers::read(file, &environment)?;
        let mut whole = Section::root(layers.merged(), &environment);
        let store = whole.section("store").and_then(Store::read);
        let admin = store.and_then(|store| Admin::read(whole.section("admin")?, &store));
        admin.map(|admin| admin.socket).map_err(|wrong| wrong.at(layers.source(&wrong.path)))
    }

    fn read(mut whole: Section<'_>) -> Result<Self, error::Wrong> {
        let store = Store::read(whole.section("store")?)?;
        let limits = limits::read(whole.section("limits")?)?;
        let mut config = Self {
            server: Server::read(whole.section("server")?)?,
            log: Log::read(whole.section("log")?)?,
            keys: Keys::read(whole.section("keys")?)?,
            admin: Admin::read(whole.section("admin")?, &store)?,
            alerts: Alerts::read(whole.section("alerts")?)?,
            backlog: Backlog::read(whole.section("backlog")?)?,
            runtime: Runtime::read(whole.section("runtime")?, &store)?,
            limits: Values::new(),
            store,
            egress: Egress::read(whole.section("egress")?)?,
            policy: policy::read(whole.section("policy")?)?,
            tenants: tenants::read(whole.section("tenants")?)?,
        };
        whole.finish()?;
        let Self { server, backlog, runtime, .. } = &config;
        config.limits = limits::all(&limits, server, backlog, runtime);
        Ok(config)
    }
}
