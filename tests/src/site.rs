//! A host with a bot behind one or more channels, and Userlike's side of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::desk::Desk;
use crate::client::metrics::Metrics;
use crate::client::signals::Signals;
use crate::client::userlike::{Conversation, Webhook};
use crate::host::{Bot, Channel, Config, Host, Supervisor, operate, plugin};
use crate::peers::userlike::{Account, Contact, Userlike};
use crate::wait;

/// The header of the webhooks of a site.
pub const HEADER: &str = "API-SECURITY-TOKEN";
/// What it carries.
pub const SECRET: &str = "canary-webhook-secret";
/// The token of the calls to the API URL.
pub const TOKEN: &str = "canary-api-token";
/// What the tenant's own systems show to send signals.
pub const SIGNAL_TOKEN: &str = "canary-signal-token";
/// What humans show at the desk.
pub const DESK_TOKEN: &str = "canary-desk-token";
/// The channel that every site has.
pub const MAIN: &str = "main";
const METRIC_WITHIN: Duration = Duration::from_secs(10);

/// Settings of the runtime for tests that are not about its CPU time: where many
/// tests share a small machine, the same turn costs several times as much.
pub fn patience() -> Value {
    json!({ "native": { "cpu-ms": 500, "wall-ms": 10_000 } })
}

/// What a site is made of.
#[derive(Debug)]
pub struct Setup {
    bot: Bot,
    channels: BTreeMap<String, Value>,
    more: Value,
    window: Duration,
    vendor_down: bool,
    supervised: bool,
}

/// A running site.
#[derive(Debug)]
pub struct Site {
    /// Userlike's side.
    pub userlike: Userlike,
    config: Config,
    supervisor: Option<Supervisor>,
    // Absent only while one host follows another.
    host: Option<Host>,
    // It lives as long as the site.
    directory: TempDir,
}

impl Setup {
    /// A bot by its folder name, behind the channel [`MAIN`].
    ///
    /// # Errors
    ///
    /// The bot is not built.
    pub fn new(name: &str) -> Result<Self> {
        let bot = Bot { component: plugin(name)?, config: BTreeMap::new(), hosts: Vec::new() };
        Ok(Self {
            bot,
            channels: [(MAIN.to_owned(), json!({}))].into(),
            more: json!({}),
            window: Duration::from_secs(60),
            vendor_down: false,
            supervised: false,
        })
    }

    /// What the tenant configured for the bot.
    #[must_use]
    pub fn config(mut self, key: &str, value: &str) -> Self {
        self.bot.config.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Userlike's side refuses every connection until it is opened.
    #[must_use]
    pub fn vendor_down(mut self) -> Self {
        self.vendor_down = true;
        self
    }

    /// A supervisor keeps the host's socket while one host follows another.
    #[must_use]
    pub fn supervised(mut self) -> Self {
        self.supervised = true;
        self
    }

    /// Hosts that the bot may call.
    #[must_use]
    pub fn hosts(mut self, hosts: impl IntoIterator<Item = String>) -> Self {
        self.bot.hosts.extend(hosts);
        self
    }

    /// Changes the settings of a channel, or adds one; `null` takes a setting away.
    #[must_use]
    pub fn channel(mut self, name: &str, changes: Value) -> Self {
        self.channels.insert(name.to_owned(), changes);
        self
    }

    /// More settings of the host, merged over the others.
    #[must_use]
    pub fn with(mut self, more: Value) -> Self {
        self.more = more;
        self
    }

    /// The length of the minute in which Userlike lets 20 requests through.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Starts Userlike's side and the host, on a fresh store.
    ///
    /// # Errors
    ///
    /// As [`Host::start`].
    pub async fn start(self) -> Result<Site> {
        let directory = tempfile::Builder::new().prefix("botyard-it-").tempdir()?;
        let mut userlike = Userlike::closed(TOKEN, self.window)?;
        if !self.vendor_down {
            userlike.open()?;
        }
        let supervisor = self.supervised.then(|| Supervisor::new(directory.path())).transpose()?;
        let config = self.settings(directory.path(), &userlike);
        let mut site = Site { userlike, config, supervisor, host: None, directory };
        site.follow().await?;
        Ok(site)
    }

    fn settings(self, directory: &Path, userlike: &Userlike) -> Config {
        let names = self.channels.keys().cloned().collect::<Vec<_>>();
        let mut config = Config::new(directory).bot("bot", self.bot).with(json!({
            "log": { "format": "json" },
            "runtime": patience(),
            "tenants": { "demo": { "channels": self.channels } },
        }));
        for name in names {
            config = config.channel(&name, channel(userlike));
        }
        config.with(self.more)
    }
}

fn channel(userlike: &Userlike) -> Channel {
    Channel {
        vendor: "userlike".to_owned(),
        bot: "bot".to_owned(),
        webhook_header: Some(HEADER.to_owned()),
        webhook_secret: SECRET.to_owned(),
        api_url: userlike.api_url(),
        api_token: TOKEN.to_owned(),
        signal_token: SIGNAL_TOKEN.to_owned(),
        desk_token: Some(DESK_TOKEN.to_owned()),
    }
}

impl Site {
    /// The running host.
    ///
    /// # Panics
    ///
    /// An earlier restart failed.
    pub fn host(&self) -> &Host {
        self.host.as_ref().expect("the last restart succeeded")
    }

    /// What the host has captured of a channel, as it lies on the disk.
    ///
    /// # Errors
    ///
    /// Nothing was captured.
    pub fn captured_bytes(&self, channel: &str) -> Result<Vec<u8>> {
        Ok(std::fs::read(self.directory.path().join("captures").join(format!("{channel}.jsonl")))?)
    }

    /// Makes what the host has captured of a channel older by so much.
    ///
    /// # Errors
    ///
    /// Nothing was captured.
    pub fn age_captured(&self, channel: &str, by_ms: u64) -> Result<()> {
        let mut older = String::new();
        for line in String::from_utf8(self.captured_bytes(channel)?)?.lines() {
            let mut line: Value = serde_json::from_str(line)?;
            let at_ms = line["at_ms"].as_u64().context("it says when it was captured")?;
            line["at_ms"] = (at_ms - by_ms).into();
            older += &format!("{line}\n");
        }
        let file = self.directory.path().join("captures").join(format!("{channel}.jsonl"));
        Ok(std::fs::write(file, older)?)
    }

    /// All that lies in the store's database now, as bytes.
    ///
    /// # Panics
    ///
    /// It cannot be read.
    pub fn stored_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.directory.path()).expect("the store is there");
        let database = |path: &std::path::PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("botyard.db"))
        };
        let paths = files.map(|file| file.expect("a file").path()).filter(database);
        paths.flat_map(|path| std::fs::read(path).expect("a readable file")).collect()
    }

    /// What Userlike remembers.
    pub fn account(&self) -> &Account {
        self.userlike.account()
    }

    /// An address of the host; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.host().url())
    }

    /// The webhook of a channel, as it should be called.
    pub fn webhook(&self, channel: &str) -> Webhook {
        Webhook {
            url: self.url(&format!("/webhooks/{channel}")),
            header: Some((HEADER.to_owned(), SECRET.to_owned())),
        }
    }

    /// A new conversation on [`MAIN`].
    ///
    /// # Errors
    ///
    /// No HTTP client can be made.
    pub fn open(&self) -> Result<Conversation> {
        Conversation::open(self.account(), &self.webhook(MAIN), Contact::new())
    }

    /// The desk of the channel [`MAIN`].
    pub fn desk(&self) -> Desk {
        let url = self.url(&format!("/v1/channels/{MAIN}/desk"));
        Desk { url, token: DESK_TOKEN.to_owned() }
    }

    /// The door for signals into a conversation on [`MAIN`].
    pub fn signals(&self, cid: &str) -> Signals {
        let url = self.url(&format!("/v1/channels/{MAIN}/conversations/{cid}/signals"));
        Signals { url, token: Some(SIGNAL_TOKEN.to_owned()) }
    }

    /// The host's metrics as they are now.
    ///
    /// # Errors
    ///
    /// The host does not answer.
    pub async fn metrics(&self) -> Result<Metrics> {
        Metrics::read(&self.url("/metrics")).await
    }

    /// Waits until the sum of these metrics is at least so much.
    ///
    /// # Errors
    ///
    /// It was less for ten seconds.
    pub async fn wait_metric(&self, name: &str, labels: &[&str], least: f64) -> Result<()> {
        let what = format!("{name}{labels:?} of {least}");
        wait::until_asked(&what, METRIC_WITHIN, async || {
            Ok((self.metrics().await?.sum(name, labels) >= least).then_some(()))
        })
        .await
    }

    /// As [`Site::turns`], after waiting until there are so many: a line of the
    /// log may reach us after the answer that it tells of.
    ///
    /// # Errors
    ///
    /// There were fewer for ten seconds.
    pub async fn wait_turns(&self, least: usize) -> Result<Vec<Value>> {
        let what = format!("{least} turns in the log");
        wait::until(&what, METRIC_WITHIN, || {
            let turns = self.turns();
            (turns.len() >= least).then_some(turns)
        })
        .await
    }

    /// The lines of the host's log that are about turns.
    pub fn turns(&self) -> Vec<Value> {
        let lines = self.lines();
        lines.into_iter().filter(|line| line["turn"].is_string()).collect()
    }

    /// The lines of the host's log; since its last start.
    pub fn lines(&self) -> Vec<Value> {
        let log = self.host().log();
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Kills the host on the spot and starts another on its store.
    ///
    /// # Errors
    ///
    /// As [`Host::start`].
    pub async fn crash(&mut self) -> Result<()> {
        self.host.take().context("no host runs")?.kill()?;
        self.follow().await
    }

    /// Lets the host end in peace and starts another on its store.
    ///
    /// # Errors
    ///
    /// As [`Host::stop`] and [`Host::start`].
    pub async fn restart(&mut self) -> Result<ExitStatus> {
        let status = self.end().await?;
        self.follow().await?;
        Ok(status)
    }

    /// As [`Site::restart`], with more settings merged over the others.
    ///
    /// # Errors
    ///
    /// As [`Site::restart`].
    pub async fn restart_with(&mut self, more: Value) -> Result<ExitStatus> {
        self.config = self.config.clone().with(more);
        self.restart().await
    }

    /// Lets the host end in peace, for good.
    ///
    /// # Errors
    ///
    /// As [`Host::stop`].
    pub async fn stop(mut self) -> Result<ExitStatus> {
        self.end().await
    }

    /// Lets the host end in peace; [`Site::follow`] starts the next.
    ///
    /// # Errors
    ///
    /// As [`Host::stop`].
    pub async fn end(&mut self) -> Result<ExitStatus> {
        self.host.take().context("no host runs")?.stop().await
    }

    /// Starts a host on the store as it is.
    ///
    /// # Errors
    ///
    /// As [`Host::start`].
    pub async fn follow(&mut self) -> Result<()> {
        let host = match &self.supervisor {
            Some(supervisor) => Host::start_under(supervisor, &self.config).await?,
            None => Host::start(&self.config).await?,
        };
        self.host = Some(host);
        Ok(())
    }

    /// Gives a command to the host, as its operator, and answers the exit code and
    /// what was printed to both streams.
    ///
    /// # Errors
    ///
    /// As [`operate`].
    pub async fn operate(&self, words: &[&str]) -> Result<(Option<i32>, String)> {
        let output = operate(&self.config, words).await?;
        let printed = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8(printed)?))
    }

    /// The supervisor of a [supervised](Setup::supervised) site.
    ///
    /// # Panics
    ///
    /// It has none.
    pub fn supervisor(&self) -> &Supervisor {
        self.supervisor.as_ref().expect("the site is supervised")
    }
}
