//! Bots on the command line: upload, try, deploy, roll back, look.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use botyard_kernel::time::MINUTE;
use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::table::table;
use super::{TenantApi, escaped, given, json_file};
use super::{follow, grants, pauses};
use crate::clock;
use crate::work::Pausable;

/// What can be done with bots.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BotCommand {
    /// List the bots, with the version that answers.
    List {
        #[command(flatten)]
        of: TenantApi,
    },
    /// Make a bot, or set it anew.
    Put {
        /// Its name.
        bot: String,
        /// A JSON object with its `config`, `hosts` and so on, as in the settings file;
        /// `-` reads standard input. Default: nothing is set.
        #[arg(long, value_name = "FILE")]
        settings: Option<PathBuf>,
        /// It runs the versions of this bot of the operator's.
        #[arg(long, value_name = "NAME")]
        shared: Option<String>,
        /// Whether other tenants may run its versions: only the operator's own bots.
        #[arg(long, value_name = "BOOL")]
        offered: Option<bool>,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Upload a component as a version of a bot. It changes no traffic.
    Upload {
        /// The bot.
        bot: String,
        /// The component.
        file: PathBuf,
        /// Let it answer at once.
        #[arg(long)]
        deploy: bool,
        /// Say how far it is also where standard error is no terminal.
        #[arg(long)]
        progress: bool,
        #[command(flatten)]
        of: TenantApi,
    },
    /// List the versions of a bot.
    Versions {
        /// The bot.
        bot: String,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Try a version with events: what it does, what would be sent, what it costs. Nothing
    /// is sent.
    Try {
        /// The bot.
        bot: String,
        /// The version's digest.
        version: String,
        /// A JSON list of events in the canonical form; `-` reads standard input.
        #[arg(long, value_name = "FILE", conflicts_with = "say")]
        events: Option<PathBuf>,
        /// What the person says; repeatable, in the place of --events.
        #[arg(long, value_name = "TEXT")]
        say: Vec<String>,
        /// As if it came in by this channel.
        #[arg(long)]
        channel: Option<String>,
        /// As if it came from this vendor.
        #[arg(long, conflicts_with = "channel")]
        vendor: Option<String>,
        /// What the person writes on.
        #[arg(long)]
        medium: Option<String>,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Let a version answer, at once; or a share of the conversations begin with it.
    Deploy {
        /// The bot.
        bot: String,
        /// The version's digest.
        version: String,
        /// Only so many of a hundred conversations: it is rolled back by itself where it
        /// does worse. `promote` ends the trial.
        #[arg(long, value_name = "PERCENT")]
        canary: Option<u8>,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Change of how many of a hundred conversations begin with the canary.
    Share {
        /// The bot.
        bot: String,
        /// So many.
        percent: u8,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Withdraw a version: it runs no more, also in sessions that began with it.
    Withdraw {
        /// The bot.
        bot: String,
        /// The version's digest.
        version: String,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Let the canary answer.
    Promote {
        /// The bot.
        bot: String,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Go back to what answered before.
    Rollback {
        /// The bot.
        bot: String,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Show what a bot may do, and the deployment that waits for a grant.
    Grants {
        /// The bot.
        bot: String,
        /// What it uses of that instead, and what can be taken away.
        #[arg(long)]
        used: bool,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Grant a bot what a version of it wishes for. A deployment that has waited for that
    /// goes ahead.
    Approve {
        /// The bot.
        bot: String,
        /// The version's digest.
        version: String,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Grant nothing: forget the deployment that waits.
    Decline {
        /// The bot.
        bot: String,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Print the last turns of a bot, with what it wrote into its log.
    Logs {
        /// The bot.
        bot: String,
        /// Turns of the last so many minutes. Default: 60, and with --follow only what
        /// comes from now on.
        #[arg(long, value_name = "MINUTES")]
        since: Option<u64>,
        /// Go on with what comes, until Ctrl-C; with --json one object a line. Where the
        /// connection breaks it is made again and goes on behind what came last.
        #[arg(long, short)]
        follow: bool,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Pause a bot: events are accepted and wait, no turns run. Holds until `resume`.
    Pause(pauses::Pause),
    /// End the pause of a bot: what waited goes on.
    Resume(pauses::Resume),
    /// Take a bot away that no channel has.
    Delete {
        /// The bot.
        bot: String,
        #[command(flatten)]
        of: TenantApi,
    },
}

pub(super) async fn bot(command: BotCommand) -> anyhow::Result<()> {
    match command {
        BotCommand::List { of } => {
            let all = of.api.all(&format!("{}/bots", of.base().await?)).await?;
            let fields = ["name", "version", "shared", "paused"];
            of.api.print(&json!(all), |_| table(&pauses::told(&all), &fields))
        }
        BotCommand::Put { bot, settings, shared, offered, of } => {
            let settings = settings.as_deref().map(json_file).transpose()?;
            let body = given([
                ("settings", settings),
                ("shared", shared.map(Value::from)),
                ("offered", offered.map(Value::from)),
            ]);
            let path = path(&of, &bot).await?;
            let put = of.api.ask(Method::PUT, &path, Some(&body)).await?;
            of.api.print(&put, |_| format!("the bot {bot} is set\n"))
        }
        BotCommand::Upload { bot, file, deploy, progress, of } => {
            upload(&of, &bot, &file, deploy, progress).await
        }
        BotCommand::Versions { bot, of } => {
            let all = of.api.all(&format!("{}/versions", path(&of, &bot).await?)).await?;
            let fields = ["digest", "tier", "bytes", "uploaded_ms", "uploaded_by"];
            of.api.print(&json!(all), |_| table(&all, &fields))
        }
        BotCommand::Try { bot, version, events, say, channel, vendor, medium, of } => {
            let events = match events {
                Some(file) => json_file(&file)?,
                None => say
                    .iter()
                    .map(|text| json!({"name": "message", "payload": {"text": text}}))
                    .collect(),
            };
            let body = given([
                ("events", Some(events)),
                ("channel", channel.map(Value::from)),
                ("vendor", vendor.map(Value::from)),
                ("medium", medium.map(Value::from)),
            ]);
            let path = format!("{}/versions/{}/try", path(&of, &bot).await?, escaped(&version));
            let tried = of.api.ask(Method::POST, &path, Some(&body)).await?;
            of.api.print(&tried, in_words)
        }
        BotCommand::Deploy { bot, version, canary, of } => {
            let body = match canary {
                None => json!({"action": "deploy", "version": version}),
                Some(percent) => {
                    json!({"action": "start-canary", "version": version, "percent": percent})
                }
            };
            change(&of, &bot, &body).await
        }
        BotCommand::Share { bot, percent, of } => {
            change(&of, &bot, &json!({"action": "set-percent", "percent": percent})).await
        }
        BotCommand::Withdraw { bot, version, of } => {
            change(&of, &bot, &json!({"action": "withdraw", "version": version})).await
        }
        BotCommand::Promote { bot, of } => change(&of, &bot, &json!({"action": "promote"})).await,
        BotCommand::Rollback { bot, of } => {
            change(&of, &bot, &json!({"action": "roll-back"})).await
        }
        BotCommand::Grants { bot, used, of } => grants::grants(&of, &bot, used).await,
        BotCommand::Approve { bot, version, of } => grants::approve(&of, &bot, &version).await,
        BotCommand::Decline { bot, of } => grants::decline(&of, &bot).await,
        BotCommand::Logs { bot, since, follow, of } => {
            let ago = |minutes: u64| clock::now().saturating_sub(minutes.saturating_mul(MINUTE));
            if follow {
                return follow::follow(&of.api, path(&of, &bot).await?, since.map(ago)).await;
            }
            let since = ago(since.unwrap_or(60));
            let path = format!("{}/logs?since_ms={since}", path(&of, &bot).await?);
            let found = json!({"items": of.api.all(&path).await?, "after": null});
            of.api.print(&found, |found| logs(&found["items"]))
        }
        BotCommand::Pause(pause) => pauses::pause(Pausable::Bot, pause).await,
        BotCommand::Resume(resume) => pauses::resume(Pausable::Bot, resume).await,
        BotCommand::Delete { bot, of } => {
            let path = path(&of, &bot).await?;
            let gone = of.api.ask(Method::DELETE, &path, None).await?;
            of.api.print(&gone, |_| format!("the bot {bot} is gone\n"))
        }
    }
}

async fn path(of: &TenantApi, bot: &str) -> anyhow::Result<String> {
    Ok(format!("{}/bots/{}", of.base().await?, escaped(bot)))
}

async fn upload(
    of: &TenantApi,
    bot: &str,
    file: &std::path::Path,
    deploy: bool,
    progress: bool,
) -> anyhow::Result<()> {
    let version = super::upload::upload(of, &path(of, bot).await?, file, progress).await?;
    let digest = version["digest"].as_str().unwrap_or_default().to_owned();
    if deploy {
        return change(of, bot, &json!({"action": "deploy", "version": digest})).await;
    }
    if !of.api.local.json {
        // Beside the digest, which a program reads.
        std::io::stderr().write_all(grants::wants(&version).as_bytes())?;
    }
    of.api.print(&version, |_| format!("{digest}\n"))
}

async fn change(of: &TenantApi, bot: &str, body: &Value) -> anyhow::Result<()> {
    let path = format!("{}/deployment", path(of, bot).await?);
    let deployed = of.api.ask(Method::POST, &path, Some(body)).await?;
    of.api.print(&deployed, |deployed| {
        let current = deployed["current"].as_str().unwrap_or_default();
        let mut text = format!("{bot} answers with {current}\n");
        if let Some(canary) = deployed["canary"]["version"].as_str() {
            let percent = &deployed["canary"]["percent"];
            let _ = writeln!(text, "{percent} of 100 conversations begin with {canary}");
        }
        text
    })
}

fn in_words(tried: &Value) -> String {
    let mut text = String::new();
    for turn in tried["turns"].as_array().into_iter().flatten() {
        let event = turn["event"].as_str().unwrap_or_default();
        let _ = writeln!(text, "{event}: {}", turn["result"]);
        for action in turn["actions"].as_array().into_iter().flatten() {
            let _ = writeln!(text, "  {action}");
        }
        for line in turn["log"].as_array().into_iter().flatten() {
            let level = line["level"].as_str().unwrap_or_default();
            let _ = writeln!(text, "  {level}: {}", line["message"].as_str().unwrap_or_default());
        }
    }
    let ms = tried["cpu_us"].as_f64().unwrap_or_default() / 1_000.0;
    let _ = writeln!(text, "{ms:.1} ms of CPU in all; --json shows what would be sent");
    text
}

fn logs(turns: &Value) -> String {
    turns.as_array().into_iter().flatten().map(turn_in_words).collect()
}

/// What a turn of a log was about, what it came to, and what its bot wrote.
pub(super) fn turn_in_words(turn: &Value) -> String {
    let [channel, conversation] =
        ["channel", "conversation"].map(|field| turn[field].as_str().unwrap_or_default());
    let mut text = format!("{channel} {conversation}: {}\n", turn["result"]);
    let said = &turn["happened"]["payload"];
    if let Some(said) = ["text", "label"].iter().find_map(|field| said[field].as_str()) {
        let _ = writeln!(text, "  said: {said}");
    }
    for line in turn["log"].as_array().into_iter().flatten() {
        let level = line["level"].as_str().unwrap_or_default();
        let _ = writeln!(text, "  {level}: {}", line["message"].as_str().unwrap_or_default());
    }
    text
}
