//! Channels, external bots and conversations on the command line.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Subcommand;
use http::{HeaderName, Method};
use serde_json::{Value, json};

use super::table::table;
use super::{TenantApi, escaped, given, json_file, pauses};
use crate::work::Pausable;

/// What can be done with the channels of a tenant.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ChannelCommand {
    /// List the channels.
    List {
        #[command(flatten)]
        of: TenantApi,
    },
    /// Show a channel.
    Show {
        /// Its name.
        name: String,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Make a channel, or set it anew, and say what to paste at the vendor.
    Put {
        /// Its name: it stands in the webhook URL, and no other tenant has it.
        name: String,
        /// A JSON file with its settings, as in the settings file; `-` stands for standard
        /// input.
        #[arg(long, value_name = "FILE")]
        settings: PathBuf,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Pause a channel: events are accepted and wait, no turns run, no calls leave. Holds
    /// until `resume`.
    Pause(pauses::Pause),
    /// End the pause of a channel: what waited goes on.
    Resume(pauses::Resume),
    /// Take a channel away. What waits in it goes on when it is made again.
    Delete {
        /// Its name.
        name: String,
        #[command(flatten)]
        of: TenantApi,
    },
}

/// What can be done with external bots, to which a tenant's bots hand over.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum RelayCommand {
    /// List the external bots.
    List {
        #[command(flatten)]
        of: TenantApi,
    },
    /// Name an external bot, or set it anew.
    Put {
        /// Its name.
        name: String,
        /// A JSON file with its settings; `-` stands for standard input.
        #[arg(long, value_name = "FILE")]
        settings: PathBuf,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Take an external bot away.
    Delete {
        /// Its name.
        name: String,
        #[command(flatten)]
        of: TenantApi,
    },
}

/// What can be asked of conversations.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ConversationCommand {
    /// List conversations, the one first in which something happened last.
    List {
        /// Only of this channel.
        #[arg(long)]
        channel: Option<String>,
        /// Only of the person with this address of e-mail.
        #[arg(long)]
        email: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Show the turns of a conversation.
    Turns {
        /// The channel.
        channel: String,
        /// The vendor's own key of the conversation.
        conversation: String,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Speak into a conversation: its bot gets the event `signal`.
    Signal {
        /// The channel.
        channel: String,
        /// The vendor's own key of the conversation.
        conversation: String,
        /// What the signal is called.
        name: String,
        /// A JSON file with what it says; `-` stands for standard input.
        #[arg(long, value_name = "FILE")]
        payload: Option<PathBuf>,
        /// By this it counts once, however often it is sent.
        #[arg(long, value_name = "KEY")]
        key: String,
        #[command(flatten)]
        of: TenantApi,
    },
}

const CHANNEL_FIELDS: [&str; 4] = ["name", "runs", "paused", "webhook_url"];
const CONVERSATION_FIELDS: [&str; 4] = ["channel", "conversation", "turns", "owner"];
const TURN_FIELDS: [&str; 5] = ["seq", "turn", "event", "result", "cpu_us"];
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(in crate::cli) async fn channel(command: ChannelCommand) -> anyhow::Result<()> {
    match command {
        ChannelCommand::List { of } => {
            let all = of.api.all(&format!("{}/channels", of.base().await?)).await?;
            of.api.print(&json!(all), |_| table(&pauses::told(&all), &CHANNEL_FIELDS))
        }
        ChannelCommand::Show { name, of } => {
            let path = named(&of, "channels", &name).await?;
            let found = of.api.ask(Method::GET, &path, None).await?;
            of.api.print(&found, |found| format!("{found:#}\n"))
        }
        ChannelCommand::Put { name, settings, of } => {
            let path = named(&of, "channels", &name).await?;
            let body = json!({"settings": json_file(&settings)?});
            let put = of.api.ask(Method::PUT, &path, Some(&body)).await?;
            of.api.print(&put, |put| {
                let mut text = format!(
                    "the channel {name} is set; paste at the vendor (docs/switch says where that \
                     is):\n"
                );
                for one in put["paste"].as_array().into_iter().flatten() {
                    let [field, value] = ["field", "value"].map(|key| one[key].as_str());
                    let (field, value) = (field.unwrap_or_default(), value.unwrap_or_default());
                    let _ = writeln!(text, "  {field}: {value}");
                }
                text
            })
        }
        ChannelCommand::Pause(pause) => pauses::pause(Pausable::Channel, pause).await,
        ChannelCommand::Resume(resume) => pauses::resume(Pausable::Channel, resume).await,
        ChannelCommand::Delete { name, of } => {
            let path = named(&of, "channels", &name).await?;
            let gone = of.api.ask(Method::DELETE, &path, None).await?;
            of.api.print(&gone, |_| format!("the channel {name} is gone\n"))
        }
    }
}

pub(super) async fn relay(command: RelayCommand) -> anyhow::Result<()> {
    match command {
        RelayCommand::List { of } => {
            let all = of.api.all(&format!("{}/relays", of.base().await?)).await?;
            of.api.print(&json!(all), |_| table(&all, &["name"]))
        }
        RelayCommand::Put { name, settings, of } => {
            let path = named(&of, "relays", &name).await?;
            let body = json!({"settings": json_file(&settings)?});
            let put = of.api.ask(Method::PUT, &path, Some(&body)).await?;
            of.api.print(&put, |_| format!("the external bot {name} is set\n"))
        }
        RelayCommand::Delete { name, of } => {
            let path = named(&of, "relays", &name).await?;
            let gone = of.api.ask(Method::DELETE, &path, None).await?;
            of.api.print(&gone, |_| format!("the external bot {name} is gone\n"))
        }
    }
}

pub(super) async fn conversation(command: ConversationCommand) -> anyhow::Result<()> {
    match command {
        ConversationCommand::List { channel, email, limit, of } => {
            let only = [("channel", channel), ("email", email)];
            let only = only.into_iter().filter_map(|(name, value)| Some((name, value?)));
            let only: String =
                only.map(|(name, value)| format!("&{name}={}", escaped(&value))).collect();
            let path = format!("{}/conversations?limit={limit}{only}", of.base().await?);
            let found = of.api.ask(Method::GET, &path, None).await?;
            of.api.print(&found, |found| rows(&found["items"], &CONVERSATION_FIELDS))
        }
        ConversationCommand::Turns { channel, conversation, of } => {
            let path = format!("{}/turns", place(&of, &channel, &conversation).await?);
            let all = of.api.all(&path).await?;
            of.api.print(&json!(all), |_| table(&all, &TURN_FIELDS))
        }
        ConversationCommand::Signal { channel, conversation, name, payload, key, of } => {
            let payload = payload.as_deref().map(json_file).transpose()?;
            let body = given([("name", Some(json!(name))), ("payload", payload)]);
            let path = format!("{}/signals", place(&of, &channel, &conversation).await?);
            let answer =
                of.api.ask_with(Method::POST, &path, (IDEMPOTENCY_KEY, &key), &body).await?;
            of.api.print(&answer, |_| "the signal is in the conversation\n".to_owned())
        }
    }
}

fn rows(items: &Value, fields: &[&str]) -> String {
    table(items.as_array().map_or(&[], Vec::as_slice), fields)
}

async fn named(of: &TenantApi, kind: &str, name: &str) -> anyhow::Result<String> {
    Ok(format!("{}/{kind}/{}", of.base().await?, escaped(name)))
}

async fn place(of: &TenantApi, channel: &str, conversation: &str) -> anyhow::Result<String> {
    let path = named(of, "channels", channel).await?;
    Ok(format!("{path}/conversations/{}", escaped(conversation)))
}
