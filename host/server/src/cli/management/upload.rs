//! Uploads on the command line, with how far they are where somebody looks.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{Method, StatusCode};
use serde_json::Value;

use super::{Answered, TenantApi, good};

const COMPONENT: (HeaderName, &str) = (CONTENT_TYPE, "application/wasm");
const ASYNCHRONOUS: (HeaderName, &str) = (HeaderName::from_static("prefer"), "respond-async");
/// What an upload goes through, in the host's own words.
const PHASES: [&str; 6] = ["uploading", "waiting", "checking", "compiling", "rehearsing", "done"];
/// How long until it is asked again.
const PAUSE: Duration = Duration::from_millis(300);

/// Uploads a component as a version of a bot, whose path is given, and answers the
/// version. Its progress is told on standard error, if that is a terminal or where it is
/// asked for.
pub(super) async fn upload(
    of: &TenantApi,
    bot: &str,
    file: &Path,
    progress: bool,
) -> anyhow::Result<Value> {
    let wasm = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let versions = format!("{bot}/versions");
    let mut teller = Teller::new(progress);
    let told = [COMPONENT, ASYNCHRONOUS];
    let headers = if teller.tells() { &told[..] } else { &told[..1] };
    teller.tell("uploading");
    let sent = of.api.send(Method::POST, &versions, headers, Some(Bytes::from(wasm))).await?;
    if sent.status != StatusCode::ACCEPTED {
        // An earlier host answers at its end.
        return good(sent);
    }
    let mut operation = good(sent)?;
    let field = |operation: &Value, name: &str| {
        let found = operation[name].as_str().map(str::to_owned);
        found.context("the host answers something else: is it of this version?")
    };
    let path = format!("{}/operations/{}", of.base().await?, field(&operation, "id")?);
    loop {
        let phase = field(&operation, "phase")?;
        teller.tell(&phase);
        match phase.as_str() {
            "done" => break,
            "failed" => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                good(Answered { status, body: operation["problem"].take() })?;
                bail!("the upload has failed, and the host does not say why");
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
        operation = of.api.ask(Method::GET, &path, None).await?;
    }
    let version = format!("{versions}/{}", field(&operation, "version")?);
    of.api.ask(Method::GET, &version, None).await
}

/// Tells phases as they come: each in a line, the one that is under way on a terminal
/// with its time.
struct Teller {
    tells: bool,
    terminal: bool,
    phase: String,
    since: Instant,
}

impl Teller {
    fn new(asked: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let (tells, phase) = (asked || terminal, String::new());
        Self { tells, terminal, phase, since: Instant::now() }
    }

    fn tells(&self) -> bool {
        self.tells
    }

    fn tell(&mut self, phase: &str) {
        if !self.tells {
            return;
        }
        let mut out = std::io::stderr();
        let fresh = self.phase != phase;
        if fresh {
            let before = std::mem::replace(&mut self.phase, phase.to_owned());
            if self.terminal && !before.is_empty() {
                let _ = writeln!(out);
            }
            self.since = Instant::now();
        }
        // Whoever looked may have gone; the upload goes on.
        let _ = match (self.terminal, fresh) {
            (true, _) => {
                let end = if phase == "done" { "\n" } else { "" };
                write!(out, "\r{}{end}", line(phase, self.since.elapsed()))
            }
            (false, true) => writeln!(out, "{phase}"),
            (false, false) => Ok(()),
        };
        let _ = out.flush();
    }
}

/// A bar of the phases that are behind, the one that is under way and its time.
fn line(phase: &str, time: Duration) -> String {
    let known = PHASES.iter().position(|known| *known == phase);
    let bar: String = match known {
        Some(at) => (1..PHASES.len()).map(|step| if step <= at { "###" } else { "..." }).collect(),
        // A newer host may have more.
        None => "?".repeat(3 * (PHASES.len() - 1)),
    };
    format!("[{bar}] {phase:<11}{:>4} s", time.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_the_phases() {
        let at = |phase| line(phase, Duration::from_secs(7));
        assert_eq!(at("uploading"), "[...............] uploading     7 s");
        assert_eq!(at("compiling"), "[#########......] compiling     7 s");
        assert_eq!(at("done"), "[###############] done          7 s");
        assert_eq!(at("blessing"), "[???????????????] blessing      7 s");
    }

    #[test]
    fn the_phases_are_those_of_the_description() {
        let description = include_str!("../../../openapi.json");
        for phase in PHASES.iter().filter(|phase| **phase != "uploading") {
            assert!(description.contains(&format!("`{phase}`")), "`{phase}` is no phase");
        }
    }
}
