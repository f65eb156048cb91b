//! The host: every part that lives as long as it does.

mod copies;
mod descriptors;
mod key_file;
mod keys;
mod listeners;
mod load;
mod precompile;
mod safety;
#[cfg(test)]
pub(crate) mod scratch;
mod stopped;
mod tenants;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use botyard_failpoints::{Point, pass};
use botyard_kernel::limits::Limit;
use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use botyard_runtime::{Runtime, SafetyFeature};
use botyard_store::{Held, OpenError, SqliteStore};
use metrics::gauge;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::time::Instant;

use crate::admin::Admin;
use crate::alerts::{Alert, AlertKind, Alerts};
use crate::api::Places;
use crate::captures::{self, Captures};
use crate::clock;
use crate::config::Config;
use crate::http::Reading;
use crate::operations::{self, Operations};
use crate::registry::{Operator, Registry, Versions};
use crate::relays::Callbacks;
use crate::send::Door;
use crate::supervisor::{self, KeptSocket};
use crate::tenancy::Tenancy;
use crate::work::{Bounded, Outside, Work};

use listeners::{Listeners, Servers};

pub use keys::Rotated;
pub use precompile::{Prepared, Unprepared};

/// Copies of the database from before it was brought up to date stay for so long.
const COPIES_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The host.
pub struct App {
    /// Its settings.
    pub config: Config,
    /// Its conversations.
    pub work: Arc<Work>,
    /// Its metrics.
    pub metrics: PrometheusHandle,
    /// It takes no new work.
    pub stopping: AtomicBool,
    /// Webhooks that are kept as they came.
    pub captures: Arc<Captures>,
    /// When it was started.
    pub started_ms: Millis,
    /// Where it listens, once it does.
    address: OnceLock<SocketAddr>,
    /// Bodies of webhooks that are on their way.
    pub reading: Arc<Reading>,
    /// Uploads that are read.
    pub uploads: Places,
    /// Uploads that are compiled, or wait for it.
    pub compilations: Places,
    /// Logs that are followed.
    pub followers: Places,
    /// Tenants and what they have.
    pub tenancy: Arc<Tenancy>,
    /// What takes long.
    pub operations: Arc<Operations>,
    /// One change of the key at a time.
    rotating: tokio::sync::Mutex<()>,
    runtime: Arc<Runtime>,
    store: SqliteStore,
}

impl App {
    /// Opens the store, loads bots and connects channels.
    ///
    /// # Errors
    /// The operator's to correct, unless the text says otherwise.
    pub async fn start(config: Config, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        let directory = config.store.directory.clone();
        let bytes_max = config.store.database_bytes_max;
        let open = move || {
            let store = SqliteStore::open_bounded(&directory, bytes_max)?;
            // Whoever was erased since is in them yet.
            if let Err(error) = store.forget_copies(COPIES_KEPT) {
                tracing::error!(%error, "old copies of the database cannot be removed");
            }
            Ok::<_, OpenError>(store)
        };
        let store = tokio::task::spawn_blocking(open)
            .await
            .context("opening the store broke down")?
            .with_context(|| {
                format!("cannot open the store in {}", config.store.directory.display())
            })?;
        pass(Point::StoreOpened);
        let artefacts = config.runtime.artefact_directory.clone();
        let caches = descriptors::share(config.server.connections_max);
        let runtime = load::runtime(&config, &config.store.directory, artefacts, caches.linked)?;
        let versions = Versions::new(Arc::clone(&runtime), &store.store(), caches.open);
        let operator = Operator::new(config.egress.allow_hosts.clone(), config.policy.clone());
        let registry = Registry::new(versions, operator);
        let door = Door::new(&config.egress).context("cannot set up the way out")?;
        let alerts = Alerts::new(&config, door.clone());
        let envelope = Arc::new(keys::envelope(&config)?);
        let callbacks = Callbacks::new(config.server.public_url.clone(), Arc::clone(&envelope));
        let (limits, disk) = (config.limits.clone(), config.store.disk);
        let bounded = Bounded { backlog: config.backlog, limits, disk };
        let outside = Outside { door, alerts, envelope, callbacks };
        let work = Work::new(registry, store.store(), Arc::clone(&runtime), outside, bounded);
        let captures = Captures::new(&config.store.directory);
        let tenancy = Arc::new(Tenancy::new(Arc::clone(&work), Arc::clone(&captures)));
        let deletions = operations::deletions(&tenancy).await;
        for tenant in deletions.context("cannot read which tenants are being taken away")? {
            tenancy.begin_deleting(&tenant);
        }
        tenants::run(&config, &tenancy, &runtime, &work).await?;
        if let Some(held) = store.held().context("cannot read whether the store is held")? {
            let Held { restored_ms, backup_ms } = held;
            tracing::warn!(
                restored_ms,
                backup_ms,
                "the store was made of a backup: events are accepted and nothing is delivered, as \
                 it may long have been said; look at it, then `botyard release`"
            );
            work.hold(true);
        }
        work.load_pauses().await.context("cannot read what is paused")?;
        work.load_upkeep().await;
        let uploads = Places::new(Limit::HostUploads, Limit::UploadsAtOnce, 10);
        let compilations = Places::new(Limit::HostCompilations, Limit::CompilationsAtOnce, 30);
        let followers = Places::new(Limit::HostFollowedLogs, Limit::FollowedLogs, 60);
        let operations = Operations::new(store.store());
        let (stopping, address) = (AtomicBool::new(false), OnceLock::new());
        Ok(Self {
            config,
            work,
            metrics,
            stopping,
            started_ms: clock::now(),
            address,
            uploads,
            compilations,
            followers,
            reading: Arc::default(),
            tenancy,
            operations,
            rotating: tokio::sync::Mutex::default(),
            runtime,
            captures,
            store,
        })
    }

    /// Does what [`App::start`] does without a store, in a scratch directory.
    ///
    /// # Errors
    /// As [`App::start`].
    pub async fn check(config: &Config, scratch: &Path) -> anyhow::Result<()> {
        let runtime = load::runtime(config, scratch, scratch.join("artefacts"), 1)?;
        tenants::check(config, &runtime).await
    }

    /// Takes webhooks until `stop` ends, then lets what is under way end. The socket
    /// of a supervisor goes before the address of the settings.
    ///
    /// # Errors
    /// When the address cannot be listened on, and when the store stops writing: only
    /// opening it again recovers, which whoever looks after the process can do.
    pub async fn serve(
        self: Arc<Self>,
        kept: Option<KeptSocket>,
        stop: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let listeners = Listeners::bind(kept, &self.config.server).await?;
        self.address.get_or_init(|| listeners.webhooks());
        // Before anybody can ask for the same.
        operations::resume(&self.operations, &self.tenancy).await?;
        // Whoever cannot take commands fails before any bot runs.
        let admin = Admin::start(&self, &self.config.admin.socket)?;
        pass(Point::SweepFollows);
        self.work.start_sweeping();
        self.work.start_upkeep();
        self.work.start_metering();
        self.work.start_writing_used();
        self.tenancy.start_housekeeping();
        self.tenancy.start_rolling_back();
        self.show_first_token().await?;
        tokio::spawn(captures::sweep(Arc::downgrade(&self.captures)));
        let gauges = tokio::spawn(Arc::clone(&self).measure());
        self.announce(&listeners);
        let servers = listeners.serve(&self);
        supervisor::tell_ready();
        let end = async |grace| {
            supervisor::tell_stopping();
            self.stop(grace, servers).await;
            admin.stop();
            gauges.abort();
        };
        stopped::serve(stop, || self.writes(), self.config.server.shutdown_grace, end).await
    }

    /// How the world reaches this host, as far as it knows.
    pub fn base_url(&self) -> String {
        let listens =
            || format!("http://{}", self.address.get().unwrap_or(&self.config.server.listen));
        self.config.server.public_url.clone().unwrap_or_else(listens)
    }

    /// Whether everything that was written so far is on stable storage, and more
    /// can be.
    pub fn writes(&self) -> bool {
        self.store.is_healthy()
    }

    async fn stop(&self, grace: Duration, servers: Servers) {
        let until = Instant::now() + grace;
        tracing::info!(?grace, "stopping: turns in flight end first");
        self.stopping.store(true, Ordering::Release);
        // Requests first: what they bring must find a store that writes.
        servers.end(until).await;
        pass(Point::Draining);
        let drained = self.work.drain(until.saturating_duration_since(Instant::now())).await;
        if !drained {
            tracing::warn!("some turns did not end in time; they run again after the next start");
        }
        self.work.write_usage().await;
        self.work.write_used().await;
        pass(Point::StoreCloses);
        self.store.close().await;
        tracing::info!("stopped");
    }

    fn announce(&self, listeners: &Listeners) {
        for SafetyFeature { name, active, detail } in self.safety() {
            if active {
                tracing::info!(name, detail, "safety feature active");
            } else {
                tracing::warn!(name, detail, "safety feature NOT active");
            }
        }
        let base = self.base_url();
        for channel in self.work.channels() {
            let (id, vendor) = (&channel.id, channel.vendor().name());
            tracing::info!(channel = %id, vendor, "webhook at {base}/webhooks/{id}");
        }
        listeners.announce();
    }

    /// Whoever starts a host for the first time gets the operator's token, once.
    async fn show_first_token(&self) -> anyhow::Result<()> {
        let made = self.tenancy.first_operator_token().await;
        if let Some(token) = made.context("cannot make the operator's first token")? {
            let token = token.reveal();
            // Not into the log, which others may read and keep.
            writeln!(std::io::stdout(), "the operator's token, shown only now: {token}")
                .context("cannot show the operator's first token")?;
        }
        Ok(())
    }

    fn alert_store_stopped(&self) {
        let what_to_do = "look at the disk and start the host again: it ends, and webhooks are \
                          refused until then";
        let kind = AlertKind::StoreStopped;
        self.work.alerts().raise(&Alert::new(kind, Blame::Host, clock::now(), what_to_do));
    }

    fn measure_disk(&self) {
        match self.store.free() {
            Ok((free, total)) => {
                gauge!("botyard_disk_free_bytes").set(free as f64);
                gauge!("botyard_disk_bytes").set(total as f64);
                self.work.note_disk(free, total);
            }
            Err(error) => tracing::debug!(%error, "the disk does not say how full it is"),
        }
    }

    async fn measure(self: Arc<Self>) {
        let mut wrote = true;
        loop {
            let writes = self.writes();
            if wrote && !writes {
                self.alert_store_stopped();
            }
            wrote = writes;
            let counters = self.store.counters();
            let backlog = self.work.backlog().total();
            gauge!("botyard_bodies_awaited").set(self.reading.count() as f64);
            gauge!("botyard_backlog_requests").set(backlog.requests as f64);
            gauge!("botyard_backlog_events").set(backlog.events as f64);
            gauge!("botyard_backlog_bytes").set(backlog.bytes as f64);
            gauge!("botyard_lanes").set(self.work.lanes_active() as f64);
            gauge!("botyard_breakers_open").set(self.work.breakers_open() as f64);
            gauge!("botyard_store_batches").set(counters.batches as f64);
            gauge!("botyard_store_jobs").set(counters.jobs as f64);
            gauge!("botyard_store_queue").set(counters.queued as f64);
            self.measure_disk();
            // Without this, samples pile up until somebody asks for the metrics.
            self.metrics.run_upkeep();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}
