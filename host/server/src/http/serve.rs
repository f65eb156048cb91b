//! Takes connections until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONNECTION;
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
/// On an open connection a request may be on its way when the host stops; so long
/// it is still taken.
const LINGER: Duration = Duration::from_secs(1);

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at the same time.
    pub connections: usize,
    /// From one request's end to the end of the next one's head.
    pub header_timeout: Duration,
}

/// Serves HTTP/1 on a listener until `stop`, then lets open requests end, and for
/// a while those that come on open connections; each connection closes behind its
/// answer. One answer at a time is written on an HTTP/1 connection, which is what
/// lets us say of each whether it was handed over.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    mut stop: oneshot::Receiver<()>,
) {
    let connections = Connections {
        router,
        header_timeout: limits.header_timeout,
        closing: Arc::default(),
        graceful: GracefulShutdown::new(),
    };
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
            Ok((stream, peer)) => connections.take(WatchedStream::new(quick(stream), peer), place),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.closing.store(true, Ordering::Release);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    // The time ends this, or the end of the last connection: nothing depends on which.
    let _ = tokio::time::timeout(LINGER, room.acquire_many(all)).await;
    connections.graceful.shutdown().await;
}

/// The connections of a listener.
struct Connections {
    router: Router,
    header_timeout: Duration,
    /// Each answer is the last one of its connection.
    closing: Arc<AtomicBool>,
    graceful: GracefulShutdown,
}

impl Connections {
    fn take(&self, stream: WatchedStream, place: Result<OwnedSemaphorePermit, AcquireError>) {
        let info = stream.info();
        let closing = Arc::clone(&self.closing);
        let service = self
            .router
            .clone()
            .map_request(move |mut request: http::Request<_>| {
                request.extensions_mut().insert(info.clone());
                request.map(axum::body::Body::new)
            })
            .map_response(move |mut answer: Response| {
                if closing.load(Ordering::Acquire) {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                answer
            });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
}

/// Answers are small: waiting for more to send would cost 40 ms.
fn quick(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection takes no TCP_NODELAY");
    }
    stream
}
