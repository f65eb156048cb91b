//! Operators' commands: HTTP and JSON over a local socket, which only the user
//! that runs the host can open. [`client`] is what the command line speaks with.

mod channels;
pub mod client;
mod letters;
mod probes;
pub mod protocol;
mod routes;
mod socket;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::task::JoinHandle;

use crate::app::App;
pub(crate) use letters::count as count_letters;
use socket::Socket;

/// The running socket of a host.
#[derive(Debug)]
pub(crate) struct Admin {
    socket: Socket,
    server: JoinHandle<()>,
}

impl Admin {
    /// Takes commands from now on.
    ///
    /// # Errors
    /// The socket cannot be made, or another host answers there.
    pub(crate) fn start(app: &Arc<App>, path: &Path) -> anyhow::Result<Self> {
        let (socket, listener) = Socket::make(path)
            .with_context(|| format!("cannot take commands on {}", path.display()))?;
        let router = routes::router(Arc::clone(app));
        let router = router.into_make_service_with_connect_info::<routes::Operator>();
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "commands are taken no more");
            }
        });
        Ok(Self { socket, server })
    }

    /// Takes the socket away.
    pub(crate) fn stop(self) {
        self.server.abort();
        self.socket.remove();
    }
}
