//! The port of a twin.

use std::io;
use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinHandle, JoinSet};

const BACKLOG: u32 = 1_024;

/// A port that is taken; it refuses every connection until it opens.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    closed: Option<TcpSocket>,
    task: Option<JoinHandle<()>>,
}

impl Listener {
    pub(crate) fn bind(address: SocketAddr) -> Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address).with_context(|| format!("cannot listen on {address}"))?;
        let address = socket.local_addr()?;
        Ok(Self { address, closed: Some(socket), task: None })
    }

    /// Answers every call with what `respond` makes of it; the connection of a call
    /// that fails ends.
    pub(crate) fn open<F, A>(&mut self, respond: F) -> Result<()>
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = io::Result<Response<Full<Bytes>>>> + Send + 'static,
    {
        let socket = self.closed.take().context("the twin is open already")?;
        let listener = socket.listen(BACKLOG).context("cannot open the twin's port")?;
        self.task = Some(tokio::spawn(serve(listener, respond)));
        Ok(())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until the task is aborted; its connections end with it.
async fn serve<F, A>(listener: TcpListener, respond: F)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = io::Result<Response<Full<Bytes>>>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A caller that left before it was accepted is no loss.
                let Ok((stream, _)) = accepted else { continue };
                let respond = respond.clone();
                connections.spawn(async move {
                    let service = service_fn(respond);
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
