//! Word to operators and tenants when something has stopped working: a bot or a
//! destination that keeps failing, a store that writes no more.
//!
//! Best effort, and no more: an alert is tried for some minutes and forgotten at
//! a restart. What it tells of stands in `botyard status`, in the log and in the
//! metrics as well. It names bots and channels, never what a person wrote.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use botyard_kernel::id::{BotId, ChannelId, TenantId};
use botyard_kernel::retry;
use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use metrics::counter;
use serde::Serialize;
use tokio::sync::Semaphore;
use url::Url;

use crate::config::{Config, Secret};
use crate::send::{Door, HostPattern, Outgoing, SecretHeaders, SendError};

/// Tries of one alert; the waits between them grow from a second to a minute.
const TRIES: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(10);
/// Nothing is read of an answer but its status.
const ANSWER_BYTES_MAX: usize = 1024;
/// Alerts that are on their way at the same time; more are not sent.
const UNDER_WAY_MAX: usize = 64;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// A bot keeps failing: its events end in the failure outcome without a run,
    /// but for probes.
    BotSuspended,
    /// A probe of such a bot was good: it runs again.
    BotRuns,
    /// A vendor or web service keeps failing: nothing is sent there but probes.
    DestinationSuspended,
    /// It answers again.
    DestinationAnswers,
    /// Something that a channel needs (a token, a registration) cannot be had.
    UpkeepFailed,
    /// A version did worse than the one before, which answers again.
    VersionRolledBack,
    /// The store takes no writes any more: webhooks are refused.
    StoreStopped,
}

/// One alert: the JSON document that is posted, without its empty fields.
#[derive(Clone, Debug, Serialize)]
pub struct Alert {
    /// What has happened.
    pub kind: AlertKind,
    /// Whose it is; absent where it is the operator's alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bot: Option<BotId>,
    /// The bot's component, as the hex digits of its SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The channel whose vendor it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// The host of the web service that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Who must act: `bot`, `tenant`, `vendor` or `host`.
    pub blame: Blame,
    /// Since when (Unix milliseconds).
    pub since_ms: Millis,
    /// How many failures led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<usize>,
    /// What to do.
    pub what_to_do: &'static str,
}

/// Where alerts go. A clone goes to the same places.
#[derive(Clone, Debug)]
pub struct Alerts {
    door: Door,
    operator: Option<Arc<Secret>>,
    tenants: Arc<RwLock<HashMap<TenantId, Arc<Secret>>>>,
    room: Arc<Semaphore>,
}

impl Alerts {
    /// Alerts to the operator's address in the settings.
    pub fn new(config: &Config, door: Door) -> Self {
        Self {
            door,
            operator: config.alerts.url.clone().map(Arc::new),
            tenants: Arc::default(),
            room: Arc::new(Semaphore::new(UNDER_WAY_MAX)),
        }
    }

    /// Alerts that are about a tenant go there besides.
    pub fn set_tenant(&self, tenant: &TenantId, url: Option<Secret>) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        match url {
            Some(url) => drop(tenants.insert(tenant.clone(), Arc::new(url))),
            None => drop(tenants.remove(tenant)),
        }
    }

    /// Sends an alert to the operator and to the tenant that it is about, without
    /// waiting for either.
    pub fn raise(&self, alert: &Alert) {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = alert.tenant.as_ref().and_then(|tenant| tenants.get(tenant));
        for url in self.operator.iter().chain(tenant) {
            // An alert has texts and numbers only: it is JSON in any case.
            let body = Bytes::from(serde_json::to_vec(alert).unwrap_or_default());
            let Ok(place) = Arc::clone(&self.room).try_acquire_owned() else {
                sent("too_many");
                tracing::warn!(kind = ?alert.kind, "an alert is not sent: too many are under way");
                continue;
            };
            let (door, url, kind) = (self.door.clone(), Arc::clone(url), alert.kind);
            tokio::spawn(async move {
                deliver(&door, url.expose(), kind, body).await;
                drop(place);
            });
        }
    }
}

async fn deliver(door: &Door, url: &str, kind: AlertKind, body: Bytes) {
    let mut wait_ms = 0;
    let mut why = String::new();
    for attempt in 1..=TRIES {
        match door.send(outgoing(url, body.clone())).await {
            Ok(answer) if answer.status.is_success() => return sent("delivered"),
            Ok(answer) => why = format!("it was answered {}", answer.status),
            Err(SendError::Denied(denied)) => {
                why = denied;
                break;
            }
            Err(SendError::NotSent(lost) | SendError::Lost(lost)) => why = lost,
        }
        if attempt < TRIES {
            wait_ms = retry::wait(wait_ms, None, rand::random());
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        }
    }
    sent("failed");
    tracing::error!(?kind, why, "an alert could not be delivered: look at `alert-url`");
}

fn outgoing(url: &str, body: Bytes) -> Outgoing {
    let json = HeaderValue::from_static("application/json");
    // Whoever wrote the settings chose the host; the rules for addresses hold all the same.
    let host = Url::parse(url).ok().as_ref().and_then(HostPattern::of);
    Outgoing {
        method: Method::POST,
        url: url.to_owned(),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
        body,
        timeout: TIMEOUT,
        answer_bytes_max: ANSWER_BYTES_MAX,
        secrets: SecretHeaders::default(),
        allow: host.into_iter().collect(),
        follow_redirects: false,
    }
}

fn sent(result: &'static str) {
    counter!("botyard_alerts_total", "result" => result).increment(1);
}
