//! Services that the host talks to, on ports of their own.

pub mod pager;
pub mod shop;
pub mod vendor;

pub use botyard_twins::userlike;

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use axum::Router;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;

/// A server that stops when it is dropped.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    // Absent while it is closed.
    task: Option<JoinHandle<()>>,
    // What is needed to open it: present while it is closed.
    closed: Option<(TcpSocket, Router)>,
}

impl Server {
    fn start(router: Router) -> Result<Self> {
        let mut server = Self::closed(router)?;
        server.open()?;
        Ok(server)
    }

    /// A server whose port is taken and refuses every connection.
    fn closed(router: Router) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 0, 1], 0).into()).context("cannot take a port for a peer")?;
        let address = socket.local_addr()?;
        Ok(Self { address, task: None, closed: Some((socket, router)) })
    }

    /// Opens a closed server.
    fn open(&mut self) -> Result<()> {
        let (socket, router) = self.closed.take().context("the peer is open already")?;
        let listener = socket.listen(1_024).context("cannot open a port for a peer")?;
        self.task = Some(tokio::spawn(async move {
            // It ends with the task only; a failed accept is retried by axum.
            axum::serve(listener, router).await.ok();
        }));
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
