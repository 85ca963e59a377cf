//! Telling whoever made the target which data passes: bodies in either direction, and what is said over WebSockets.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::frames::Frames;

/// Is told about data that passes.
pub trait Meter: Send + Sync {
    /// Data has passed, in either direction.
    fn passed(&self);
}

/// Held for as long as a request is under way; nothing is asked of it.
pub type Hold = Box<dyn Send + Sync>;

/// A body whose data is told, and that holds something until it ends.
pub struct Metered<B> {
    body: B,
    meter: Arc<dyn Meter>,
    _hold: Option<Hold>,
}

impl<B> Metered<B> {
    pub(crate) fn new(body: B, meter: Arc<dyn Meter>, hold: Option<Hold>) -> Self {
        Self { body, meter, _hold: hold }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Metered<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && frame.data_ref().is_some_and(|data| !data.is_empty())
        {
            self.meter.passed();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// One side of a WebSocket: what is read from it is told, but not pings and pongs.
pub(crate) struct Listened<S> {
    stream: S,
    frames: Frames,
    meter: Arc<dyn Meter>,
}

impl<S> Listened<S> {
    pub(crate) fn new(stream: S, meter: Arc<dyn Meter>) -> Self {
        Self { stream, frames: Frames::default(), meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Listened<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if self.frames.feed(&buf.filled()[before..]) {
            self.meter.passed();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listened<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
