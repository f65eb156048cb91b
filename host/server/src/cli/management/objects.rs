//! Tenants, tokens, secrets and the audit on the command line.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use botyard_kernel::time::DAY;
use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::operation::{DELETION, OPERATORS, taken_away};
use super::table::table;
use super::{Api, TenantApi, escaped, given, json_file, moving};
use crate::clock;

/// What can be done with tenants.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TenantCommand {
    /// List the tenants.
    List {
        #[command(flatten)]
        api: Api,
    },
    /// Make a tenant.
    Create {
        /// Its name: a-z, 0-9 and `-`.
        name: String,
        /// What people call it.
        #[arg(long)]
        label: Option<String>,
        #[command(flatten)]
        api: Api,
    },
    Export(moving::Export),
    Import(moving::Import),
    /// Take a tenant away with everything that it has: conversations, bots, channels,
    /// secrets. Only its audit stays. There is no way back. Once the host has promised it, it
    /// goes on whether it is waited for or not, also over restarts.
    Delete {
        /// Its name.
        name: String,
        /// The name once more.
        #[arg(long, value_name = "NAME")]
        confirm: String,
        #[command(flatten)]
        api: Api,
    },
    /// Set something of a tenant; what is not named stays.
    Set {
        /// Its name.
        name: String,
        /// What people call it.
        #[arg(long)]
        label: Option<String>,
        /// A JSON file with `alert-url`, `rate` and `retention`, as in the settings file;
        /// `-` stands for standard input.
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
        #[command(flatten)]
        api: Api,
    },
    /// Show a tenant.
    Show {
        /// Its name.
        name: String,
        #[command(flatten)]
        api: Api,
    },
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TokenCommand {
    /// List the tokens, without their secrets.
    List {
        #[command(flatten)]
        of: TenantApi,
    },
    /// Make a token. It is printed once and cannot be had again.
    Create {
        /// What it may do: `read`, `deploy`, `admin` or `operator`.
        #[arg(long)]
        scope: String,
        /// It reaches this bot and nothing else.
        #[arg(long)]
        bot: Option<String>,
        /// What people say is shown with it; without this, only its length.
        #[arg(long)]
        texts: bool,
        /// It is good for so many days; without this, until it is revoked.
        #[arg(long, value_name = "DAYS")]
        days: Option<u64>,
        /// What people call it.
        #[arg(long)]
        label: Option<String>,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Give a token another secret, which is printed once.
    Rotate {
        /// Its id.
        id: String,
        /// For so many minutes the old secret counts, too.
        #[arg(long, default_value_t = 0, value_name = "MINUTES")]
        overlap: u64,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Take a token away: it is good for nothing at once.
    Revoke {
        /// Its id.
        id: String,
        #[command(flatten)]
        of: TenantApi,
    },
}

/// What can be done with secrets.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SecretCommand {
    /// List the names of the secrets.
    List {
        #[command(flatten)]
        of: TenantApi,
    },
    /// Put a secret, read from a file or from standard input: never from the command
    /// line, where others could see it.
    Put {
        /// Its name.
        name: String,
        /// The file that holds it. Default: standard input. A line end behind it is no
        /// part of it.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Take a secret away that nothing names.
    Delete {
        /// Its name.
        name: String,
        #[command(flatten)]
        of: TenantApi,
    },
}

/// What can be asked of the audit.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// List the changes.
    List {
        #[command(flatten)]
        of: TenantApi,
    },
    /// Check that no row was changed, taken away or put in between.
    Verify {
        /// The last row of an earlier check, or of a backup's manifest: it must be there yet.
        #[arg(long, value_name = "SEQ:HASH")]
        expect: Option<String>,
        #[command(flatten)]
        of: TenantApi,
    },
}

pub(super) async fn tenant(command: TenantCommand) -> anyhow::Result<()> {
    match command {
        TenantCommand::List { api } => {
            let all = api.all("/tenants").await?;
            api.print(&json!(all), |_| table(&all, &["name", "managed", "label"]))
        }
        TenantCommand::Create { name, label, api } => {
            let body = given([("name", Some(json!(name))), ("label", label.map(Value::from))]);
            let made = api.ask(Method::POST, "/tenants", Some(&body)).await?;
            api.print(&made, |_| format!("the tenant {name} is there\n"))
        }
        TenantCommand::Export(export) => moving::export(export).await,
        TenantCommand::Import(import) => moving::import(import).await,
        TenantCommand::Delete { name, confirm, api } => {
            if name != confirm {
                bail!("`--confirm {confirm}` is not `{name}`: nothing is taken away");
            }
            let path = format!("/tenants/{}", escaped(&name));
            let gone = taken_away(&api, &path, OPERATORS, DELETION).await?;
            api.print(&gone["result"], |_| {
                format!("nothing is left of the tenant {name} but its audit\n")
            })
        }
        TenantCommand::Set { name, label, settings, api } => {
            let settings = settings.map(|file| json_file(&file)).transpose()?;
            let body = given([("label", label.map(Value::from)), ("settings", settings)]);
            let path = format!("/tenants/{}", escaped(&name));
            let set = api.ask(Method::PATCH, &path, Some(&body)).await?;
            api.print(&set, |set| format!("{set:#}\n"))
        }
        TenantCommand::Show { name, api } => {
            let path = format!("/tenants/{}", escaped(&name));
            let found = api.ask(Method::GET, &path, None).await?;
            api.print(&found, |found| format!("{found:#}\n"))
        }
    }
}

pub(super) async fn token(command: TokenCommand) -> anyhow::Result<()> {
    match command {
        TokenCommand::List { of } => {
            let all = of.api.all(&format!("{}/tokens", of.base().await?)).await?;
            let fields = ["id", "scope", "bot", "texts", "label", "created_by"];
            of.api.print(&json!(all), |_| table(&all, &fields))
        }
        TokenCommand::Create { scope, bot, texts, days, label, of } => {
            let expires_ms = |days: u64| clock::now().saturating_add(days.saturating_mul(DAY));
            let body = given([
                ("expires_ms", days.map(|days| json!(expires_ms(days)))),
                ("scope", Some(json!(scope))),
                ("bot", bot.map(Value::from)),
                ("texts", texts.then(|| json!("full"))),
                ("label", label.map(Value::from)),
            ]);
            let path = format!("{}/tokens", of.base().await?);
            let made = of.api.ask(Method::POST, &path, Some(&body)).await?;
            of.api.print(&made, shown)
        }
        TokenCommand::Rotate { id, overlap, of } => {
            let body = json!({ "overlap_ms": overlap.saturating_mul(60_000) });
            let path = format!("{}/tokens/{}/rotate", of.base().await?, escaped(&id));
            let made = of.api.ask(Method::POST, &path, Some(&body)).await?;
            of.api.print(&made, shown)
        }
        TokenCommand::Revoke { id, of } => {
            let path = format!("{}/tokens/{}", of.base().await?, escaped(&id));
            let gone = of.api.ask(Method::DELETE, &path, None).await?;
            of.api.print(&gone, |_| format!("the token {id} is good for nothing any more\n"))
        }
    }
}

pub(super) async fn secret(command: SecretCommand) -> anyhow::Result<()> {
    match command {
        SecretCommand::List { of } => {
            let all = of.api.all(&format!("{}/secrets", of.base().await?)).await?;
            of.api.print(&json!(all), |_| table(&all, &["name", "updated_ms"]))
        }
        SecretCommand::Put { name, file, of } => {
            let text = match &file {
                Some(file) => std::fs::read_to_string(file)
                    .with_context(|| format!("cannot read {}", file.display()))?,
                None => std::io::read_to_string(std::io::stdin())
                    .context("cannot read standard input")?,
            };
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            if text.is_empty() {
                bail!("the secret is empty");
            }
            let path = format!("{}/secrets/{}", of.base().await?, escaped(&name));
            let put = of.api.ask(Method::PUT, &path, Some(&json!({ "value": text }))).await?;
            of.api.print(&put, |_| format!("the secret {name} is put\n"))
        }
        SecretCommand::Delete { name, of } => {
            let path = format!("{}/secrets/{}", of.base().await?, escaped(&name));
            let gone = of.api.ask(Method::DELETE, &path, None).await?;
            of.api.print(&gone, |_| format!("the secret {name} is gone\n"))
        }
    }
}

pub(super) async fn audit(command: AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::List { of } => {
            let all = of.api.all(&format!("{}/audit", of.base().await?)).await?;
            let fields = ["seq", "at_ms", "actor", "action", "kind", "name"];
            of.api.print(&json!(all), |_| table(&all, &fields))
        }
        AuditCommand::Verify { expect, of } => {
            let expect = expect.map(|expect| format!("?expect={}", escaped(&expect)));
            let path = format!("{}/audit/verify{}", of.base().await?, expect.unwrap_or_default());
            let found = of.api.ask(Method::GET, &path, None).await?;
            of.api.print(&found, |found| {
                let head = found["head"].as_str().unwrap_or("none");
                format!("{} rows, each as it was written; the last: {head}\n", found["rows"])
            })
        }
    }
}

fn shown(made: &Value) -> String {
    format!("{}\n", made["token"].as_str().unwrap_or_default())
}
