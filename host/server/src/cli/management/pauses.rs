//! Bots and channels that are stopped for a while, on the command line.

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::{TenantApi, escaped, given};
use crate::cli::operate::age;
use crate::clock;
use crate::work::Pausable;

/// What is to be paused.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pause {
    /// Its name.
    name: String,
    /// Why, for whoever looks at it.
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    of: TenantApi,
}

/// What is to go on.
#[derive(Debug, Args)]
pub(in crate::cli) struct Resume {
    /// Its name.
    name: String,
    #[command(flatten)]
    of: TenantApi,
}

pub(super) async fn pause(what: Pausable, pause: Pause) -> anyhow::Result<()> {
    let Pause { name, reason, of } = pause;
    let body = given([("reason", reason.map(Into::into))]);
    let path = format!("{}/pause", path(&of, what, &name).await?);
    let paused = of.api.ask(Method::POST, &path, Some(&body)).await?;
    of.api.print(&paused, |paused| {
        let by = paused["paused"]["by"].as_str().unwrap_or_default();
        format!("the {} {name} is paused by {by}: what comes is accepted and waits\n", what.name())
    })
}

pub(super) async fn resume(what: Pausable, resume: Resume) -> anyhow::Result<()> {
    let Resume { name, of } = resume;
    let path = format!("{}/resume", path(&of, what, &name).await?);
    let goes_on = of.api.ask(Method::POST, &path, None).await?;
    of.api.print(&goes_on, |_| format!("the {} {name} is not paused\n", what.name()))
}

/// The same rows with their pauses in a word or two, for a table.
pub(super) fn told(rows: &[Value]) -> Vec<Value> {
    let now = clock::now();
    let told = rows.iter().cloned().map(|mut row| {
        if let Some(since) = row["paused"]["since_ms"].as_u64() {
            row["paused"] = json!(format!("for {}", age(now, since)));
        }
        row
    });
    told.collect()
}

async fn path(of: &TenantApi, what: Pausable, name: &str) -> anyhow::Result<String> {
    Ok(format!("{}/{}s/{}", of.base().await?, what.name(), escaped(name)))
}
