//! What stands around the host: the vendor's side, a shop, the settings, and who
//! runs at the moment.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use botyard_tests::host::{Bot, Channel, Config, plugin};
use botyard_tests::peers::shop::Shop;
use botyard_tests::peers::userlike::{Faults, Options, Userlike};
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::child::Host;
use crate::record::{Clock, Life};

pub(crate) const HEADER: &str = "api-security-token";
pub(crate) const SECRET: &str = "crash-webhook-secret";
pub(crate) const SIGNAL_TOKEN: &str = "crash-signal-token";
/// What a person is told when the bot breaks down.
pub(crate) const FAILURE_TEXT: &str = "Something went wrong.";
const API_TOKEN: &str = "crash-api-token";

/// Actions ride in the answers of webhooks.
pub(crate) const INLINE: &str = "inline";
/// Every action is a call.
pub(crate) const CALLS: &str = "calls";
/// As [`CALLS`], and a call of which nobody knows whether it was taken is held.
pub(crate) const HELD: &str = "held";
pub(crate) const CHANNELS: [&str; 3] = [INLINE, CALLS, HELD];

/// What the shop takes for an answer.
const SHOP_DELAY: Duration = Duration::from_millis(15);

/// What tells the calls of one host from those of the next, in their address.
const LIFE: &str = "life";

/// Whose call it was, by the query of its address.
pub(crate) fn life_of(query: &str) -> Option<usize> {
    query.strip_prefix(LIFE)?.strip_prefix('=')?.parse().ok()
}

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
    pub(crate) userlike: Userlike,
    pub(crate) shop: Shop,
    pub(crate) lives: Vec<Life>,
    program: PathBuf,
    broken: Option<String>,
    settings: PathBuf,
    address: watch::Sender<Option<Address>>,
    directory: TempDir,
}

impl Stage {
    /// Sets it up, on a fresh store. The vendor lets 20 calls of a conversation
    /// through in each `window`.
    pub(crate) async fn set(
        program: &Path,
        broken: Option<&str>,
        window: Duration,
        faults: Faults,
    ) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("botyard-crash-").tempdir()?;
        let clock = Clock::start();
        let options = Options { window, faults, ..Options::new(API_TOKEN) };
        let userlike = Userlike::with(options, ([127, 0, 0, 1], 0).into())?;
        let shop = Shop::start(SHOP_DELAY).await?;
        let settings = settings(directory.path(), &userlike, &shop, window)?.write()?;
        Ok(Self {
            clock,
            userlike,
            shop,
            lives: Vec::new(),
            program: program.to_owned(),
            broken: broken.map(str::to_owned),
            settings,
            address: watch::Sender::new(None),
            directory,
        })
    }

    /// Starts a host on the store; nobody is told of it yet.
    pub(crate) fn start(&mut self, failpoint: Option<String>) -> Result<Host> {
        let mut environment = Vec::new();
        environment.extend(failpoint.map(armed));
        environment.extend(self.broken.clone().map(|name| ("BOTYARD_BROKEN".to_owned(), name)));
        for channel in CHANNELS {
            let name = channel.to_uppercase().replace('-', "_");
            let variable = format!("BOTYARD__TENANTS__DEMO__CHANNELS__{name}__API_URL");
            let life = self.lives.len();
            environment.push((variable, format!("{}?{LIFE}={life}", self.userlike.api_url())));
        }
        self.lives.push(Life::begin());
        Host::start(&self.program, &self.settings, &environment)
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

    /// Where the store is.
    pub(crate) fn store(&self) -> &Path {
        self.directory.path()
    }
}

fn settings(
    directory: &Path,
    userlike: &Userlike,
    shop: &Shop,
    window: Duration,
) -> Result<Config> {
    let bot = Bot { component: plugin("tally")?, config: [].into(), hosts: vec![shop.authority()] };
    let window_ms = u64::try_from(window.as_millis())?;
    let timing = json!({ "timing": { "rate-window-ms": window_ms, "after-answer-ms": 250 } });
    let failure_texts = json!({ "": FAILURE_TEXT });
    let mut config = Config::new(directory).bot("tally", bot).with(json!({
        "log": { "format": "text", "filter": "warn,botyard::app=info" },
        // What a lane has not ended by then is left to the next host, as after a kill.
        "server": { "shutdown-grace-ms": 5_000 },
        // Two shared cores must not look like a bot that takes too long.
        "runtime": { "native": { "cpu-ms": 5_000, "wall-ms": 60_000 } },
        "tenants": { "demo": { "channels": {
            INLINE: { "dialect": timing, "failure-texts": failure_texts },
            CALLS: { "dialect": timing, "inline": false },
            HELD: { "dialect": timing, "inline": false, "hold-ambiguous": true },
        } } },
    }));
    for name in CHANNELS {
        let channel = Channel {
            vendor: "userlike".to_owned(),
            bot: "tally".to_owned(),
            webhook_header: Some(HEADER.to_owned()),
            webhook_secret: SECRET.to_owned(),
            api_url: userlike.api_url(),
            api_token: API_TOKEN.to_owned(),
            signal_token: SIGNAL_TOKEN.to_owned(),
            desk_token: None,
        };
        config = config.channel(name, channel);
    }
    Ok(config)
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
        let window = Duration::from_secs(1);
        let settings = settings(directory.path(), &self.userlike, &self.shop, window)?.write()?;
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
