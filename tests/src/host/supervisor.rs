//! A supervisor of hosts, as systemd is one: it keeps the listening socket while
//! one host follows another, and hears what they say of themselves.

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::wait;

/// Makes the socket that stands at 0 the one that stands at 3, where hosts look
/// for it, and becomes the host.
const HAND_OVER: &str = "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" \"$@\" 3<&0 </dev/null";
const TOLD_WITHIN: Duration = Duration::from_secs(10);
/// What a host says at once is shorter.
const MESSAGE_BYTES_MAX: usize = 4_096;

/// Keeps a listening socket on a free port.
#[derive(Debug)]
pub struct Supervisor {
    socket: TcpListener,
    told: UnixDatagram,
    told_at: PathBuf,
}

impl Supervisor {
    /// Listens from now on; a socket for what hosts say lies in the directory.
    ///
    /// # Errors
    ///
    /// The system has no sockets left.
    pub fn new(directory: &Path) -> Result<Self> {
        let told_at = directory.join("notify.sock");
        let told = UnixDatagram::bind(&told_at)
            .with_context(|| format!("cannot listen on {}", told_at.display()))?;
        told.set_nonblocking(true)?;
        Ok(Self { socket: TcpListener::bind("127.0.0.1:0")?, told, told_at })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// The system does not say.
    pub fn address(&self) -> Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }

    /// Waits until a host says something of itself, for example `READY=1`.
    ///
    /// # Errors
    ///
    /// Nothing came within ten seconds.
    pub async fn told(&self) -> Result<String> {
        let message = wait::until("word of the host", TOLD_WITHIN, || {
            let mut bytes = [0; MESSAGE_BYTES_MAX];
            let length = self.told.recv(&mut bytes).ok()?;
            Some(bytes[..length].to_vec())
        });
        Ok(String::from_utf8(message.await?)?.trim().to_owned())
    }

    /// A command that runs a host on the socket.
    pub(super) fn command(&self, program: &Path) -> Result<Command> {
        let socket = OwnedFd::from(self.socket.try_clone()?);
        let mut command = Command::new("sh");
        command.args(["-c", HAND_OVER]).arg(program).stdin(Stdio::from(socket));
        command.env("NOTIFY_SOCKET", &self.told_at);
        Ok(command)
    }
}
