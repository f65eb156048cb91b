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
        let (info, end) = (stream.info(), stream.end());
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
            drop((end, place));
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, SocketAddr};
    use std::sync::mpsc;

    use axum::body::Body;
    use axum::extract::Extension;
    use axum::routing::post;
    use bytes::Bytes;

    use super::super::ConnectionInfo;
    use super::*;

    /// Tells late, as on a machine that has much else to do.
    struct Late(mpsc::Sender<&'static str>);

    impl Drop for Late {
        fn drop(&mut self) {
            std::thread::sleep(Duration::from_millis(100));
            self.0.send("left").unwrap();
        }
    }

    async fn served(router: Router) -> (SocketAddr, oneshot::Sender<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let limits = Limits { connections: 10, header_timeout: Duration::from_secs(10) };
        tokio::spawn(serve(listener, router, limits, stopped));
        (address, stop)
    }

    /// Sends a request and leaves; comes back when the other side has ended, too. It
    /// waits in a thread of its own, as other machines do: this runtime may be busy.
    /// What was told by then.
    async fn leave(
        address: SocketAddr,
        heard: mpsc::Receiver<&'static str>,
    ) -> (Vec<u8>, Vec<&'static str>) {
        tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            let request = b"POST / HTTP/1.1\r\nhost: botyard\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(request).unwrap();
            std::thread::sleep(Duration::from_millis(50));
            stream.shutdown(Shutdown::Write).unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            (answer, heard.try_iter().collect())
        })
        .await
        .unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_client_that_leaves_sees_the_end_only_when_that_is_known() {
        let (told, heard) = mpsc::channel();
        let waits = move || async move {
            let _late = Late(told);
            std::future::pending::<()>().await;
        };
        let (address, _stop) = served(Router::new().route("/", post(waits))).await;
        assert_eq!(leave(address, heard).await, (Vec::new(), vec!["left"]));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn an_answer_is_told_once_and_before_the_client_sees_the_end() {
        let (told, heard) = mpsc::channel();
        let answers = move |Extension(connection): Extension<ConnectionInfo>| async move {
            Body::new(connection.watched(Bytes::from_static(b"whole"), move |whole| {
                std::thread::sleep(Duration::from_millis(100));
                told.send(if whole { "whole" } else { "failed" }).unwrap();
            }))
        };
        let (address, _stop) = served(Router::new().route("/", post(answers))).await;
        let (answer, heard) = leave(address, heard).await;
        assert!(answer.ends_with(b"whole"));
        assert_eq!(heard, ["whole"]);
    }
}
