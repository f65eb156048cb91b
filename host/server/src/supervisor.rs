//! What a supervisor such as systemd does for a host: it keeps the listening
//! socket while one host follows another, and is told how the host is.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use listenfd::ListenFd;
use sd_notify::NotifyState;
use tokio::net::TcpListener;

/// A listening socket that outlives this process: whoever connects while no host
/// runs waits in its queue for the next one.
#[derive(Debug)]
pub struct KeptSocket(std::net::TcpListener);

impl KeptSocket {
    /// Takes the socket that the environment speaks of (`LISTEN_FDS`), if it does.
    /// Call it before there are threads: the variables are taken away, so that no
    /// child believes them meant for itself.
    ///
    /// # Errors
    /// The operator's to correct: more than one socket, or one of another kind.
    pub fn take() -> anyhow::Result<Option<Self>> {
        let mut passed = ListenFd::from_env();
        match passed.len() {
            0 => Ok(None),
            1 => {
                let socket = passed.take_tcp_listener(0).context(
                    "the supervisor passes something else than a TCP socket: name one address \
                     and port in the socket unit, as `ListenStream=`",
                )?;
                Ok(socket.map(Self))
            }
            more => bail!(
                "the supervisor passes {more} sockets and a host takes one: name one address \
                 and port in the socket unit"
            ),
        }
    }
}

/// Listens on the socket that was kept, or else on an address.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn listen(kept: Option<KeptSocket>, address: SocketAddr) -> anyhow::Result<TcpListener> {
    let Some(KeptSocket(socket)) = kept else {
        return TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}: is another host running there?")
        });
    };
    socket
        .set_nonblocking(true)
        .and_then(|()| TcpListener::from_std(socket))
        .context("cannot listen on the socket of the supervisor")
}

/// Tells the supervisor, if there is one, that webhooks are taken from now on.
pub fn tell_ready() {
    tell(NotifyState::Ready);
}

/// Tells the supervisor, if there is one, that this host ends.
pub fn tell_stopping() {
    tell(NotifyState::Stopping);
}

fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the supervisor (NOTIFY_SOCKET) cannot be told how the host is");
    }
}
