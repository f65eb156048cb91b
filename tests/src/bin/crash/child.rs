//! The host as a child process that is killed over and over.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// So many lines of its log are kept to be shown.
const LINES_KEPT: usize = 60;
/// What a host that has ended wrote last is read by then.
const READ_WITHIN: Duration = Duration::from_secs(1);

/// A host process. It is killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Host {
    child: Child,
    address: Option<oneshot::Receiver<SocketAddr>>,
    log: Log,
    reader: JoinHandle<()>,
}

/// A host's log.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Lines>>);

#[derive(Debug, Default)]
struct Lines {
    /// The last ones.
    kept: VecDeque<String>,
    /// The first that told of a fault of the host's own.
    fault: Option<String>,
}

impl Host {
    /// Starts a host on a file of settings.
    pub(crate) fn start(
        program: &Path,
        settings: &Path,
        environment: &[(String, String)],
    ) -> Result<Self> {
        let mut child = Command::new(program)
            .arg("serve")
            .arg("--config")
            .arg(settings)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stderr = child.stderr.take().context("the host has no stderr")?;
        let (tell, address) = oneshot::channel();
        let log = Log::default();
        let reader = tokio::spawn(read(stderr, log.clone(), tell));
        Ok(Self { child, address: Some(address), log, reader })
    }

    /// Where it listens; nothing if it ends before it does.
    pub(crate) async fn address(&mut self, within: Duration) -> Option<SocketAddr> {
        let address = self.address.take()?;
        tokio::time::timeout(within, address).await.ok()?.ok()
    }

    /// How it ended, if it does so within the time.
    pub(crate) async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        tokio::time::timeout(within, self.child.wait()).await.ok()?.ok()
    }

    /// Kills it, if it has not ended, and waits until it is gone.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("cannot kill the host")
    }

    /// Asks it to stop.
    pub(crate) async fn terminate(&self) -> Result<()> {
        let Some(id) = self.child.id() else { return Ok(()) };
        let id = id.to_string();
        Command::new("kill").args(["-TERM", &id]).status().await.context("cannot start `kill`")?;
        Ok(())
    }

    /// The end of its log.
    pub(crate) fn log(&self) -> String {
        let lines = self.log.lines();
        lines.kept.iter().map(|line| format!("    {line}\n")).collect()
    }

    /// A host that has ended must not have told of a fault of its own, however long before.
    pub(crate) async fn kept_its_head(&mut self) -> Result<()> {
        // The last lines are read after its end; whoever else holds the pipe is not waited for.
        let _ = tokio::time::timeout(READ_WITHIN, &mut self.reader).await;
        let fault = self.log.lines().fault.clone();
        match fault {
            Some(line) => bail!("the host broke down: {line}\nthe end of its log:\n{}", self.log()),
            None => Ok(()),
        }
    }
}

impl Log {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: String) {
        let mut lines = self.lines();
        if lines.fault.is_none() && is_fault(&line) {
            lines.fault = Some(line.clone());
        }
        lines.kept.push_back(line);
        if lines.kept.len() > LINES_KEPT {
            lines.kept.pop_front();
        }
    }
}

fn is_fault(line: &str) -> bool {
    line.contains("panicked") || line.contains("broke down")
}

async fn read(stderr: ChildStderr, log: Log, tell: oneshot::Sender<SocketAddr>) {
    let mut tell = Some(tell);
    let mut lines = BufReader::new(stderr).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let (Some(address), true) = (address(&line), tell.is_some())
            && let Some(tell) = tell.take()
        {
            // Nobody waits for a host that was given up meanwhile.
            let _ = tell.send(address);
        }
        log.add(line);
    }
}

fn address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on http://")?;
    let end = rest.find(|letter: char| !letter.is_ascii_digit() && !".:".contains(letter));
    rest[..end.unwrap_or(rest.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_known_however_much_is_written_after_it() {
        let log = Log::default();
        log.add("starting".to_owned());
        assert_eq!(log.lines().fault, None);
        log.add("thread 'main' panicked at host/kernel/src/lane/mod.rs:1:1:".to_owned());
        (0..2 * LINES_KEPT).for_each(|n| log.add(format!("line {n}")));
        let lines = log.lines();
        assert_eq!(lines.kept.len(), LINES_KEPT);
        assert!(lines.fault.as_deref().is_some_and(is_fault));
    }

    #[test]
    fn the_address_is_found_in_the_log() {
        let line = r#"{"message":"listening on http://127.0.0.1:4711","address":"127.0.0.1:4711"}"#;
        assert_eq!(address(line), Some("127.0.0.1:4711".parse().unwrap()));
        assert_eq!(address("starting"), None);
    }
}
