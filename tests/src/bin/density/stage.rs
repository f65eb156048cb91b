//! A host with very many bots, made by its API as tenants would.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use botyard_tests::client::management::{Management, userlike_channel};
use botyard_tests::host::{Config, Host, distinct, plugin};
use botyard_tests::load::{Connections, Target};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const SECRET: &str = "density-webhook-secret";
/// Written when all bots are there.
const DONE: &str = "density.json";
/// Tenants that are set up at the same time.
const AT_ONCE: usize = 8;
/// Components that the bots share which have none of their own.
const SHARED: usize = 10;

/// How many there are.
#[derive(Clone, Copy)]
pub(crate) struct Population {
    pub(crate) tenants: usize,
    pub(crate) bots: usize,
}

impl Population {
    pub(crate) fn all(self) -> usize {
        self.tenants * self.bots
    }

    /// The webhook of a bot by its number: the first bots, one of each tenant, have
    /// components of their own.
    pub(crate) fn target(self, number: usize) -> Target {
        let (tenant, bot) = (number % self.tenants, number / self.tenants);
        let path = format!("/webhooks/t{tenant}-b{bot}");
        Target { path, secret: SECRET.to_owned(), name: format!("n{number}") }
    }
}

/// The host and its bots.
pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) connections: Arc<Connections>,
    pub(crate) population: Population,
    /// From its start until it was ready.
    pub(crate) started: Duration,
    config: Config,
}

impl Stage {
    /// Starts a host on this directory, and makes all bots that are not there yet.
    pub(crate) async fn set(directory: &Path, population: Population) -> Result<Self> {
        let done = directory.join(DONE);
        let known = json!({"tenants": population.tenants, "bots": population.bots});
        let config = config(directory);
        if done.is_file() {
            let there: Value = serde_json::from_slice(&fs::read(&done)?)?;
            ensure!(there == known, "{} holds {there}; name another directory", done.display());
        } else {
            make(&config, population).await?;
            fs::write(&done, known.to_string())?;
        }
        Self::start(config, population).await
    }

    /// The same after another start, as after the machine itself has started again where
    /// the system lets us forget what it has read.
    pub(crate) async fn again(self) -> Result<(Self, bool)> {
        let Self { host, config, population, .. } = self;
        host.stop().await?;
        // Only root may; what was written already is what can be forgotten.
        let forgotten = fs::write("/proc/sys/vm/drop_caches", "3").is_ok();
        Ok((Self::start(config, population).await?, forgotten))
    }

    async fn start(config: Config, population: Population) -> Result<Self> {
        let start = Instant::now();
        let host = Host::start(&config).await?;
        let started = start.elapsed();
        let connections = Arc::new(Connections::new(host.url(), 1_000)?);
        Ok(Self { host, connections, population, started, config })
    }
}

/// The settings of a host without tenants.
pub(crate) fn config(directory: &Path) -> Config {
    Config::new(directory).with(json!({
        "tenants": null,
        "log": { "filter": "error,botyard::app=info" },
    }))
}

async fn make(config: &Config, population: Population) -> Result<()> {
    let host = Host::start(config).await?;
    // What does not ride in an answer is taken by a vendor that never complains.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let api_url = format!("http://{}/v1/", listener.local_addr()?);
    let vendor = Router::new().fallback(|| async { "" });
    let vendor = tokio::spawn(async move { axum::serve(listener, vendor).await });
    let maker = Arc::new(Maker {
        operator: host.management(),
        component: plugin("echo")?,
        api_url,
        bots: population.bots,
    });
    let (start, mut makers) = (Instant::now(), JoinSet::new());
    let mut made = 0_usize;
    for tenant in 0..population.tenants {
        if makers.len() == AT_ONCE {
            makers.join_next().await.context("somebody is at work")???;
            made += 1;
            if made.is_multiple_of(100) {
                eprintln!("{made} tenants after {:.0} s", start.elapsed().as_secs_f64());
            }
        }
        let maker = Arc::clone(&maker);
        makers.spawn(async move { maker.tenant(tenant).await });
    }
    while let Some(done) = makers.join_next().await {
        done??;
    }
    let (all, took) = (population.all(), start.elapsed());
    println!("{all} bots were uploaded and deployed in {:.0} s", took.as_secs_f64());
    vendor.abort();
    host.stop().await?;
    Ok(())
}

/// Whoever sets tenants up.
struct Maker {
    operator: Management,
    component: PathBuf,
    api_url: String,
    bots: usize,
}

impl Maker {
    async fn tenant(&self, tenant: usize) -> Result<()> {
        let own = format!("/tenants/t{tenant}");
        let operator = &self.operator;
        operator.post("/tenants", json!({"name": format!("t{tenant}")})).await?;
        for secret in ["token", "webhook"] {
            operator.put(&format!("{own}/secrets/{secret}"), json!({"value": SECRET})).await?;
        }
        for bot in 0..self.bots {
            let kind = if bot == 0 { 1_000_000 + tenant } else { (tenant + bot) % SHARED };
            self.bot(&own, tenant, bot, kind).await?;
        }
        Ok(())
    }

    async fn bot(&self, own: &str, tenant: usize, bot: usize, kind: usize) -> Result<()> {
        let operator = &self.operator;
        let path = format!("{own}/bots/b{bot}");
        operator.put(&path, json!({})).await?;
        let component = distinct(fs::read(&self.component)?, kind);
        let uploaded = operator.upload(&format!("{path}/versions"), component).await?;
        let (status, body) = (uploaded.status, uploaded.body);
        ensure!(status == StatusCode::CREATED, "{path}: {status} {body}");
        let deploy = json!({"action": "deploy", "version": body["digest"]});
        operator.post(&format!("{path}/deployment"), deploy).await?;
        let settings = userlike_channel(&format!("b{bot}"), &self.api_url);
        operator.put(&format!("{own}/channels/t{tenant}-b{bot}"), settings).await?;
        Ok(())
    }
}
