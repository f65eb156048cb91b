//! Takes connections until told to stop.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, oneshot};
use tower::ServiceExt as _;

use super::connection::WatchedStream;

/// After a failed accept, as when no more files can be open, this long is waited.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time.
    pub connections: usize,
    /// From one request's end to the end of the next one's head.
    pub header_timeout: Duration,
}

/// Serves HTTP/1 on a listener until `stop`, then lets open requests end. One
/// answer at a time is written on an HTTP/1 connection, which is what lets us
/// say of each whether it was handed over.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections));
    loop {
        let accept = async {
            // Whoever finds no room waits in the system's own queue.
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accept => accepted,
            _ = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let stream = WatchedStream::new(quick(stream), peer);
                connect(stream, &router, limits.header_timeout, &graceful, place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

fn connect(
    stream: WatchedStream,
    router: &Router,
    header_timeout: Duration,
    graceful: &GracefulShutdown,
    place: Result<OwnedSemaphorePermit, AcquireError>,
) {
    let info = stream.info();
    let service = router.clone().map_request(move |mut request: http::Request<_>| {
        request.extensions_mut().insert(info.clone());
        request.map(axum::body::Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended early");
        }
        drop(place);
    });
}

/// Answers are small: waiting for more to send would cost 40 ms.
fn quick(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection takes no TCP_NODELAY");
    }
    stream
}
