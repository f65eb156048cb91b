//! Connections that can tell when an answer was handed over whole.
//!
//! Actions ride in the answers of webhooks, so "was it written?" decides what is
//! delivered. The body of such an answer arms a watch when its last byte has been
//! taken by the HTTP machinery; the next completed flush of the connection fires
//! it. A connection that dies before drops the watch, and that means "no".
//!
//! Whoever sees their connection end may send the same again at once. So its end is
//! the last thing that happens here: everybody who has to know that an answer failed,
//! or that the client has left, was told before the other side can see it.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

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
struct Armed(Arc<Mutex<Option<Watch>>>);

impl Armed {
    fn arm(&self, watch: Watch) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
    }

    fn take(&self) -> Option<Watch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Tells once whether an answer was handed over whole.
struct Watch(Option<Box<dyn FnOnce(bool) + Send>>);

impl Watch {
    fn tell(&mut self, whole: bool) {
        if let Some(tell) = self.0.take() {
            tell(whole);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.tell(false);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl ConnectionInfo {
    /// A body that tells, once, whether it was handed over whole. It is told in the
    /// middle of writing, so it must not take long.
    pub fn watched(&self, bytes: Bytes, tell: impl FnOnce(bool) + Send + 'static) -> WatchedBody {
        let watch = Watch(Some(Box::new(tell)));
        WatchedBody { bytes: Some(bytes), watch: Some(watch), armed: self.armed.clone() }
    }
}

/// See [`ConnectionInfo::watched`].
#[derive(Debug)]
pub struct WatchedBody {
    bytes: Option<Bytes>,
    watch: Option<Watch>,
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
    stream: Option<TcpStream>,
    info: ConnectionInfo,
    end: ConnectionEnd,
}

/// Keeps a connection open behind its [`WatchedStream`]: it closes with the last clone.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionEnd(Arc<Mutex<Option<TcpStream>>>);

impl WatchedStream {
    /// Watches a connection from this peer.
    pub(super) fn new(stream: TcpStream, peer: SocketAddr) -> Self {
        let info = ConnectionInfo { peer, armed: Armed::default() };
        Self { stream: Some(stream), info, end: ConnectionEnd::default() }
    }

    /// To be dropped when nobody is left who has to hear of the end of the connection.
    pub(super) fn end(&self) -> ConnectionEnd {
        self.end.clone()
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut TcpStream> {
        Pin::new(self.get_mut().stream.as_mut().expect("it is taken only when this is dropped"))
    }

    /// What handlers are to know of it.
    pub(super) fn info(&self) -> ConnectionInfo {
        self.info.clone()
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.as_mut().stream().poll_flush(context);
        if matches!(flushed, Poll::Ready(Ok(())))
            && let Some(mut watch) = self.info.armed.take()
        {
            watch.tell(true);
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}

impl Drop for WatchedStream {
    /// The answer that was being written failed. Requests that are still being answered
    /// are dropped behind this, so the connection itself is left to its [`ConnectionEnd`].
    fn drop(&mut self) {
        drop(self.info.armed.take());
        *self.end.0.lock().unwrap_or_else(PoisonError::into_inner) = self.stream.take();
    }
}
