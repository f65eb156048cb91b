//! The port of the API URL.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinHandle, JoinSet};

use super::account::Account;
use super::api;

const BACKLOG: u32 = 1_024;

/// A port that is taken; it refuses every connection until it opens.
#[derive(Debug)]
pub(super) struct Listener {
    address: SocketAddr,
    closed: Option<TcpSocket>,
    task: Option<JoinHandle<()>>,
}

impl Listener {
    pub(super) fn bind(address: SocketAddr) -> Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address).with_context(|| format!("cannot listen on {address}"))?;
        let address = socket.local_addr()?;
        Ok(Self { address, closed: Some(socket), task: None })
    }

    pub(super) fn open(&mut self, account: Account) -> Result<()> {
        let socket = self.closed.take().context("the twin is open already")?;
        let listener = socket.listen(BACKLOG).context("cannot open the twin's port")?;
        self.task = Some(tokio::spawn(serve(listener, account)));
        Ok(())
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until the task is aborted; its connections end with it.
async fn serve(listener: TcpListener, account: Account) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A caller that left before it was accepted is no loss.
                let Ok((stream, _)) = accepted else { continue };
                let account = account.clone();
                connections.spawn(async move {
                    let service = service_fn(move |call| api::respond(account.clone(), call));
                    let io = TokioIo::new(stream);
                    // A connection that the plan cuts ends with an error.
                    http1::Builder::new().serve_connection(io, service).await.ok();
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
