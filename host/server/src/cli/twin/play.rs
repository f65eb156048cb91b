//! What all twins are started with, and how their lines are played.

use std::fs::File;
use std::io::stdout;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use botyard_twins::account::Conduct;
use botyard_twins::console::{Console, Report, Side, run};
use botyard_twins::faults::{Fault, Faults};
use botyard_twins::record::Keep;
use clap::Args;
use tokio::io::BufReader;

/// What a long conversation keeps; everything is printed as it happens.
pub(super) const KEEP: Keep = Keep { records: 1_000, seen: 1_000 };

/// What all twins take.
#[derive(Debug, Args)]
pub(super) struct Play {
    /// Where the vendor's API is served; port 0 is a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(super) listen: SocketAddr,
    /// What goes wrong and how often, for example `cut=0.1`; repeatable.
    #[arg(long, value_name = "NAME=RATE", value_parser = fault)]
    fault: Vec<(Fault, f64)>,
    /// Which of the calls and webhooks meet a fault.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How many seconds after each failure a webhook comes again; without it, as the
    /// vendor does, as far as that is known.
    #[arg(long, value_name = "SECONDS", value_delimiter = ',', value_parser = seconds)]
    pub(super) redeliver: Option<Vec<Duration>>,
    /// Read a file instead of standard input, and fail if anything was refused.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// Print every record as a line of JSON.
    #[arg(long)]
    json: bool,
}

impl Play {
    /// What goes wrong.
    pub(super) fn faults(&self) -> Faults {
        let rates = self.fault.iter().copied();
        rates.fold(Faults::seeded(self.seed), |faults, (fault, rate)| faults.with(fault, rate))
    }

    /// How the twin behaves, where its vendor usually behaves like this.
    pub(super) fn conduct(&self, usual: Conduct) -> Conduct {
        Conduct {
            faults: self.faults(),
            keep: KEEP,
            redeliver: self.redeliver.clone().unwrap_or(usual.redeliver),
            answer_within: usual.answer_within,
        }
    }

    /// Plays the lines until they end.
    pub(super) async fn run(
        &self,
        vendor: &str,
        side: impl Side,
        greeting: &str,
    ) -> anyhow::Result<()> {
        let console = Console { json: self.json, is_script: self.script.is_some() };
        let output = Box::new(stdout());
        let Some(file) = &self.script else {
            let input = BufReader::new(tokio::io::stdin());
            return run(console, side, greeting, input, output).await.map(|_| ());
        };
        let report = run(console, side, greeting, BufReader::new(open(file)?), output).await;
        judge(vendor, report.with_context(|| format!("in {}", file.display()))?)
    }
}

fn open(file: &Path) -> anyhow::Result<tokio::fs::File> {
    let file = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    Ok(file.into())
}

/// A script is a test: what the vendor would not have taken fails it.
fn judge(vendor: &str, report: Report) -> anyhow::Result<()> {
    let Report { refused, unanswered } = report;
    if refused + unanswered > 0 {
        bail!(
            "{vendor} refused {refused} answers or calls, and {unanswered} webhooks stayed \
             unanswered"
        );
    }
    Ok(())
}

/// A header of webhooks.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `NAME: VALUE`")?;
    http::HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| format!("`{}` is no name of a header", name.trim()))?;
    http::HeaderValue::from_str(value.trim())
        .map_err(|_| "the value holds what no header can carry".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// A key and its value.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as `KEY=VALUE`")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// The address of a webhook.
pub(super) fn webhook(text: &str) -> Result<String, String> {
    let wrong = || "write it as http://127.0.0.1:8080/webhooks/<channel>".to_owned();
    let url: http::Uri = text.parse().map_err(|_| wrong())?;
    let is_whole = matches!(url.scheme_str(), Some("http" | "https")) && url.host().is_some();
    if is_whole { Ok(text.trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

fn fault(text: &str) -> Result<(Fault, f64), String> {
    let (name, rate) = text.split_once('=').ok_or("write it as `NAME=RATE`")?;
    let fault = Fault::by_name(name).ok_or_else(|| {
        let names: Vec<_> = Fault::ALL.iter().copied().map(Fault::name).collect();
        format!("there is no fault `{name}`: choose of {}", names.join(", "))
    })?;
    let rate = rate.parse().ok().filter(|rate| (0.0..=1.0).contains(rate));
    Ok((fault, rate.ok_or("a rate is a number from 0, never, to 1, always")?))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "write it as a number of seconds".to_owned())
}

/// The end of the help of every twin.
pub(super) fn faults_help() -> String {
    let line = |fault: &Fault| format!("  {:<16} {}\n", fault.name(), fault.about());
    let lines: String = Fault::ALL.iter().map(line).collect();
    format!(
        "Faults:\n{lines}\nA webhook that is to be overtaken waits up to three seconds for the \
         next line, and for neither /wait nor /expect."
    )
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
            (header("x").unwrap_err(), "NAME: VALUE"),
            (header("a b: c").unwrap_err(), "`a b`"),
            (pair("name").unwrap_err(), "KEY=VALUE"),
            (seconds("soon").unwrap_err(), "number of seconds"),
            (webhook("localhost").unwrap_err(), "/webhooks/<channel>"),
        ];
        for (error, words) in rows {
            assert!(error.contains(words), "{error}");
        }
        assert_eq!(fault("429-retry-after=0.5"), Ok((Fault::LimitedFor, 0.5)));
        assert_eq!(fault("reorder=1"), Ok((Fault::Reorder, 1.0)));
        assert_eq!(header("A-B:  c:d "), Ok(("A-B".to_owned(), "c:d".to_owned())));
        assert_eq!(webhook("http://a/webhooks/b/"), Ok("http://a/webhooks/b".to_owned()));
    }
}
