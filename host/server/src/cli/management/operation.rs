//! What takes long, on the command line: it is waited for, and how far it is is told where
//! somebody looks.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use http::header::HeaderName;
use http::{Method, StatusCode};
use serde_json::Value;

use super::{Answered, Api, good};

/// What is short is answered at its end.
const WAITS: (HeaderName, &str) = (HeaderName::from_static("prefer"), "wait=1");
/// Where the operator's operations are.
pub(in crate::cli) const OPERATORS: &str = "/tenants/operator";
/// How long until it is asked again.
const PAUSE: Duration = Duration::from_millis(300);

/// What operations go through, in the host's own words.
pub(in crate::cli) const UPLOAD: &[&str] =
    &["uploading", "waiting", "checking", "compiling", "rehearsing", "done"];
pub(in crate::cli) const ERASURE: &[&str] = &["waiting", "erasing", "done"];
pub(in crate::cli) const DELETION: &[&str] = &["waiting", "stopping", "deleting", "done"];
pub(in crate::cli) const BACKUP: &[&str] = &["waiting", "copying", "done"];

/// Has something taken away, and answers the operation when it is done. `base` is the path of
/// whose operation it becomes, `phases` what it goes through.
pub(super) async fn taken_away(
    api: &Api,
    path: &str,
    base: &str,
    phases: &'static [&'static str],
) -> anyhow::Result<Value> {
    let answered = api.send(Method::DELETE, path, &[WAITS], None).await?;
    let is_done = answered.status != StatusCode::ACCEPTED;
    let begun = good(answered)?;
    if is_done {
        return Ok(begun);
    }
    done(api, base, begun, &mut Teller::new(phases, false)).await
}

/// Waits until an operation is done, whose path begins with `base`, and answers it.
pub(in crate::cli) async fn done(
    api: &Api,
    base: &str,
    mut operation: Value,
    teller: &mut Teller,
) -> anyhow::Result<Value> {
    let path = format!("{base}/operations/{}", field(&operation, "id")?);
    loop {
        let phase = field(&operation, "phase")?;
        teller.tell(&phase, &operation["progress"], &operation["problem"]);
        match phase.as_str() {
            "done" => return Ok(operation),
            "failed" => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                good(Answered { status, body: operation["problem"].take() })?;
                bail!("it has failed, and the host does not say why");
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
        operation = api.ask(Method::GET, &path, None).await?;
    }
}

/// A word of an operation.
pub(super) fn field(operation: &Value, name: &str) -> anyhow::Result<String> {
    let found = operation[name].as_str().map(str::to_owned);
    found.context("the host answers something else: is it of this version?")
}

/// Tells phases as they come: each in a line, the one that is under way on a terminal
/// with its time and how far it is.
pub(in crate::cli) struct Teller {
    phases: &'static [&'static str],
    tells: bool,
    terminal: bool,
    phase: String,
    /// What was told last of what is in the way.
    problem: Option<String>,
    since: Instant,
}

impl Teller {
    /// Tells of these phases on standard error, if that is a terminal or where it is asked for.
    pub(in crate::cli) fn new(phases: &'static [&'static str], asked: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let (tells, phase) = (asked || terminal, String::new());
        Self { phases, tells, terminal, phase, problem: None, since: Instant::now() }
    }

    pub(super) fn tells(&self) -> bool {
        self.tells
    }

    pub(super) fn tell(&mut self, phase: &str, progress: &Value, problem: &Value) {
        let mut out = std::io::stderr();
        self.warn(&mut out, phase, problem);
        if !self.tells {
            return;
        }
        let fresh = self.phase != phase;
        if fresh {
            let before = std::mem::replace(&mut self.phase, phase.to_owned());
            if self.terminal && !before.is_empty() {
                let _ = writeln!(out);
            }
            self.since = Instant::now();
        }
        // Whoever looked may have gone; the operation goes on.
        let _ = match (self.terminal, fresh) {
            (true, _) => {
                let end = if phase == "done" { "\n" } else { "" };
                let line = line(self.phases, phase, progress, self.since.elapsed());
                write!(out, "\r{line}{end}")
            }
            (false, true) => writeln!(out, "{phase}"),
            (false, false) => Ok(()),
        };
        let _ = out.flush();
    }

    /// What is in the way is told once, also where nobody looks.
    fn warn(&mut self, out: &mut impl std::io::Write, phase: &str, problem: &Value) {
        let detail = problem["detail"].as_str().filter(|_| phase != "failed");
        if let Some(detail) = detail.filter(|detail| self.problem.as_deref() != Some(detail)) {
            let _ = writeln!(out, "{detail}: the host tries it again");
            self.problem = Some(detail.to_owned());
        }
    }
}

/// A bar of the phases that are behind, the one that is under way, its time and how far it is.
fn line(phases: &[&str], phase: &str, progress: &Value, time: Duration) -> String {
    let known = phases.iter().position(|known| *known == phase);
    let bar: String = match known {
        Some(at) => (1..phases.len()).map(|step| if step <= at { "###" } else { "..." }).collect(),
        // A newer host may have more.
        None => "?".repeat(3 * (phases.len() - 1)),
    };
    let far = match (progress["done"].as_u64(), progress["total"].as_u64()) {
        (Some(done), Some(total)) => format!("  {done} of {total}"),
        (Some(done), None) => format!("  {done}"),
        (None, _) => String::new(),
    };
    format!("[{bar}] {phase:<11}{:>4} s{far}", time.as_secs())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_bar_grows_with_the_phases() {
        let at = |phase, progress| line(UPLOAD, phase, &progress, Duration::from_secs(7));
        assert_eq!(at("uploading", Value::Null), "[...............] uploading     7 s");
        assert_eq!(at("compiling", Value::Null), "[#########......] compiling     7 s");
        assert_eq!(at("done", Value::Null), "[###############] done          7 s");
        assert_eq!(at("blessing", json!({})), "[???????????????] blessing      7 s");
        let at = |progress| line(BACKUP, "copying", &progress, Duration::from_secs(7));
        assert_eq!(at(json!({"done": 3})), "[###...] copying       7 s  3");
        assert_eq!(at(json!({"done": 3, "total": 9})), "[###...] copying       7 s  3 of 9");
    }

    #[test]
    fn what_is_in_the_way_is_told_once() {
        let (mut teller, mut out) = (Teller::new(DELETION, false), Vec::new());
        for problem in
            [Value::Null, json!({"detail": "turns go on"}), json!({"detail": "turns go on"})]
        {
            teller.warn(&mut out, "stopping", &problem);
        }
        assert_eq!(String::from_utf8(out).unwrap(), "turns go on: the host tries it again\n");
    }

    #[test]
    fn the_phases_are_those_of_the_description() {
        let description = include_str!("../../../openapi.json");
        for phases in [UPLOAD, ERASURE, DELETION, BACKUP] {
            for phase in phases.iter().filter(|phase| **phase != "uploading") {
                assert!(description.contains(&format!("`{phase}`")), "`{phase}` is no phase");
            }
        }
    }
}
