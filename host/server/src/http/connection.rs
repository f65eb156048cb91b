//! Connections that can tell when an answer was handed over whole.
//!
//! Actions ride in the answers of webhooks, so "was it written?" decides what is
//! delivered. The body of such an answer arms a watch when its last byte has been
//! taken by the HTTP machinery; the next completed flush of the connection fires
//! it. A connection that dies before drops the watch, and that means "no".

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// What handlers know of the connection of their request.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    /// The other end.
    pub peer: SocketAddr,
    armed: Armed,
}

/// The watch of the answer that is being written, if there is one. HTTP/1
/// writes one answer at a time.
#[derive(Clone, Debug, Default)]
struct Armed(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl Armed {
    fn arm(&self, watch: oneshot::Sender<()>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
    }

    fn fire(&self) {
        if let Some(watch) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Nobody listening means that nobody cares.
            let _ = watch.send(());
        }
    }
}

impl ConnectionInfo {
    /// A body that tells when it was handed over whole: the receiver gets a value
    /// then, and an error when that will never be.
    pub fn watched(&self, bytes: Bytes) -> (WatchedBody, oneshot::Receiver<()>) {
        let (watch, whole) = oneshot::channel();
        let body =
            WatchedBody { bytes: Some(bytes), watch: Some(watch), armed: self.armed.clone() };
        (body, whole)
    }
}

/// See [`ConnectionInfo::watched`].
#[derive(Debug)]
pub struct WatchedBody {
    bytes: Option<Bytes>,
    watch: Option<oneshot::Sender<()>>,
    armed: Armed,
}

impl WatchedBody {
    fn is_empty(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn arm(&mut self) {
        if let Some(watch) = self.watch.take() {
            self.armed.arm(watch);
        }
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let bytes = self.bytes.take().filter(|bytes| !bytes.is_empty());
        self.arm();
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

impl Drop for WatchedBody {
    /// The body of an empty answer is dropped without being polled: its head is
    /// all that there is to write. One that still holds bytes was not written.
    fn drop(&mut self) {
        if self.is_empty() {
            self.arm();
        }
    }
}

/// A connection that fires the watch of its answer.
#[derive(Debug)]
pub(super) struct WatchedStream {
    stream: TcpStream,
    info: ConnectionInfo,
}

impl WatchedStream {
    /// Watches a connection from this peer.
    pub(super) fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        Self { stream, info: ConnectionInfo { peer, armed: Armed::default() } }
    }

    /// What handlers are to know of it.
    pub(super) fn info(&self) -> ConnectionInfo {
        self.info.clone()
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.info.armed.fire();
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

impl Drop for WatchedStream {
    fn drop(&mut self) {
        drop(self.info.armed.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}
