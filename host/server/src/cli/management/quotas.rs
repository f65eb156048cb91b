//! Limits and usage on the command line.

use anyhow::Context as _;
use botyard_kernel::time::DAY;
use clap::{Args, Subcommand};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::table::table;
use super::{TenantApi, escaped};
use crate::clock;

/// What can be done with limits.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LimitCommand {
    /// List the limits of a tenant, with what is used of them.
    List {
        #[command(flatten)]
        of: TenantApi,
    },
    /// Set a limit of a tenant. The tenant itself only lowers it.
    Set {
        /// Its name, as in the list.
        limit: String,
        /// Its value, in the unit of the list; `default` takes back what was set.
        value: String,
        #[command(flatten)]
        of: TenantApi,
    },
}

/// Show what the bots of a tenant have used, hour by hour.
#[derive(Debug, Args)]
pub(in crate::cli) struct UsageCommand {
    /// From this time on, as `2026-11-27T08:00:00Z`. Default: a day ago.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    #[command(flatten)]
    of: TenantApi,
}

const LIMIT_FIELDS: [&str; 5] = ["name", "value", "used", "unit", "change"];
const USAGE_FIELDS: [&str; 8] =
    ["hour", "bot", "events", "turns", "failed_by_bot", "cpu_us", "calls", "log_bytes"];

pub(super) async fn limit(command: LimitCommand) -> anyhow::Result<()> {
    let (of, rows) = match command {
        LimitCommand::List { of } => {
            let path = format!("{}/limits", of.base().await?);
            let rows = of.api.ask(Method::GET, &path, None).await?;
            (of, rows)
        }
        LimitCommand::Set { limit, value, of } => {
            let value = match value.as_str() {
                "default" => Value::Null,
                number => json!(number.replace('_', "").parse::<u64>().with_context(|| {
                    format!("`{number}` is no value: give a whole number, or `default`")
                })?),
            };
            let path = format!("{}/limits/{}", of.base().await?, escaped(&limit));
            let rows = of.api.ask(Method::PUT, &path, Some(&json!({"value": value}))).await?;
            (of, rows)
        }
    };
    of.api.print(&rows, |rows| table(rows.as_array().map_or(&[], Vec::as_slice), &LIMIT_FIELDS))
}

pub(super) async fn usage(command: UsageCommand) -> anyhow::Result<()> {
    let UsageCommand { since, of } = command;
    let since = since.map(|since| u64::try_from(since.as_millisecond()).unwrap_or(0));
    let since = since.unwrap_or_else(|| clock::now().saturating_sub(DAY));
    let path = format!("{}/usage?from_ms={since}", of.base().await?);
    let mut hours = of.api.all(&path).await?;
    for hour in &mut hours {
        let at = hour["hour_ms"].as_i64().and_then(|at| Timestamp::from_millisecond(at).ok());
        hour["hour"] = at.map_or(Value::Null, |at| json!(at.to_string()));
    }
    of.api.print(&json!(hours), |_| table(&hours, &USAGE_FIELDS))
}
