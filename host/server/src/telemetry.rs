//! Logs and metrics.

use anyhow::Context as _;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Buckets for the CPU time of turns, in seconds.
const CPU_SECONDS: [f64; 10] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.15];

/// Sends log lines to standard error.
///
/// # Errors
/// When the filter is not one, or a log was started before.
pub fn start_log(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)
        .with_context(|| format!("`log.filter` is not a filter: {:?}", log.filter))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}

/// Collects metrics. Labels are of closed sets: no tenant, no person, no id.
///
/// # Errors
/// When metrics were started before.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets(&CPU_SECONDS)
        .context("the buckets of a histogram are wrong")?
        .install_recorder()
        .context("cannot start the metrics")?;
    describe_counter!("botyard_webhooks_total", "Webhooks by vendor and result");
    describe_counter!(
        "botyard_events_total",
        "Events by vendor and kind; `other` is unknown to us"
    );
    describe_counter!("botyard_turns_total", "Turns on stable storage by vendor and result");
    describe_counter!("botyard_turn_commits_total", "Turns by way: fused with their event or not");
    describe_counter!("botyard_run_failures_total", "Failed runs of bots by blame and kind");
    describe_counter!("botyard_answers_total", "Answers of webhooks: handed over whole or not");
    describe_counter!("botyard_calls_total", "Calls to vendors by vendor and result");
    describe_counter!(
        "botyard_rows_total",
        "Actions by how they ended: delivered, dead, quarantined"
    );
    describe_counter!("botyard_requests_total", "Requests of bots by result");
    describe_counter!(
        "botyard_powers_denied_total",
        "Calls that bots may not make, by the side that says no and by blame"
    );
    describe_counter!("botyard_signals_total", "Signals by result");
    describe_counter!("botyard_alerts_total", "Alerts by result");
    describe_counter!("botyard_store_failures_total", "Failures of the store by verb");
    describe_histogram!("botyard_turn_cpu_seconds", Unit::Seconds, "CPU time of a bot in a turn");
    describe_gauge!("botyard_bodies_awaited", "Webhooks whose bodies are on their way");
    describe_gauge!("botyard_lanes", "Conversations in memory");
    describe_gauge!("botyard_breakers_open", "Bots and destinations that keep failing");
    describe_gauge!("botyard_store_batches", "Transactions of the store since its start");
    describe_gauge!("botyard_store_jobs", "Writes of the store since its start");
    describe_gauge!("botyard_store_queue", "Writes that wait for the store");
    Ok(handle)
}
