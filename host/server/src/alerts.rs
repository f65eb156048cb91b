//! Word to operators and tenants when something has stopped working: a bot or a
//! destination that keeps failing, a store that writes no more.
//!
//! Best effort, and no more: an alert is tried for some minutes and forgotten at
//! a restart. What it tells of stands in `botyard status`, in the log and in the
//! metrics as well. It names bots and channels, never what a person wrote.

#[cfg(test)]
pub(crate) mod heard;
mod message;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use botyard_kernel::id::{BotId, ChannelId, TenantId};
use botyard_kernel::retry;
use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use http::Method;
use metrics::counter;
use serde::Serialize;
use tokio::sync::Semaphore;
use url::Url;

use message::Message;

use crate::clock;
use crate::config::{AlertPlace, Config};
use crate::send::{Door, HostPattern, Outgoing, SecretHeaders, SendError};

/// Tries of one alert; the waits between them grow from a second to a minute.
const TRIES: usize = 8;
const TIMEOUT: Duration = Duration::from_secs(10);
/// Nothing is read of an answer but its status.
const ANSWER_BYTES_MAX: usize = 1024;
/// Alerts that are on their way to the operator at the same time; more are not sent.
const UNDER_WAY_MAX: usize = 64;
/// As many to each tenant: one whose address hangs costs nobody else theirs.
const UNDER_WAY_MAX_TENANT: usize = 16;

/// What has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum AlertKind {
    /// A bot keeps failing: its events end in the failure outcome without a run,
    /// but for probes.
    #[serde(rename = "bot.suspended")]
    BotSuspended,
    /// A probe of such a bot was good: it runs again.
    #[serde(rename = "bot.runs")]
    BotRuns,
    /// A vendor or web service keeps failing: nothing is sent there but probes.
    #[serde(rename = "destination.suspended")]
    DestinationSuspended,
    /// It answers again.
    #[serde(rename = "destination.answers")]
    DestinationAnswers,
    /// A vendor does not take what is sent by a channel, by the tenant's fault: most often
    /// its token or its address is wrong. At most once an hour for each channel.
    #[serde(rename = "channel.refused")]
    ChannelRefused,
    /// A turn of a channel failed by this host's fault, however often it was tried. At most
    /// once an hour for each channel; the operator alone hears of it.
    #[serde(rename = "run.failed")]
    RunFailed,
    /// Something that a channel needs (a token, a registration) cannot be had, or the
    /// vendor calls its bot unwell.
    #[serde(rename = "upkeep.failed")]
    UpkeepFailed,
    /// A version did worse than the one before, which answers again.
    #[serde(rename = "version.rolled_back")]
    VersionRolledBack,
    /// A version did worse than the one before, and answers still: the host could not roll
    /// it back.
    #[serde(rename = "version.worse")]
    VersionWorse,
    /// The disk fills: what is too old is swept more often.
    #[serde(rename = "disk.fills")]
    DiskFills,
    /// The disk is full: what is not accepted yet is refused.
    #[serde(rename = "disk.full")]
    DiskFull,
    /// There is room on the disk again.
    #[serde(rename = "disk.has_room")]
    DiskHasRoom,
    /// A token of the management API ends within days: whoever uses it needs another.
    #[serde(rename = "token.expires")]
    TokenExpires,
    /// The store takes no writes any more: webhooks are refused.
    #[serde(rename = "store.stopped")]
    StoreStopped,
}

/// One alert. It is posted as Standard Webhooks say: `type`, `timestamp`, and all the rest,
/// without its empty fields, as `data`.
#[derive(Clone, Debug, Serialize)]
pub struct Alert {
    /// What has happened.
    #[serde(skip)]
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

impl Alert {
    /// An alert that is about nobody by name.
    pub fn new(kind: AlertKind, blame: Blame, since_ms: Millis, what_to_do: &'static str) -> Self {
        let (tenant, bot, version, channel, service) = (None, None, None, None, None);
        let failures = None;
        Self { kind, tenant, bot, version, channel, service, blame, since_ms, failures, what_to_do }
    }
}

/// Where alerts go. A clone goes to the same places.
#[derive(Clone, Debug)]
pub struct Alerts {
    door: Door,
    operator: Option<Hearer>,
    tenants: Arc<RwLock<HashMap<TenantId, Hearer>>>,
}

/// Who hears of alerts, and how many more may be on their way there.
#[derive(Clone, Debug)]
struct Hearer {
    place: Arc<AlertPlace>,
    room: Arc<Semaphore>,
}

impl Hearer {
    fn new(place: AlertPlace, under_way_max: usize) -> Self {
        Self { place: Arc::new(place), room: Arc::new(Semaphore::new(under_way_max)) }
    }
}

impl Alerts {
    /// Alerts to the operator's address in the settings.
    pub fn new(config: &Config, door: Door) -> Self {
        Self {
            door,
            operator: config.alerts.operator.clone().map(|place| Hearer::new(place, UNDER_WAY_MAX)),
            tenants: Arc::default(),
        }
    }

    /// Alerts that are about a tenant go there besides.
    pub fn set_tenant(&self, tenant: &TenantId, place: Option<AlertPlace>) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        match place {
            // What is under way to the address before stays counted.
            Some(place) => match tenants.get_mut(tenant) {
                Some(known) => known.place = Arc::new(place),
                None => {
                    tenants.insert(tenant.clone(), Hearer::new(place, UNDER_WAY_MAX_TENANT));
                }
            },
            None => drop(tenants.remove(tenant)),
        }
    }

    /// Sends an alert to the operator and to the tenant that it is about, without
    /// waiting for either. `false` where one of them is not sent, because too many are
    /// under way.
    pub fn raise(&self, alert: &Alert) -> bool {
        let mut all = true;
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let tenant = alert.tenant.as_ref().and_then(|tenant| tenants.get(tenant));
        for Hearer { place, room } in self.operator.iter().chain(tenant) {
            let Ok(room) = Arc::clone(room).try_acquire_owned() else {
                all = false;
                sent("too_many");
                tracing::warn!(kind = ?alert.kind, "an alert is not sent: too many are under way");
                continue;
            };
            let (door, place, kind) = (self.door.clone(), Arc::clone(place), alert.kind);
            let id = format!("msg_{:032x}", rand::random::<u128>());
            let message = Message::of(alert, &id, clock::now());
            tokio::spawn(async move {
                deliver(&door, &place, kind, &message).await;
                drop(room);
            });
        }
        all
    }
}

async fn deliver(door: &Door, place: &AlertPlace, kind: AlertKind, message: &Message) {
    let mut wait_ms = 0;
    let mut why = String::new();
    for attempt in 1..=TRIES {
        match door.send(outgoing(place, message, clock::now())).await {
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

fn outgoing(place: &AlertPlace, message: &Message, now: Millis) -> Outgoing {
    let url = place.url.expose();
    // Whoever wrote the settings chose the host; the rules for addresses hold all the same.
    let host = Url::parse(url).ok().as_ref().and_then(HostPattern::of);
    Outgoing {
        method: Method::POST,
        url: url.to_owned(),
        headers: message.headers(place.secret.as_ref(), now),
        body: message.body.clone(),
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

#[cfg(test)]
mod tests {
    use botyard_kernel::access::Scope;
    use serde_json::json;

    use super::heard::Heard;
    use super::*;
    use crate::app::scratch::{scratch, stamp, told_at};

    /// A tenant whose address answers nothing keeps alerts under way for minutes.
    #[tokio::test]
    async fn one_tenants_address_that_hangs_costs_nobody_else_their_alerts() {
        let hangs = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", hangs.local_addr().unwrap());
        let (app, _directory) = scratch("[egress]\nallow-loopback = true\n").await;
        let other = Heard::start().await;
        told_at(&app, "acme", &url).await;
        told_at(&app, "other", &other.url()).await;
        let raise = |tenant: &str| {
            let alert = Alert::new(AlertKind::BotSuspended, Blame::Bot, 7, "nothing");
            app.work.alerts().raise(&Alert { tenant: Some(tenant.into()), ..alert })
        };
        let sent = (0..200).filter(|_| raise("acme")).count();
        assert_eq!(sent, UNDER_WAY_MAX_TENANT);
        let written = (None, Some(json!({"alert-url": {"secret": "owner"}})));
        let (acme, stamp) = ("acme".into(), stamp());
        app.tenancy.put_tenant(&acme, written, Scope::Operator, &stamp).await.unwrap();
        assert!(!raise("acme"), "its address is written anew");
        assert!(raise("other"));
        assert_eq!(other.next().await["type"], json!("bot.suspended"));
    }

    const ALL: [AlertKind; 14] = [
        AlertKind::BotSuspended,
        AlertKind::BotRuns,
        AlertKind::DestinationSuspended,
        AlertKind::DestinationAnswers,
        AlertKind::ChannelRefused,
        AlertKind::RunFailed,
        AlertKind::UpkeepFailed,
        AlertKind::VersionRolledBack,
        AlertKind::VersionWorse,
        AlertKind::DiskFills,
        AlertKind::DiskFull,
        AlertKind::DiskHasRoom,
        AlertKind::TokenExpires,
        AlertKind::StoreStopped,
    ];

    /// A kind that is new is told of in the list, and the list names no other.
    #[test]
    fn the_page_for_hosters_lists_each_kind() {
        // The last kind in its list counts those before it.
        assert_eq!(ALL.len(), AlertKind::StoreStopped as usize + 1, "each kind is named above");
        let page = include_str!("../../../docs/hosting.md");
        let (_, rest) = page.split_once("## Notices").unwrap();
        let (section, _) = rest.split_once("\n## ").unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        let cells = rows.filter_map(|row| row.split(" | ").next());
        let words = cells.flat_map(|cell| cell.split(',')).map(|it| it.replace(['`', ' '], ""));
        let mut listed: Vec<_> = words.filter(|word| word != "type").collect();
        let names = ALL.iter().map(|kind| serde_json::json!(kind));
        let mut known: Vec<_> = names.map(|name| name.as_str().unwrap().to_owned()).collect();
        listed.sort();
        known.sort();
        assert_eq!(listed, known);
    }
}
