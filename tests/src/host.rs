//! The host as a child process.

mod config;
mod log;
mod supervisor;

pub use config::{Bot, Channel, Config};
pub use supervisor::Supervisor;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::client::management::Management;
use crate::client::userlike::client;
use crate::wait;
use log::Log;

/// Compiling bots in an unoptimized host takes its time.
const READY_WITHIN: Duration = Duration::from_secs(120);
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// A running host. It is killed when it is dropped.
#[derive(Debug)]
pub struct Host {
    child: Child,
    log: Log,
    said: Log,
    url: String,
}

impl Host {
    /// Starts the host on a free port and waits until it is ready.
    ///
    /// The program is the one in `BOTYARD_BIN`, else the debug build. The
    /// configuration is written into the directory of its store, which may
    /// hold what an earlier host left.
    ///
    /// # Errors
    ///
    /// The program is missing, ends early or is not ready in two minutes; its
    /// log is quoted.
    pub async fn start(config: &Config) -> Result<Self> {
        let mut command = Command::new(program());
        command.stdin(Stdio::null());
        Self::launch(config, command).await
    }

    /// As [`Host::start`], on a socket that a supervisor keeps.
    ///
    /// # Errors
    ///
    /// As [`Host::start`].
    pub async fn start_under(supervisor: &Supervisor, config: &Config) -> Result<Self> {
        Self::launch(config, supervisor.command(&program())?).await
    }

    async fn launch(config: &Config, mut command: Command) -> Result<Self> {
        let file = config.write()?;
        let mut child = command
            .arg("serve")
            .arg("--config")
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}: build it with `cargo build -p botyard` or name it in \
                     BOTYARD_BIN",
                    program().display()
                )
            })?;
        let log = Log::follow(child.stderr.take().context("the host has no stderr")?);
        let said = Log::follow(child.stdout.take().context("the host has no stdout")?);
        let mut host = Self { child, log, said, url: String::new() };
        host.wait_ready().await.map_err(|error| error.context(host.log.text()))?;
        Ok(host)
    }

    /// Its address, without a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Memory of its process in bytes, by the system's name for the kind of it: `VmHWM`
    /// for the most there has been, `RssAnon` for what no file backs.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn memory(&self, kind: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let lines = status.lines().filter_map(|line| line.split_once(':'));
        let found = lines.into_iter().find(|(name, _)| *name == kind);
        let kib = found.and_then(|(_, kib)| kib.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kib.with_context(|| format!("the system does not tell the host's {kind}"))? << 10)
    }

    /// Whether it still runs.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The management API, for whoever shows the operator's token that this host has
    /// made at its first start.
    pub fn management(&self) -> Management {
        const SHOWN: &str = "the operator's token, shown only now: ";
        let shown = || {
            let said = self.said.text();
            let token = said.lines().find_map(|line| line.strip_prefix(SHOWN));
            token.map(str::to_owned)
        };
        // What it wrote may reach us after the log does.
        let token = (0..20).find_map(|_| {
            let token = shown();
            if token.is_none() {
                std::thread::sleep(Duration::from_millis(50));
            }
            token
        });
        Management { url: self.url.clone(), token, key: None }
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    ///
    /// # Errors
    ///
    /// It was still running after half a minute.
    pub async fn stop(mut self) -> Result<ExitStatus> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().context("cannot start `kill`")?;
        wait::until("the host to stop", STOP_WITHIN, || self.child.try_wait().ok().flatten()).await
    }

    /// Kills it on the spot, as a power cut would.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    async fn wait_ready(&mut self) -> Result<()> {
        let start = Instant::now();
        let http = client()?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the host ended with {status} before it was ready");
            }
            if let Some(url) = self.log.address() {
                self.url = url;
                let answer = http.get(format!("{}/readyz", self.url)).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return Ok(());
                }
            }
            if start.elapsed() > READY_WITHIN {
                bail!("the host was not ready within {READY_WITHIN:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs a command of the host that ends by itself, and returns what it said.
///
/// # Errors
///
/// The program is missing, or still runs after two minutes.
pub async fn run(config: &Config, command: &str) -> Result<Output> {
    operate(config, &[command]).await
}

/// As [`run`], with the words of a command.
///
/// # Errors
///
/// As [`run`].
pub async fn operate(config: &Config, words: &[&str]) -> Result<Output> {
    let file = config.write()?;
    let child = tokio::process::Command::new(program())
        .args(words)
        .arg("--config")
        .arg(&file)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(READY_WITHIN, child).await;
    Ok(output.with_context(|| format!("`botyard {}` did not end", words.join(" ")))??)
}

/// The component of an example bot, by the bot's folder name.
///
/// # Errors
///
/// It is not built.
pub fn plugin(name: &str) -> Result<PathBuf> {
    let directory = match env::var_os("BOTYARD_PLUGINS") {
        Some(directory) => PathBuf::from(directory),
        None => target().join("wasm32-wasip2/plugin"),
    };
    let native = directory.join(format!("botyard_plugin_{name}.wasm"));
    let interpreted = target().join(format!("plugins/{}.wasm", name.replace('-', "_")));
    [native, interpreted]
        .into_iter()
        .find(|path| path.is_file())
        .with_context(|| format!("the bot `{name}` is not built: run `cargo xtask plugins`"))
}

/// The same component with a number in it, which makes it another one.
pub fn distinct(component: Vec<u8>, number: usize) -> Vec<u8> {
    with_section(component, "number", &number.to_le_bytes())
}

/// The same component with one more custom section, whose name has at most 127 bytes.
pub fn with_section(mut component: Vec<u8>, name: &str, content: &[u8]) -> Vec<u8> {
    component.push(0);
    // Lengths are in LEB128; that of the name takes a single byte.
    let mut length = 1 + name.len() + content.len();
    while length >= 0x80 {
        component.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    component.extend([length as u8, name.len() as u8]);
    component.extend(name.as_bytes());
    component.extend(content);
    component
}

/// The host's program.
pub fn program() -> PathBuf {
    env::var_os("BOTYARD_BIN").map_or_else(|| target().join("debug/botyard"), PathBuf::from)
}

/// Cargo's build directory: the one that this program was built into.
fn target() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."));
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root.join(directory),
        None => root.join("target"),
    }
}
