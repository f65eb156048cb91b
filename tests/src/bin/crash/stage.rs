//! What stands around the host: the vendor's side, a shop, the settings, and who
//! runs at the moment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use botyard_tests::host::{Bot, Config, plugin};
use botyard_tests::peers::shop::Shop;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::child::Host;
use crate::external::{self, External};
use crate::record::{Clock, Life};
use crate::vendors::{self, Channel, Conduct, Vendor};

/// What the shop takes for an answer.
const SHOP_DELAY: Duration = Duration::from_millis(15);

/// The process that runs, as the persons see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    pub(crate) life: usize,
    pub(crate) host: SocketAddr,
}

/// Everything around the host.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) clock: Clock,
    pub(crate) vendors: Vec<Arc<dyn Vendor>>,
    pub(crate) shop: Shop,
    pub(crate) external: Arc<External>,
    pub(crate) lives: Vec<Life>,
    program: PathBuf,
    broken: Option<String>,
    address: watch::Sender<Option<Address>>,
    directory: TempDir,
}

impl Stage {
    /// Sets it up, on a fresh store.
    pub(crate) async fn set(
        program: &Path,
        broken: Option<&str>,
        conduct: &Conduct,
    ) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("botyard-crash-").tempdir()?;
        // The twins' clocks begin with this one.
        let clock = Clock::start();
        Ok(Self {
            clock,
            vendors: vendors::start(conduct)?,
            shop: Shop::start(SHOP_DELAY).await?,
            external: Arc::new(External::start(conduct)?),
            lives: Vec::new(),
            program: program.to_owned(),
            broken: broken.map(str::to_owned),
            address: watch::Sender::new(None),
            directory,
        })
    }

    /// All channels, each with its vendor.
    pub(crate) fn channels(&self) -> Vec<(Arc<dyn Vendor>, &'static Channel)> {
        let of = |vendor: &Arc<dyn Vendor>| {
            let channels = vendor.channels().iter();
            channels.map(|channel| (Arc::clone(vendor), channel)).collect::<Vec<_>>()
        };
        self.vendors.iter().flat_map(of).collect()
    }

    /// The vendor of a channel.
    pub(crate) fn vendor(&self, channel: &Channel) -> &Arc<dyn Vendor> {
        let has = |vendor: &&Arc<dyn Vendor>| vendor.channels().contains(channel);
        self.vendors.iter().find(has).expect("every channel is a vendor's")
    }

    /// Starts a host on the store; nobody is told of it yet.
    pub(crate) fn start(&mut self, failpoint: Option<String>) -> Result<Host> {
        let settings = self.settings(self.directory.path(), self.lives.len())?;
        let mut environment: Vec<_> = failpoint.map(armed).into_iter().collect();
        environment.extend(self.broken.clone().map(|name| ("BOTYARD_BROKEN".to_owned(), name)));
        self.lives.push(Life::begin());
        Host::start(&self.program, &settings, &environment)
    }

    /// Tells all persons where the newest host is, or that there is none.
    pub(crate) fn announce(&self, host: Option<SocketAddr>) {
        let life = self.lives.len().saturating_sub(1);
        self.address.send_replace(host.map(|host| Address { life, host }));
    }

    /// Where the host is, now and later.
    pub(crate) fn addresses(&self) -> watch::Receiver<Option<Address>> {
        self.address.subscribe()
    }

    /// Calls so far that hosts have made for channels and not for conversations.
    pub(crate) fn chores(&self) -> usize {
        self.vendors.iter().map(|vendor| vendor.chores()).sum()
    }

    /// Where the store is.
    pub(crate) fn store(&self) -> &Path {
        self.directory.path()
    }

    /// Writes the settings of the host process `life` beside its store.
    fn settings(&self, directory: &Path, life: usize) -> Result<PathBuf> {
        let hosts = vec![self.shop.authority()];
        let bot = Bot { component: plugin("tally")?, config: [].into(), hosts };
        let channels = self
            .channels()
            .into_iter()
            .map(|(vendor, channel)| (channel.name.to_owned(), vendor.settings(channel, life)));
        let channels: Map<String, Value> = channels.collect();
        let relays = json!({ external::NAME: self.external.settings(life) });
        let config = Config::new(directory).bot("tally", bot).with(json!({
            "log": { "format": "text", "filter": "warn,botyard::app=info" },
            // What a lane has not ended by then is left to the next host, as after a kill.
            "server": { "shutdown-grace-ms": 5_000, "public-url": external::HERE },
            // Two shared cores must not look like a bot that takes too long.
            "runtime": { "native": { "cpu-ms": 5_000, "wall-ms": 60_000 } },
            "tenants": { "demo": { "channels": channels, "relays": relays } },
        }));
        config.write()
    }
}

/// The variable that arms a failpoint.
fn armed(failpoint: String) -> (String, String) {
    (botyard_failpoints::VARIABLE.to_owned(), failpoint)
}

/// A store that no host has made yet, beside the one of the stage.
#[derive(Debug)]
pub(crate) struct FreshStore {
    settings: PathBuf,
    _directory: TempDir,
}

impl Stage {
    /// A store of its own for hosts that die while they make it.
    pub(crate) fn fresh_store(&self) -> Result<FreshStore> {
        let directory = tempfile::Builder::new().prefix("botyard-crash-fresh-").tempdir()?;
        let settings = self.settings(directory.path(), self.lives.len())?;
        Ok(FreshStore { settings, _directory: directory })
    }
}

impl FreshStore {
    /// Starts a host on it.
    pub(crate) fn start(&self, stage: &Stage, failpoint: Option<String>) -> Result<Host> {
        let environment: Vec<_> = failpoint.map(armed).into_iter().collect();
        Host::start(&stage.program, &self.settings, &environment)
    }
}
