//! Commands to a running host.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use botyard_kernel::time::{DAY, HOUR, MINUTE, Millis, SECOND};
use botyard_store::Manifest;
use clap::{Args, Subcommand};
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::channel::{ChannelCommand, channel};
use super::letters::{LetterCommand, letters};
use super::management::Api;
use super::management::operation::{self, BACKUP, OPERATORS, Teller};
use super::status;
use crate::admin::client;
use crate::admin::protocol::{BackupRequest, PauseRequest, Paused};
use crate::app::Rotated;
use crate::config::Config;
use crate::tenancy::Resealed;
use crate::work::Pausable;

/// How a host is found, and in which form it is quoted.
#[derive(Debug, Args)]
pub(super) struct Host {
    /// The host's settings; of these, only where its socket lies is read.
    #[arg(long, short, env = "BOTYARD_CONFIG")]
    config: Option<PathBuf>,
    /// The host's socket, instead of its settings.
    #[arg(long, env = "BOTYARD_ADMIN_SOCKET")]
    socket: Option<PathBuf>,
    /// Print the host's answer as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// A bot or a channel.
#[derive(Debug, Args)]
pub(super) struct Named {
    /// Which of the two.
    what: Pausable,
    /// Its name.
    name: String,
    /// The tenant, where several have a bot of this name.
    #[arg(long)]
    tenant: Option<String>,
}

/// What can be asked of a running host.
#[derive(Debug, Subcommand)]
pub(super) enum Operation {
    /// Say how the running host is: its store and disk, what waits, what is paused, what
    /// keeps failing.
    Status {
        #[command(flatten)]
        api: Api,
    },
    /// Pause a bot (no turns run) or a channel (moreover, no calls leave). Events
    /// are accepted and wait. Holds over restarts, until `resume`.
    Pause {
        #[command(flatten)]
        named: Named,
        /// Why, for whoever reads the status.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        host: Host,
    },
    /// Try what a channel's vendor takes, and look at what it sends.
    #[command(subcommand)]
    Channel(ChannelCommand),
    /// Look at actions that were given up, and send them again.
    #[command(subcommand)]
    DeadLetter(LetterCommand),
    /// Copy the host's store into a directory while it is used. Keys are not in the copy:
    /// keep them apart.
    Backup {
        /// A directory that is not there yet, or empty.
        into: PathBuf,
        #[command(flatten)]
        host: Host,
    },
    /// Seal everything that is secret in the store with another key, while it is used. The
    /// one before stays beside it: it opens backups from before.
    RotateKey {
        #[command(flatten)]
        host: Host,
    },
    /// Let a host deliver whose store was made of a backup: until then it accepts events and
    /// says nothing, as what it holds may long have been said.
    Release {
        #[command(flatten)]
        api: Api,
    },
    /// End a pause: what waited goes on.
    Resume {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        host: Host,
    },
}

/// Gives the command to the host and prints what it says.
pub(super) async fn operate(operation: Operation) -> anyhow::Result<()> {
    match operation {
        Operation::Status { api } => status::status(&api).await,
        Operation::Pause { named, reason, host } => {
            let request = named.request(reason);
            let answer = host.ask(Method::POST, "/pause", Some(&request)).await?;
            host.print(&answer, |Paused { what, tenant, name, .. }| {
                format!("{} {name} of tenant {tenant} is paused\n", what.name())
            })
        }
        Operation::Backup { into, host } => {
            let into = std::path::absolute(into).context("there is no such directory")?;
            let request = BackupRequest { into };
            let begun = host.ask(Method::POST, "/backup", Some(&request)).await?;
            let (api, mut teller) = (Api::of(host), Teller::new(BACKUP, false));
            let done = operation::done(&api, OPERATORS, begun, &mut teller).await?;
            api.local.print(&done["result"], |made: Manifest| copied(&made))
        }
        Operation::Release { api } => status::release(&api).await,
        Operation::RotateKey { host } => {
            let answer = host.ask(Method::POST, "/rotate-key", None::<&()>).await?;
            host.print(&answer, |rotated: Rotated| changed(&rotated))
        }
        Operation::Channel(command) => channel(command).await,
        Operation::DeadLetter(command) => letters(command).await,
        Operation::Resume { named, host } => {
            let request = named.request(None);
            let answer = host.ask(Method::POST, "/resume", Some(&request)).await?;
            host.print(&answer, |Paused { what, tenant, name, .. }| {
                format!("{} {name} of tenant {tenant} goes on\n", what.name())
            })
        }
    }
}

fn changed(rotated: &Rotated) -> String {
    let Rotated { key, made, resealed: Resealed { sealed, locked }, earlier } = rotated;
    let from = if *made { "was made just now" } else { "is that of the settings" };
    let mut text = format!("the key {key} {from}; {sealed} secrets were sealed with it\n");
    if *locked > 0 {
        let _ = writeln!(
            text,
            "{locked} could not be opened with any key that is here: put back the one that they \
             were sealed with and do this again, or put these secrets anew (the log names them)"
        );
    }
    if !earlier.is_empty() {
        let earlier = earlier.join(", ");
        let _ = writeln!(
            text,
            "keep a copy of the key apart from the database's. Earlier keys ({earlier}) open \
             backups from before, for a day what was captured and answered, and the addresses \
             that external bots were given in conversations that go on: take them away \
             (`keys/secrets.before.*`, or the setting) when all of these are gone"
        );
    }
    text
}

impl Host {
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> anyhow::Result<Value> {
        client::command(&self.socket()?, method, path, body).await
    }

    /// Where its socket lies.
    pub(super) fn socket(&self) -> anyhow::Result<PathBuf> {
        match &self.socket {
            Some(socket) => Ok(socket.clone()),
            None => Ok(Config::admin_socket(self.config.as_deref(), std::env::vars())?),
        }
    }

    pub(super) fn print<T: DeserializeOwned>(
        &self,
        answer: &Value,
        text: impl FnOnce(T) -> String,
    ) -> anyhow::Result<()> {
        let out = if self.json { format!("{answer:#}\n") } else { text(read(answer)?) };
        std::io::stdout().write_all(out.as_bytes()).context("cannot print the answer")
    }
}

/// What a host has answered.
pub(super) fn read<T: DeserializeOwned>(answer: &Value) -> anyhow::Result<T> {
    let other = "the host answers something else: is it of this version?";
    serde_json::from_value(answer.clone()).context(other)
}

impl Named {
    fn request(self, reason: Option<String>) -> PauseRequest {
        let Self { what, name, tenant } = self;
        PauseRequest { what, name, tenant, reason }
    }
}

/// What is in a copy of a store.
pub(super) fn copied(made: &Manifest) -> String {
    let Manifest { conversations, records, database_bytes, .. } = made;
    format!(
        "{conversations} conversations and {records} records, {database_bytes} bytes; the keys \
         are not among them\n"
    )
}

/// A time span in its largest unit.
pub(super) fn age(now: Millis, since: Millis) -> String {
    let span = now.saturating_sub(since);
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min")];
    match units.iter().find(|(unit, _)| span >= *unit) {
        Some((unit, name)) => format!("{} {name}", span / unit),
        None => format!("{} s", span / SECOND),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_largest_unit() {
        let told = [999, 59_999, 60_000, HOUR - 1, HOUR, 49 * HOUR].map(|span| age(span + 5, 5));
        assert_eq!(told, ["0 s", "59 s", "1 min", "59 min", "1 h", "2 d"]);
        assert_eq!(age(1, 5), "0 s", "clocks differ");
    }
}
