//! Channels on the command line: what a vendor takes, and what it sends.

mod probe;

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Context as _;
use clap::Subcommand;
use http::Method;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::management;
use super::operate::{Host, read};
use crate::admin::protocol::{CaptureRequest, Capturing};
use crate::captures::Shown;
use probe::Probe;

/// What can be done with a channel of a running host.
#[derive(Debug, Subcommand)]
pub(super) enum ChannelCommand {
    #[command(flatten)]
    Manage(management::ChannelCommand),
    /// Send each action to a test conversation and say which of them the vendor takes.
    ///
    /// The calls are real: use a conversation with yourself. What was accepted in which
    /// dialect is kept, see `probed`.
    Probe(Box<Probe>),
    /// Say what earlier probes found.
    Probed {
        /// The channel.
        channel: String,
        #[command(flatten)]
        host: Host,
    },
    /// Keep the webhooks of a channel as they come, sealed, for a while.
    ///
    /// What was kept is deleted after a day, if nobody does it before.
    Capture {
        /// The channel.
        channel: String,
        /// For how long, for example `10m`; an hour at most.
        #[arg(long = "for", value_name = "TIME", value_parser = milliseconds)]
        time: u64,
        #[command(flatten)]
        host: Host,
    },
    /// Print what was kept, as lines of JSON, also of a channel that is no longer in the
    /// settings.
    Captured {
        /// The channel.
        channel: String,
        /// Forget it then.
        #[arg(long)]
        delete: bool,
        #[command(flatten)]
        host: Host,
    },
}

/// Gives the command to the host and prints what it says.
pub(super) async fn channel(command: ChannelCommand) -> anyhow::Result<()> {
    match command {
        ChannelCommand::Manage(command) => management::channel(command).await,
        ChannelCommand::Probe(asked) => probe::probe(*asked).await,
        ChannelCommand::Probed { channel, host } => {
            let answer = host.ask(Method::GET, &path(&channel, "probe"), None::<&()>).await?;
            host.print(&answer, |found: Value| format!("{found:#}\n"))
        }
        ChannelCommand::Capture { channel, time, host } => {
            let request = CaptureRequest { for_ms: time };
            let answer = host.ask(Method::POST, &path(&channel, "capture"), Some(&request)).await?;
            host.print(&answer, |Capturing { channel, .. }| {
                format!(
                    "webhooks of {channel} that come in the next {} s are kept for a day: `botyard \
                     channel captured {channel}` prints them, and with --delete forgets them\n",
                    time / 1_000
                )
            })
        }
        ChannelCommand::Captured { channel, delete, host } => {
            let path = format!("{}?delete={delete}", path(&channel, "captured"));
            let answer = host.ask(Method::GET, &path, None::<&()>).await?;
            host.print(&answer, |kept: Shown| {
                kept.webhooks.iter().fold(String::new(), |mut lines, one| {
                    let _ = writeln!(lines, "{}", serde_json::to_string(one).unwrap_or_default());
                    lines
                })
            })?;
            tell_hidden(&read(&answer)?, delete)
        }
    }
}

/// Says beside the lines what is not among them.
fn tell_hidden(kept: &Shown, deleted: bool) -> anyhow::Result<()> {
    let end = if deleted { " and are deleted" } else { "" };
    let Shown { of_others, unreadable, .. } = kept;
    if *of_others > 0 {
        say(&format!(
            "{of_others} more came for another tenant, who had a channel of this name: they are \
             not shown{end}\n"
        ))?;
    }
    if *unreadable > 0 {
        say(&format!(
            "{unreadable} more cannot be opened{end}: they were sealed with another key of the \
             host's, or are damaged\n"
        ))?;
    }
    Ok(())
}

fn say(text: &str) -> anyhow::Result<()> {
    std::io::stderr().write_all(text.as_bytes()).context("cannot print")
}

fn path(channel: &str, what: &str) -> String {
    let channel: String = byte_serialize(channel.as_bytes()).collect();
    format!("/channels/{channel}/{what}")
}

fn milliseconds(text: &str) -> Result<u64, String> {
    let time: jiff::SignedDuration =
        text.parse().map_err(|_| "write a time like `10m` or `90s`".to_owned())?;
    u64::try_from(time.as_millis()).map_err(|_| "a time in the past says nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_people_say_them() {
        assert_eq!(milliseconds("10m"), Ok(600_000));
        assert_eq!(milliseconds("90s"), Ok(90_000));
        assert!(milliseconds("soon").is_err() && milliseconds("-1m").is_err());
    }
}
