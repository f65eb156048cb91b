//! `botyard twin`: a vendor's emulator to talk to a host with.
//!
//! It runs in a process of its own, beside a host: nothing of what a host serves
//! knows it.

use std::fs::File;
use std::io::stdout;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use botyard_twins::userlike::console::{Console, Report, run};
use botyard_twins::userlike::{Contact, Fault, Faults, Keep, Operators, Options, Webhook};
use clap::{Args, Subcommand};
use tokio::io::BufReader;

/// What a long conversation keeps; everything is printed as it happens.
const KEEP: Keep = Keep { records: 1_000, seen: 1_000 };

/// The vendors that have a twin.
#[derive(Debug, Subcommand)]
pub(super) enum Twin {
    /// Be Userlike: chat with a bot through a running host.
    ///
    /// Lines of standard input are what a person does; /help lists them.
    #[command(after_help = faults_help())]
    Userlike(Userlike),
}

#[derive(Debug, Args)]
pub(super) struct Userlike {
    /// The bot's webhook, for example <http://127.0.0.1:8080/webhooks/acme-orders>.
    #[arg(long, value_name = "URL")]
    webhook: String,
    /// The webhook header, as `NAME: VALUE`.
    #[arg(long, value_parser = header, env = "BOTYARD_TWIN_HEADER", hide_env_values = true)]
    header: Option<(String, String)>,
    /// Where the API URL is served; port 0 is a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The token that calls have to show.
    #[arg(long, default_value = "twin-api-token", env = "BOTYARD_TWIN_TOKEN")]
    #[arg(hide_env_values = true)]
    token: String,
    /// What the person writes on.
    #[arg(long, default_value = "web")]
    medium: String,
    /// Something that is known of the person, for example `name=Mara`; repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    contact: Vec<(String, String)>,
    /// What goes wrong and how often, for example `cut=0.1`; repeatable.
    #[arg(long, value_name = "NAME=RATE", value_parser = fault)]
    fault: Vec<(Fault, f64)>,
    /// Which of the calls and webhooks meet a fault.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many seconds after each failure a webhook comes again.
    #[arg(long, value_name = "SECONDS", value_delimiter = ',', default_value = "1,5,30")]
    #[arg(value_parser = seconds)]
    redeliver: Vec<Duration>,
    /// No operator is free, so that hand-offs fail.
    #[arg(long)]
    operators_away: bool,
    /// A 429 says in Retry-After when there is room again.
    #[arg(long)]
    retry_after: bool,
    /// Media whose links contain this text cannot be fetched; repeatable.
    #[arg(long, value_name = "TEXT")]
    unfetchable: Vec<String>,
    /// Read a file instead of standard input, and fail if anything was refused.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Print every record as a line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a twin until its input ends.
pub(super) async fn twin(twin: Twin) -> anyhow::Result<()> {
    let Twin::Userlike(arguments) = twin;
    let script = arguments.script.clone();
    let console = arguments.console()?;
    let output = Box::new(stdout());
    match script {
        None => run(console, BufReader::new(tokio::io::stdin()), output).await.map(|_| ()),
        Some(file) => {
            let report = run(console, BufReader::new(open(&file)?), output).await;
            judge(report.with_context(|| format!("in {}", file.display()))?)
        }
    }
}

fn open(file: &Path) -> anyhow::Result<tokio::fs::File> {
    let file = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    Ok(file.into())
}

/// A script is a test: what Userlike would not have taken fails it.
fn judge(report: Report) -> anyhow::Result<()> {
    let Report { refused, unanswered } = report;
    if refused + unanswered > 0 {
        bail!(
            "Userlike refused {refused} answers or calls, and {unanswered} webhooks stayed unanswered"
        );
    }
    Ok(())
}

impl Userlike {
    fn console(self) -> anyhow::Result<Console> {
        let faults = Faults::seeded(self.seed);
        let faults =
            self.fault.into_iter().fold(faults, |faults, (fault, rate)| faults.with(fault, rate));
        let operators = if self.operators_away { Operators::Away } else { Operators::Free };
        let contact = self.contact.into_iter().map(|(key, value)| (key, value.into()));
        Ok(Console {
            address: self.listen,
            options: Options {
                faults,
                operators,
                keep: KEEP,
                redeliver: self.redeliver,
                says_retry_after: self.retry_after,
                ..Options::new(&self.token)
            },
            webhook: Webhook { url: self.webhook, header: self.header },
            medium: self.medium,
            contact: contact.collect::<Contact>(),
            unfetchable: self.unfetchable,
            json: self.json,
            is_script: self.script.is_some(),
        })
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `NAME: VALUE`")?;
    http::HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| format!("`{}` is no name of a header", name.trim()))?;
    http::HeaderValue::from_str(value.trim())
        .map_err(|_| "the value holds what no header can carry".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as `KEY=VALUE`")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Who types has one event at a time, which nothing can overtake.
fn faults() -> impl Iterator<Item = Fault> {
    Fault::ALL.iter().copied().filter(|fault| *fault != Fault::Reorder)
}

fn fault(text: &str) -> Result<(Fault, f64), String> {
    let (name, rate) = text.split_once('=').ok_or("write it as `NAME=RATE`")?;
    let fault = faults().find(|fault| fault.name() == name).ok_or_else(|| {
        let names: Vec<_> = faults().map(Fault::name).collect();
        format!("there is no fault `{name}`: choose of {}", names.join(", "))
    })?;
    let rate = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    Ok((fault, rate.ok_or("a rate is a number from 0, never, to 1, always")?))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "write it as a number of seconds".to_owned())
}

fn faults_help() -> String {
    let line = |fault: Fault| format!("  {:<16} {}\n", fault.name(), fault.about());
    let lines: String = faults().map(line).collect();
    format!("Faults:\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_input_says_what_is_right() {
        let rows = [
            (fault("flood=1").unwrap_err(), "cut-after"),
            (fault("cut").unwrap_err(), "NAME=RATE"),
            (fault("cut=2").unwrap_err(), "from 0"),
            (fault("reorder=1").unwrap_err(), "no fault `reorder`"),
            (header("x").unwrap_err(), "NAME: VALUE"),
            (header("a b: c").unwrap_err(), "`a b`"),
            (pair("name").unwrap_err(), "KEY=VALUE"),
            (seconds("soon").unwrap_err(), "number of seconds"),
        ];
        for (error, words) in rows {
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(fault("429-retry-after=0.5"), Ok((Fault::LimitedFor, 0.5)));
        assert_eq!(header("A-B:  c:d "), Ok(("A-B".to_owned(), "c:d".to_owned())));
    }
}
