//! Channels on the command line: what a vendor takes, and what it sends.

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use http::Method;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::management;
use super::operate::{Host, read};
use crate::admin::protocol::{CaptureRequest, Capturing, ProbeRequest, Probed, Samples, Taken};
use crate::captures::Shown;

/// What can be done with a channel of a running host.
#[derive(Debug, Subcommand)]
pub(super) enum ChannelCommand {
    #[command(flatten)]
    Manage(management::ChannelCommand),
    /// Send each action to a test conversation and say which of them the vendor takes.
    ///
    /// The calls are real: use a conversation with yourself. What was accepted in which
    /// dialect is kept, see `probed`.
    Probe(Probe),
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

#[derive(Debug, Args)]
pub(super) struct Probe {
    /// The channel.
    channel: String,
    /// The vendor's own key of the test conversation, as the host's log has it.
    #[arg(long, value_name = "KEY")]
    conversation: String,
    /// What a reply needs besides the key, as `botyard vendor receive` prints it.
    #[arg(long, value_name = "TEXT")]
    reply_to: Option<String>,
    /// What the test person writes on.
    #[arg(long, default_value = "web")]
    medium: String,
    /// Keys of the dialect to try in the place of the channel's own, as a JSON object;
    /// repeatable: each is tried after the other.
    #[arg(long, value_name = "JSON", value_parser = object)]
    dialect: Vec<Value>,
    /// Only this action, by its canonical name; repeatable.
    #[arg(long, value_name = "ACTION")]
    only: Vec<String>,
    /// Also what hands the conversation over or ends it: these go last.
    #[arg(long)]
    ends: bool,
    #[command(flatten)]
    host: Host,
}

/// Gives the command to the host and prints what it says.
pub(super) async fn channel(command: ChannelCommand) -> anyhow::Result<()> {
    match command {
        ChannelCommand::Manage(command) => management::channel(command).await,
        ChannelCommand::Probe(asked) => probe(&asked).await,
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

async fn probe(asked: &Probe) -> anyhow::Result<()> {
    let host = &asked.host;
    let all = host.ask(Method::GET, &path(&asked.channel, "samples"), None::<&()>).await?;
    let Samples { vendor, pause_ms, samples } = read(&all)?;
    let known = |name: &String| samples.iter().any(|sample| sample.action == *name);
    if let Some(unknown) = asked.only.iter().find(|name| !known(name)) {
        let mut names: Vec<_> = samples.iter().map(|sample| sample.action.as_str()).collect();
        names.dedup();
        bail!("`{unknown}` is no action; there are: {}", names.join(", "));
    }
    let wanted = |ends: bool| {
        let samples = samples.iter().enumerate();
        samples.filter(move |(_, sample)| {
            sample.ends == ends
                && (asked.only.is_empty() || asked.only.contains(&sample.action))
                && (asked.ends || !ends || asked.only.contains(&sample.action))
        })
    };
    let order: Vec<usize> = wanted(false).chain(wanted(true)).map(|(index, _)| index).collect();
    let dialects: Vec<Option<&Value>> = if asked.dialect.is_empty() {
        vec![None]
    } else {
        asked.dialect.iter().map(Some).collect()
    };
    let (mut tried, mut took, mut unsent) = (0, 0, 0);
    for dialect in dialects {
        if let Some(dialect) = dialect {
            say(&format!("in the dialect {dialect}:\n"))?;
        }
        for sample in &order {
            if tried > 0 {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            let request = ProbeRequest {
                sample: *sample,
                conversation: asked.conversation.clone(),
                reply_to: asked.reply_to.clone(),
                medium: asked.medium.clone(),
                dialect: dialect.cloned(),
            };
            let path = path(&asked.channel, "probe");
            let answer = host.ask(Method::POST, &path, Some(&request)).await?;
            let probed: Probed = read(&answer)?;
            tried += 1;
            took += usize::from(probed.accepted() == Some(true));
            unsent += usize::from(probed.accepted().is_none());
            host.print(&answer, |probed: Probed| line(&probed))?;
        }
    }
    say(&format!("{vendor} took {took} of {tried}, {unsent} not sent\n"))
}

fn line(probed: &Probed) -> String {
    let Probed { action, what, notes, calls } = probed;
    let what = if what.is_empty() { String::new() } else { format!(", {what}") };
    let mut text = format!("{action}{what}: ");
    if calls.is_empty() {
        text.push_str("not sent: nothing of it becomes a call");
    }
    let told = calls.iter().map(|Taken { action, status, accepted, reason }| {
        let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
        let word = match accepted {
            Some(true) => "accepted",
            Some(false) => "refused",
            None => "not sent",
        };
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        format!("{action} {word}{status}{reason}")
    });
    text.push_str(&told.collect::<Vec<_>>().join("; "));
    text.push('\n');
    for note in notes {
        let _ = writeln!(text, "    {note}");
    }
    text
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

fn object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value.is_object() { Ok(value) } else { Err("write a JSON object".to_owned()) }
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

    #[test]
    fn a_line_says_what_was_taken_and_why_not() {
        let taken = |action: &str, status, accepted, reason: &str| Taken {
            action: action.to_owned(),
            status,
            accepted,
            reason: reason.to_owned(),
        };
        let calls = vec![
            taken("message", Some(200), Some(true), ""),
            taken("delay", None, None, "the host waits"),
            taken("bubbles", Some(400), Some(false), "no label"),
        ];
        let (action, what) = ("bubbles".to_owned(), "3 options".to_owned());
        let probed = Probed { action, what, notes: vec!["a note".to_owned()], calls };
        assert_eq!(
            line(&probed),
            "bubbles, 3 options: message accepted (200); delay not sent: the host waits; bubbles \
             refused (400): no label\n    a note\n"
        );
        assert_eq!(probed.accepted(), Some(false));
    }

    #[test]
    fn what_was_not_sent_was_neither_taken_nor_refused() {
        let probed = |calls: &[Option<bool>]| Probed {
            action: "typing".to_owned(),
            what: String::new(),
            notes: Vec::new(),
            calls: calls
                .iter()
                .map(|accepted| Taken {
                    action: "typing".to_owned(),
                    status: None,
                    accepted: *accepted,
                    reason: String::new(),
                })
                .collect(),
        };
        for (calls, accepted) in [
            (&[][..], None),
            (&[None], None),
            (&[None, Some(true)], Some(true)),
            (&[Some(false), None, Some(true)], Some(false)),
        ] {
            assert_eq!(probed(calls).accepted(), accepted, "{calls:?}");
        }
        assert_eq!(line(&probed(&[])), "typing: not sent: nothing of it becomes a call\n");
    }
}
