//! A host with tenants that know nothing of one another.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use axum::Router;
use botyard_tests::host::{Bot, Channel, Config, Host, plugin};
use botyard_tests::load::{Connections, Offer, Outcome, Target};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

const SECRET: &str = "bench-webhook-secret";

/// One half of a pair.
#[derive(Clone, Copy)]
pub(crate) struct Half {
    /// Webhooks a second.
    pub(crate) rate: f64,
    /// For so long.
    pub(crate) time: Duration,
}

/// Directories and servers that outlive the hosts.
pub(crate) struct Stage {
    artefacts: TempDir,
    api_url: String,
    /// An address that takes connections and never answers.
    pub(crate) silent: String,
    _silent: TcpListener,
}

/// A running host on a fresh store.
pub(crate) struct Scene {
    pub(crate) host: Host,
    pub(crate) connections: Arc<Connections>,
    _directory: TempDir,
}

impl Stage {
    pub(crate) async fn set() -> Result<Self> {
        // What does not ride in an answer is taken by a vendor that never complains.
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let api_url = format!("http://{}/v1/", listener.local_addr()?);
        let vendor = Router::new().fallback(|| async { "" });
        tokio::spawn(async move { axum::serve(listener, vendor).await });
        let silent = TcpListener::bind("127.0.0.1:0").await?;
        let address = silent.local_addr()?.to_string();
        Ok(Self { artefacts: tempfile::tempdir()?, api_url, silent: address, _silent: silent })
    }

    /// A host with the tenants `demo`, channel `main`, and `other`, channel
    /// `other`; each with the bot `puppet` and a channel `...-bad` with `hostile`.
    pub(crate) async fn open(&self, more: Value) -> Result<Scene> {
        let directory = tempfile::Builder::new().prefix("botyard-fairness-").tempdir()?;
        let bot = |name: &str| -> Result<Bot> {
            let hosts = vec![self.silent.clone()];
            Ok(Bot { component: plugin(name)?, config: [].into(), hosts })
        };
        let (puppet, hostile) = (bot("puppet")?, bot("hostile")?);
        let channel = |bot: &str| Channel {
            vendor: "userlike".to_owned(),
            bot: bot.to_owned(),
            webhook_header: Some("api-security-token".to_owned()),
            webhook_secret: SECRET.to_owned(),
            api_url: self.api_url.clone(),
            api_token: "bench-api-token".to_owned(),
            signal_token: "bench-signal-token".to_owned(),
            desk_token: None,
        };
        let config = Config::new(directory.path())
            .bot("puppet", puppet.clone())
            .bot("hostile", hostile.clone())
            .channel("main", channel("puppet"))
            .channel("main-bad", channel("hostile"))
            .with(json!({
                "log": { "filter": "error,botyard::app=info" },
                "runtime": { "artefact-directory": self.artefacts.path() },
                "tenants": { "other": {
                    "bots": { "puppet": puppet, "hostile": hostile },
                    "channels": {
                        "other": channel("puppet"),
                        "other-bad": channel("hostile"),
                    },
                } },
            }))
            .with(more);
        let host = Host::start(&config).await?;
        let connections = Arc::new(Connections::new(host.url(), 3_500)?);
        Ok(Scene { host, connections, _directory: directory })
    }
}

impl Scene {
    /// The webhook of a channel, for conversations of this name.
    pub(crate) fn target(channel: &str, name: &str) -> Target {
        let path = format!("/webhooks/{channel}");
        Target { path, secret: SECRET.to_owned(), name: name.to_owned() }
    }

    /// What people experience who must not be harmed: 100 conversations, a short
    /// turn each time. The first second is not counted.
    pub(crate) async fn people(&self, half: Half) -> Result<Outcome> {
        let offer = |time| Offer {
            target: Self::target("main", "people"),
            text: "count".to_owned(),
            conversations: 100,
            rate: half.rate,
            time,
        };
        offer(Duration::from_secs(1)).send(&self.connections).await;
        let outcome = offer(half.time).send(&self.connections).await;
        if let Some(wrong) = &outcome.wrong {
            anyhow::bail!("a webhook of those who do no harm went wrong: {wrong}");
        }
        Ok(outcome)
    }
}
