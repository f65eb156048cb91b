//! How the host is, for its operator.

use std::sync::Arc;

use axum::extract::State;
use botyard_kernel::access::Permission;
use botyard_kernel::time::Millis;
use botyard_kernel::watermark::Level;
use botyard_runtime::{Occupancy, SafetyFeature};
use botyard_store::Held;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::Caller;
use super::page::Json;
use super::problem::Problem;
use crate::admin::count_letters;
use crate::admin::protocol::Paused;
use crate::app::App;
use crate::clock;
use crate::http::{Readiness, readiness};
use crate::registry::Channel;

/// Dead letters are counted up to here.
pub const LETTERS_COUNTED_MAX: usize = 1_000;

/// How a host is.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// The host's version.
    pub version: String,
    /// When it was started (Unix milliseconds).
    pub started_ms: Millis,
    /// Now, by the host's clock (Unix milliseconds).
    pub now_ms: Millis,
    /// It takes webhooks.
    pub ready: bool,
    /// It ends: no new work is taken.
    pub stopping: bool,
    /// The store was made of a backup, and nothing is delivered until
    /// `POST /v1/status/release`.
    pub held: bool,
    /// When that was done; absent where nothing is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// Where everything is kept.
    pub store: StoreStatus,
    /// What is accepted and not done yet.
    pub backlog: Backlog,
    /// Conversations in memory.
    pub lanes: usize,
    /// Dead letters, counted up to 1,000; absent where the store does not say.
    pub dead_letters: Option<usize>,
    /// What an operator or a tenant has stopped.
    pub paused: Vec<Paused>,
    /// What keeps failing: bots and destinations of this kind are left alone.
    pub breakers: Vec<OpenBreaker>,
    /// How many turns may run at the same time, and do.
    pub permits: Vec<Permits>,
    /// What protects the host from its bots.
    pub safety: Vec<Safety>,
}

/// A store that was made of a backup.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Restored {
    /// When it was made (Unix milliseconds).
    pub restored_ms: Millis,
    /// When the backup was made (Unix milliseconds).
    pub backup_ms: Millis,
}

/// Where everything is kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StoreStatus {
    /// `ok`, or what is wrong with the store and what to do.
    pub state: String,
    /// How much room it takes; absent where the disk does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Room>,
    /// `normal`, `soft` where the operator is told, `hard` where nothing more is accepted.
    #[schema(value_type = String)]
    pub disk: Level,
    /// Where `soft` begins, in percent of the disk.
    pub soft_percent: u8,
    /// Where `hard` begins, in percent of the disk.
    pub hard_percent: u8,
    /// When it was copied last by `botyard backup` (Unix milliseconds); absent where that is
    /// not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup_ms: Option<Millis>,
}

/// Room on the disk of the store.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Room {
    /// The database and its write-ahead log.
    pub database_bytes: u64,
    /// Components and the like.
    pub blobs_bytes: u64,
    /// What is free of the disk.
    pub free_bytes: u64,
    /// The whole disk.
    pub total_bytes: u64,
}

/// What is accepted and not done yet.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Backlog {
    /// Requests that wait for their answer.
    pub requests: usize,
    /// Events that wait for their turn.
    pub events: usize,
    /// What both take in memory, about.
    pub bytes: usize,
}

/// What keeps failing: bots and destinations of this kind are left alone.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct OpenBreaker {
    /// `bot`; `destination`, the vendor of a channel or a web service; or `channel`, of
    /// which its vendor says that its bot fails.
    pub what: String,
    /// Its name; of a bot or a channel with its tenant, as `tenant/bot`.
    pub name: String,
    /// Since when (Unix milliseconds).
    pub since_ms: Millis,
}

/// How many turns of a tier may run at the same time, and do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Permits {
    /// `native` or `interpreted`.
    pub tier: String,
    /// So many may run.
    pub total: usize,
    /// So many more may begin now.
    pub free: usize,
    /// So many wait until they may.
    pub waiting: usize,
}

/// What protects the host from its bots.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Safety {
    /// Its name.
    pub name: String,
    /// Whether it is really active.
    pub active: bool,
    /// What was found, and what to do where it is not active.
    pub detail: String,
}

/// What came of a release.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Released {
    /// It was held until now.
    pub released: bool,
}

/// How the host is: for its operator.
#[utoipa::path(get, path = "/v1/status", tag = "host",
    responses((status = 200, body = Status), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Status>, Problem> {
    caller.may(Permission::ManageHost)?;
    let Readiness { ready, stopping, store } = readiness(&app).await;
    // What is wrong with the store is said above, and a host of which it is not known that it
    // may deliver does not.
    let held = app.held().ok().flatten();
    let backlog = app.work.backlog().total();
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_ms: app.started_ms,
        now_ms: clock::now(),
        ready,
        stopping,
        held: app.work.is_held(),
        restored: held.map(|Held { restored_ms, backup_ms }| Restored { restored_ms, backup_ms }),
        store: store_status(&app, store).await,
        backlog: Backlog {
            requests: backlog.requests,
            events: backlog.events,
            bytes: backlog.bytes,
        },
        lanes: app.work.lanes_active(),
        dead_letters: count_letters(&app, LETTERS_COUNTED_MAX).await,
        paused: app.work.pauses().into_iter().map(Paused::from).collect(),
        breakers: breakers(&app),
        permits: permits(&app),
        safety: app.safety().into_iter().map(Safety::from).collect(),
    }))
}

/// Let a host deliver whose store was made of a backup: until then it accepts events and
/// says nothing, as what it holds may long have been said. One that delivers goes on.
#[utoipa::path(post, path = "/v1/status/release", tag = "host",
    responses((status = 200, body = Released), (status = "4XX", body = Problem)))]
pub(super) async fn release(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<Released>, Problem> {
    caller.may(Permission::ManageHost)?;
    Ok(Json(Released { released: app.release(&caller.stamp()).await? }))
}

async fn store_status(app: &Arc<App>, state: &str) -> StoreStatus {
    let (marks, _) = app.config.store.disk;
    let room = app.disk().await.ok().map(|disk| Room {
        database_bytes: disk.database_bytes,
        blobs_bytes: disk.blobs_bytes,
        free_bytes: disk.free_bytes,
        total_bytes: disk.total_bytes,
    });
    StoreStatus {
        state: state.to_owned(),
        room,
        disk: app.work.disk_level(),
        soft_percent: marks.soft(),
        hard_percent: marks.hard(),
        last_backup_ms: app.last_backup().await.ok().flatten(),
    }
}

fn breakers(app: &App) -> Vec<OpenBreaker> {
    let open = |what: &'static str, open: Vec<(String, Millis)>| {
        let named = move |(name, since_ms)| OpenBreaker { what: what.to_owned(), name, since_ms };
        open.into_iter().map(named)
    };
    let bots = open("bot", app.work.suspended_bots());
    let bots = bots.chain(open("destination", app.work.left_alone()));
    let unwell = |it: &Arc<Channel>| Some((format!("{}/{}", it.tenant, it.id), it.unwell_since()?));
    bots.chain(open("channel", app.work.channels().iter().filter_map(unwell).collect())).collect()
}

fn permits(app: &App) -> Vec<Permits> {
    let tiers = app.work.runtime().occupancy().into_iter();
    let told = tiers.map(|(tier, Occupancy { total, free, waiting })| Permits {
        tier: tier.name().to_owned(),
        total,
        free,
        waiting,
    });
    told.collect()
}

impl From<SafetyFeature> for Safety {
    fn from(SafetyFeature { name, active, detail }: SafetyFeature) -> Self {
        Self { name: name.to_owned(), active, detail }
    }
}
