//! A host with somebody who does no harm and tenants who mean it.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use botyard_tests::client::management::{Management, userlike_channel};
use botyard_tests::host::{Bot, Channel, Config, Host, plugin};
use botyard_tests::load::{Connections, Target};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

const SECRET: &str = "hostile-webhook-secret";
const HEADER: &str = "api-security-token";
/// Who must not be harmed: its tenant is in the settings, its channel is this.
pub(crate) const VICTIM: &str = "victim";

/// The running host.
pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) connections: Arc<Connections>,
    operator: Management,
    api_url: String,
    _directory: TempDir,
}

/// A tenant that means harm, as its administrator.
pub(crate) struct Attacker<'a> {
    stage: &'a Stage,
    pub(crate) name: String,
    pub(crate) admin: Management,
}

impl Stage {
    pub(crate) async fn set(unguarded: bool) -> Result<Self> {
        // What does not ride in an answer is taken by a vendor that never complains.
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let api_url = format!("http://{}/v1/", listener.local_addr()?);
        let vendor = Router::new().fallback(|| async { "" });
        tokio::spawn(async move { axum::serve(listener, vendor).await });
        let directory = tempfile::Builder::new().prefix("botyard-hostile-").tempdir()?;
        let host = Host::start(&settings(&directory, &api_url, unguarded)?).await?;
        let connections = Arc::new(Connections::new(host.url(), 2_000)?);
        let operator = host.management();
        Ok(Self { host, connections, operator, api_url, _directory: directory })
    }

    /// A new tenant, with the secrets of a Userlike account.
    pub(crate) async fn attacker(&self, name: &str) -> Result<Attacker<'_>> {
        self.operator.post("/tenants", json!({"name": name})).await?;
        let wish = json!({"scope": "admin", "texts": "full"});
        let token = self.operator.post(&format!("/tenants/{name}/tokens"), wish).await?;
        let admin = self.operator.with(token["token"].as_str().context("a token")?);
        for secret in ["token", "webhook"] {
            let path = format!("/tenants/{name}/secrets/{secret}");
            admin.put(&path, json!({"value": SECRET})).await?;
        }
        Ok(Attacker { stage: self, name: name.to_owned(), admin })
    }

    /// The webhook of a channel, for conversations of this name.
    pub(crate) fn target(channel: &str, name: &str) -> Target {
        let path = format!("/webhooks/{channel}");
        Target { path, secret: SECRET.to_owned(), name: name.to_owned() }
    }
}

impl<'a> Attacker<'a> {
    pub(crate) fn stage(&self) -> &'a Stage {
        self.stage
    }

    /// Uploads a version of a bot and answers what the host said; the bot is made first.
    pub(crate) async fn upload(&self, bot: &str, bytes: &[u8]) -> Result<(StatusCode, Value)> {
        let own = format!("/tenants/{}/bots/{bot}", self.name);
        self.admin.put(&own, json!({})).await?;
        let answered = self.admin.upload(&format!("{own}/versions"), bytes.to_vec()).await?;
        Ok((answered.status, answered.body))
    }

    /// Uploads a bot, deploys it and puts it behind a channel of its name, which it answers.
    pub(crate) async fn deploy(&self, bot: &str, bytes: &[u8]) -> Result<String> {
        let (status, body) = self.upload(bot, bytes).await?;
        ensure!(status == StatusCode::CREATED, "{bot} was refused: {status} {body}");
        let own = format!("/tenants/{}", self.name);
        let deploy = json!({"action": "deploy", "version": body["digest"]});
        self.admin.post(&format!("{own}/bots/{bot}/deployment"), deploy).await?;
        let channel = format!("{}-{bot}", self.name);
        let settings = userlike_channel(bot, &self.stage.api_url);
        self.admin.put(&format!("{own}/channels/{channel}"), settings).await?;
        Ok(channel)
    }
}

fn settings(directory: &TempDir, api_url: &str, unguarded: bool) -> Result<Config> {
    let channel = Channel {
        vendor: "userlike".to_owned(),
        bot: "puppet".to_owned(),
        webhook_header: Some(HEADER.to_owned()),
        webhook_secret: SECRET.to_owned(),
        api_url: api_url.to_owned(),
        api_token: "hostile-api-token".to_owned(),
        signal_token: "hostile-signal-token".to_owned(),
        desk_token: None,
    };
    let puppet = Bot { component: plugin("puppet")?, config: [].into(), hosts: Vec::new() };
    let cpu_ms = if unguarded { 2_000 } else { 50 };
    Ok(Config::new(directory.path()).bot("puppet", puppet).channel(VICTIM, channel).with(json!({
        "log": { "filter": "error,botyard::app=info" },
        "runtime": {
            // A compile bomb ends soon enough to be seen ending.
            "compile": { "cpu-seconds": 3 },
            "native": { "cpu-ms": cpu_ms },
        },
    })))
}
