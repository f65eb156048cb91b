//! Limits, usage and storage on the command line.

use std::collections::BTreeMap;

use anyhow::Context as _;
use botyard_kernel::time::DAY;
use botyard_kernel::usage::Usage;
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
    /// Show each bot over all of these hours, and the tenant.
    #[arg(long)]
    sum: bool,
    #[command(flatten)]
    of: TenantApi,
}

/// Show what a tenant keeps, against its limit, and of which bot it is.
#[derive(Debug, Args)]
pub(in crate::cli) struct StorageCommand {
    #[command(flatten)]
    of: TenantApi,
}

/// What a tenant is called among its bots.
const ALL_BOTS: &str = "(all)";
const LIMIT_FIELDS: [&str; 5] = ["name", "value", "used", "unit", "change"];
const USAGE_FIELDS: [&str; 10] = [
    "hour",
    "bot",
    "events",
    "turns",
    "failed_by_bot",
    "cpu_us",
    "memory_peak_bytes",
    "calls",
    "log_bytes",
    "trial_cpu_us",
];
const PARTS: [&str; 7] =
    ["conversations", "components", "values", "captures", "notes", "records", "audit"];

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
    let UsageCommand { since, sum, of } = command;
    let since = since.map(|since| u64::try_from(since.as_millisecond()).unwrap_or(0));
    let since = since.unwrap_or_else(|| clock::now().saturating_sub(DAY));
    let path = format!("{}/usage?from_ms={since}", of.base().await?);
    let mut hours = of.api.all(&path).await?;
    if sum {
        let sums = sums(&hours)?;
        return of.api.print(&json!(sums), |_| table(&sums, &USAGE_FIELDS[1..]));
    }
    for hour in &mut hours {
        let at = hour["hour_ms"].as_i64().and_then(|at| Timestamp::from_millisecond(at).ok());
        hour["hour"] = at.map_or(Value::Null, |at| json!(at.to_string()));
    }
    of.api.print(&json!(hours), |_| table(&hours, &USAGE_FIELDS))
}

/// What each bot has used in some hours, and what all of them have.
fn sums(hours: &[Value]) -> anyhow::Result<Vec<Value>> {
    let (mut bots, mut all) = (BTreeMap::<&str, Usage>::new(), Usage::default());
    for hour in hours {
        let usage: Usage = serde_json::from_value(hour.clone())
            .context("the host answers something else: is it of this version?")?;
        let bot = bots.entry(hour["bot"].as_str().unwrap_or_default()).or_default();
        *bot = bot.plus(usage);
        all = all.plus(usage);
    }
    let row = |(bot, usage): (&str, Usage)| {
        let mut row = json!(usage);
        row["bot"] = json!(bot);
        row
    };
    Ok(bots.into_iter().chain([(ALL_BOTS, all)]).map(row).collect())
}

pub(super) async fn storage(StorageCommand { of }: StorageCommand) -> anyhow::Result<()> {
    let path = format!("{}/storage", of.base().await?);
    let storage = of.api.ask(Method::GET, &path, None).await?;
    of.api.print(&storage, storage_shown)
}

fn storage_shown(storage: &Value) -> String {
    let limit = storage["limit"].as_u64();
    let most = limit.map_or_else(|| "no limit".to_owned(), |most| most.to_string());
    let parts: Vec<_> = PARTS.map(|part| json!({"part": part, "bytes": storage[part]})).into();
    let bots = storage["bots"].as_array().map_or(&[][..], Vec::as_slice);
    let head = format!("{} bytes of {most}\n\n", storage["bytes"]);
    let parts = table(&parts, &["part", "bytes"]);
    format!("{head}{parts}\n{}", table(bots, &["bot", "components", "values"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bots_are_summed_up_and_of_memory_the_most_counts() {
        let hours = [
            json!({"bot": "b", "hour_ms": 1, "turns": 1, "memory_peak_bytes": 70}),
            json!({"bot": "a", "hour_ms": 1, "turns": 2, "memory_peak_bytes": 10}),
            json!({"bot": "b", "hour_ms": 2, "turns": 4, "memory_peak_bytes": 30}),
        ];
        let expected = [
            json!({"bot": "a", "turns": 2, "memory_peak_bytes": 10}),
            json!({"bot": "b", "turns": 5, "memory_peak_bytes": 70}),
            json!({"bot": "(all)", "turns": 7, "memory_peak_bytes": 70}),
        ];
        assert_eq!(sums(&hours).unwrap(), expected);
        assert_eq!(sums(&[]).unwrap(), [json!({"bot": "(all)"})]);
        assert!(sums(&[json!({"bot": "a", "turns": "many"})]).is_err());
    }

    #[test]
    fn storage_is_shown_in_parts_and_by_bot() {
        let storage = json!({
            "bytes": 36, "limit": 100, "conversations": 1, "components": 2, "values": 3,
            "captures": 4, "notes": 5, "records": 6, "audit": 15,
            "bots": [{"bot": "lead", "components": 2, "values": 3}],
        });
        let shown = storage_shown(&storage);
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines[0], "36 bytes of 100");
        assert_eq!(lines[2..4], ["PART           BYTES", "conversations  1"]);
        assert_eq!(lines[lines.len() - 1], "lead  2           3");
        let unbounded = json!({"bytes": 36, "bots": []});
        assert!(storage_shown(&unbounded).starts_with("36 bytes of no limit\n"));
    }
}
