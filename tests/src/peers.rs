//! Services that the host talks to, on ports of their own.

pub mod shop;
pub mod userlike;

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that stops when it is dropped.
#[derive(Debug)]
struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(router: Router) -> Result<Self> {
        let listener =
            TcpListener::bind("127.0.0.1:0").await.context("cannot open a port for a peer")?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            // It ends with the task only; a failed accept is retried by axum.
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { address, task })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
