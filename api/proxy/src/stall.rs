//! Connections whose other side has to read: whoever asks for much and reads nothing must not hold a connection for ever.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream on which every write gets on within a while, or fails.
pub(crate) struct Unstalled<S> {
    stream: S,
    within: Duration,
    /// Runs while a write waits for the other side.
    enough: Option<Pin<Box<Sleep>>>,
}

impl<S> Unstalled<S> {
    pub(crate) fn new(stream: S, within: Duration) -> Self {
        Self { stream, within, enough: None }
    }

    /// What a write came to, or that it has waited for too long.
    fn bounded(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.enough = None;
            return written;
        }
        let within = self.within;
        let enough = self.enough.get_or_insert_with(|| Box::pin(sleep(within)));
        enough.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unstalled<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unstalled<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bounded(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.bounded(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::time::{Instant, pause};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_write_that_nobody_reads_fails_in_the_end() {
        pause();
        let (ours, _theirs) = duplex(16);
        let begun = Instant::now();
        let error = Unstalled::new(ours, WITHIN).write_all(&[0; 100]).await.expect_err("nobody reads");
        assert_eq!((error.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, WITHIN.as_secs()));
    }

    #[tokio::test]
    async fn a_slow_reader_gets_everything() {
        pause();
        let (ours, mut theirs) = duplex(16);
        let reading = tokio::spawn(async move {
            let mut whole = Vec::new();
            for _ in 0..10 {
                sleep(WITHIN - Duration::from_secs(1)).await;
                let mut part = [0; 10];
                theirs.read_exact(&mut part).await.expect("read");
                whole.extend(part);
            }
            whole
        });
        Unstalled::new(ours, WITHIN).write_all(&[7; 100]).await.expect("written");
        assert_eq!(reading.await.expect("no panic"), [7; 100]);
    }
}
