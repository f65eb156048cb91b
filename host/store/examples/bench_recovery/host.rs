//! The host as a child process.

use std::fmt;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::fill::CHANNELS;

const READY_WITHIN: Duration = Duration::from_secs(120);
const ASKED_EVERY: Duration = Duration::from_millis(5);

/// A host that can be started again and again.
pub(crate) struct Host<'a> {
    program: &'a Path,
    bot: &'a Path,
    directory: &'a Path,
    vendor: SocketAddr,
}

/// A host that runs. It is killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    address: SocketAddr,
}

/// Memory of a process, in KiB.
pub(crate) struct Memory {
    /// The most that was resident, pages of files included.
    pub(crate) peak: u64,
    /// Its own now: what no file can give back.
    pub(crate) own_now: u64,
}

impl<'a> Host<'a> {
    pub(crate) fn new(
        program: &'a Path,
        bot: &'a Path,
        directory: &'a Path,
        vendor: SocketAddr,
    ) -> Self {
        Self { program, bot, directory, vendor }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.directory.join("store")
    }

    fn config(&self) -> PathBuf {
        self.directory.join("botyard.toml")
    }

    /// Writes the settings: one bot behind some channels of one vendor.
    pub(crate) fn configure(&self) -> Result<(), Failure> {
        let mut file = File::create(self.config())?;
        writeln!(file, "egress.allow-loopback = true")?;
        writeln!(file, "[store]\ndirectory = {:?}", self.store())?;
        writeln!(file, "[tenants.demo.bots.echo]\ncomponent = {:?}", self.bot)?;
        for channel in 0..CHANNELS {
            writeln!(file, "[tenants.demo.channels.channel-{channel}]")?;
            writeln!(file, "vendor = \"userlike\"\nbot = \"echo\"")?;
            writeln!(file, "webhook-secret = \"a-secret-of-this-bench\"")?;
            writeln!(file, "api-token = \"a-token-of-this-bench\"")?;
            writeln!(file, "api-url = \"http://{}/api\"", self.vendor)?;
        }
        Ok(())
    }

    pub(crate) fn start(&self) -> Result<Running, Failure> {
        // Free until the listener is dropped, and then most likely still.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = File::create(self.directory.join("host.log"))?;
        let child = Command::new(self.program)
            .args(["serve", "--config"])
            .arg(self.config())
            .env("BOTYARD__SERVER__LISTEN", address.to_string())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Running { child, address })
    }
}

impl Running {
    /// Waits until the host says that it is ready.
    pub(crate) fn ready(mut self) -> Result<Self, Failure> {
        let until = Instant::now() + READY_WITHIN;
        while !self.is_ready() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the host ended with {status}").into());
            }
            if Instant::now() > until {
                return Err("the host is not ready in two minutes".into());
            }
            thread::sleep(ASKED_EVERY);
        }
        Ok(self)
    }

    fn is_ready(&self) -> bool {
        let ask = || {
            let mut connection = TcpStream::connect(self.address)?;
            connection
                .write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
            let mut answer = String::new();
            connection.read_to_string(&mut answer)?;
            std::io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
        };
        ask().unwrap_or(false)
    }

    pub(crate) fn memory(&self) -> Result<Memory, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next());
            number.and_then(|number| number.parse().ok()).ok_or_else(|| format!("no {name}"))
        };
        Ok(Memory { peak: field("VmHWM:")?, own_now: field("RssAnon:")? })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, or does now.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (peak, own) = (self.peak >> 10, self.own_now >> 10);
        write!(f, "{peak} MiB resident at most, {own} MiB of its own now")
    }
}

/// As after the machine itself has started again.
pub(crate) fn drop_page_cache() {
    let synced = Command::new("sync").status();
    let dropped = synced.and_then(|_| fs::write("/proc/sys/vm/drop_caches", "1"));
    match dropped {
        Ok(()) => println!("the page cache was dropped"),
        Err(error) => println!("the page cache could NOT be dropped ({error}): run this as root"),
    }
}
