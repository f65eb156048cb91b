//! Where the host is reached: one listener for all of it, or some for parts of it.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::App;
use crate::config;
use crate::http::{self, Face};
use crate::supervisor::{self, KeptSocket};

/// Listeners, the first of which takes webhooks, with what is reached there.
pub(super) struct Listeners(Vec<Listener>);

struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    faces: Vec<Face>,
}

/// What listeners have become.
pub(super) struct Servers(Vec<(oneshot::Sender<()>, JoinHandle<()>)>);

impl Listeners {
    /// Listens everywhere that the settings say. The socket of a supervisor goes before
    /// the address for webhooks.
    pub(super) async fn bind(
        kept: Option<KeptSocket>,
        settings: &config::Server,
    ) -> anyhow::Result<Self> {
        let apart = [
            (settings.management_listen, Face::Management),
            (settings.metrics_listen, Face::Metrics),
        ];
        let here = apart.iter().filter(|(address, _)| address.is_none());
        let mut faces = vec![Face::Webhooks];
        faces.extend(here.map(|(_, face)| *face));
        let listener = supervisor::listen(kept, settings.listen).await?;
        let mut all = vec![Listener::new(listener, faces)?];
        for (address, face) in apart {
            if let Some(address) = address {
                let listener = supervisor::listen(None, address).await?;
                all.push(Listener::new(listener, vec![face])?);
            }
        }
        Ok(Self(all))
    }

    /// Where webhooks come in.
    pub(super) fn webhooks(&self) -> SocketAddr {
        self.0.first().expect("webhooks have a listener").address
    }

    /// Says where the host is reached.
    pub(super) fn announce(&self) {
        for Listener { address, faces, .. } in &self.0 {
            match faces.as_slice() {
                [Face::Management] => {
                    tracing::info!(%address, "the management API is at http://{address}/v1");
                }
                [Face::Metrics] => {
                    tracing::info!(%address, "the metrics are at http://{address}/metrics");
                }
                _ => tracing::info!(%address, "listening on http://{address}"),
            }
        }
    }

    /// Serves until [`Servers::end`].
    pub(super) fn serve(self, app: &Arc<App>) -> Servers {
        let limits = http::Limits {
            connections: app.config.server.connections_max,
            header_timeout: app.config.server.request_header_timeout,
        };
        let serve = |Listener { listener, faces, .. }| {
            let (tell, told) = oneshot::channel();
            let router = http::router(Arc::clone(app), &faces);
            (tell, tokio::spawn(http::serve(listener, router, limits, told)))
        };
        Servers(self.0.into_iter().map(serve).collect())
    }
}

impl Listener {
    fn new(listener: TcpListener, faces: Vec<Face>) -> anyhow::Result<Self> {
        let address = listener.local_addr().context("the listener has no address")?;
        Ok(Self { listener, address, faces })
    }
}

impl Servers {
    /// Takes no more requests, and waits for those that are there.
    pub(super) async fn end(self, until: Instant) {
        let (tells, servers): (Vec<_>, Vec<_>) = self.0.into_iter().unzip();
        for tell in tells {
            // A server may have ended by itself, then nobody listens.
            let _ = tell.send(());
        }
        for server in servers {
            match tokio::time::timeout_at(until, server).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "a server broke down"),
                Err(_) => tracing::warn!("some requests did not end in time and get no answer"),
            }
        }
    }
}
